"""The report's parts: small numbers by hand, whole pages parsed."""

import json
import math
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.report.reports import HEALTH, HOSTILE, N, evaluated
from tests.media.samples import write_picture, write_video, write_wave

from duretrieval.errors import EvaluationError
from duretrieval.evaluation import result_json
from duretrieval.evaluation.comparison import compare
from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.report import Exhibit, Material, look, of_file, of_text, write_report
from duretrieval.evaluation.report.charts import rank_bins
from duretrieval.evaluation.report.page import page
from duretrieval.evaluation.report.recall import chance, curve, cut_offs
from duretrieval.evaluation.report.words import WORDS, one
from duretrieval.evaluation.result import Evaluation
from duretrieval.evaluation.scoring import score_matrix
from duretrieval.page.html import Markup, tag
from duretrieval.page.layout import LANGS
from duretrieval.types import Modality


class Elements(HTMLParser):
    """Counts elements, and checks that each is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, int] = {}
        self.text: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        if tag not in ("meta", "input", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_page_is_whole_and_escaped() -> None:
    evaluation, closeups = evaluated()
    elements = Elements(page(evaluation, closeups=closeups, health=HEALTH))
    assert "script" not in elements.seen
    assert elements.seen["svg"] > 9
    assert elements.seen["img"] > 9
    assert any(HOSTILE in text for text in elements.text)


def test_a_page_without_examples_and_one_of_nothing() -> None:
    evaluation, _ = evaluated()
    bare = Elements(page(evaluation))
    assert "img" not in bare.seen
    assert bare.seen["svg"] == 2 * len(evaluation.pairs)
    assert "svg" not in Elements(page(Evaluation("nothing", ()))).seen


def test_what_a_reader_should_know_comes_first() -> None:
    pair = score_matrix(np.eye(3), relevant([[0], [1], [2]]), measures(["hit@1"]), Modality.TEXT, "any")
    text = " ".join(Elements(page(Evaluation("own", (pair,)), notes=["left out: <a> & b"])).text)
    assert text.index("left out: <a> & b") < text.index("Some pairs have fewer than 20 queries") < text.index("hit@1")
    assert "fewer than 20" not in " ".join(Elements(page(evaluated()[0])).text)


def test_differences_say_what_is_real() -> None:
    evaluation, _ = evaluated(0.9)
    before, _ = evaluated(0.2)
    compared = compare(evaluation, before, resamples=500)
    text = " ".join(Elements(page(evaluation, compared=compared, against="last week")).text)
    assert "Against last week" in text
    assert "▼ worse" in text
    assert "▲ better" not in text
    assert any(d.significant for d in compared)


@pytest.mark.parametrize("lang", LANGS)
def test_files_beside_each_other(tmp_path: Path, lang: str) -> None:
    evaluation, _ = evaluated()
    found = write_report(tmp_path / "out" / "deep", evaluation, health=HEALTH, lang=lang)
    assert found.name == "report.html"
    assert result_json.load(found.with_name("result.json")).pair("text-audio").gallery_size == N
    assert json.loads(found.with_name("health.json").read_text(encoding="utf-8"))["problems"] == 13
    html = found.read_text(encoding="utf-8")
    assert f"<title>{one('title', lang, name='toy')}" in html


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(EvaluationError, match=r"cannot be written to .*file: .* give another --report"):
        write_report(tmp_path / "file", evaluated()[0])


def test_both_languages_say_everything_with_the_same_values() -> None:
    import re

    for english, chinese in WORDS.values():
        assert english
        assert chinese
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", chinese))


def test_chance_by_hand() -> None:
    assert chance(np.array([2]), 4, np.array([1, 2, 3])) == pytest.approx([1 / 2, 1 - 1 / 6, 1.0])
    assert chance(np.array([0, 1]), 10, np.array([3])) == pytest.approx([0.3])


@given(st.integers(1, 50), st.integers(1, 60))
def test_chance_of_one_right_answer_is_k_of_n(n: int, k: int) -> None:
    assert chance(np.array([1]), n, np.array([k])) == pytest.approx([min(1.0, k / n)])


def test_the_curve_is_what_was_measured() -> None:
    evaluation, _ = evaluated()
    pair = evaluation.pairs[0]
    found = curve(pair)
    assert found is not None
    for k in (1, 5, 10):
        at = found.k.tolist().index(k)
        assert found.value[at] == pytest.approx(pair.score(f"hit@{k}").value)
        assert found.low[at] <= found.value[at] <= found.high[at]
    assert (np.diff(found.value) >= 0).all()
    assert found.k[-1] == N


def test_cut_offs_end_at_the_gallery() -> None:
    assert cut_offs(1) == [1]
    assert cut_offs(7) == [1, 2, 3, 4, 5, 6, 7]
    assert cut_offs(10**6)[-1] == 1000


@given(st.lists(st.one_of(st.integers(1, 10**6).map(float), st.just(math.inf), st.just(math.nan)), min_size=1))
def test_every_query_is_in_one_bar(ranks: list[float]) -> None:
    bars = rank_bins(np.array(ranks), 10**6)
    assert sum(n for _, n in bars) == sum(not math.isnan(rank) for rank in ranks)


def shows(i: int) -> Exhibit:
    return of_text(str(i))


def test_worst_and_best_by_hand() -> None:
    scores = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.1], [0.5, 0.4, 0.45], [0.1, 0.2, 0.3]])
    seen = look(Material("text-image", scores, relevant([[0], [2], [2], []]), shows, shows))
    assert [(case.query.text, case.rank) for case in seen.worst] == [("1", 3.0), ("2", 2.0)]
    assert [(case.query.text, case.rank) for case in seen.best] == [("0", 1.0)]
    assert [found.exhibit.text for found in seen.worst[0].found] == ["0", "1", "2"]
    assert [found.right for found in seen.worst[0].found] == [False, False, True]
    assert seen.worst[0].answer is None
    assert seen.counts.tolist() == [1, 1, 1, 0]
    assert sorted(seen.relevant) == [0.1, 0.45, 0.9]
    assert set(np.round(seen.irrelevant, 2)) <= {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.8}


def test_a_right_answer_that_was_not_retrieved() -> None:
    scores = np.array([[0.5, -np.inf, 0.2, 0.1], [0.5, 0.9, -np.inf, 0.1]])
    seen = look(Material("any-any", scores, relevant([[1], [1]]), shows, shows))
    assert seen.worst[0].rank == math.inf
    assert seen.worst[0].answer is not None
    assert seen.worst[0].answer.exhibit.text == "1"
    assert len(seen.best[0].found) == 3


def test_separation_is_the_area_under_the_roc_curve() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    scores = np.round(rng.normal(size=(40, 30)), 1)
    seen = look(Material("a-b", scores, relevant([[i % 30] for i in range(40)]), shows, shows))
    labels = np.concatenate([np.ones(len(seen.relevant)), np.zeros(len(seen.irrelevant))])
    expected = roc_auc_score(labels, np.concatenate([seen.relevant, seen.irrelevant]))
    assert seen.separation == pytest.approx(expected)


def test_sides_that_are_any_are_kept(tmp_path: Path) -> None:
    pair = score_matrix(np.eye(3), relevant([[0], [1], [2]]), measures(["hit@1"]), Modality.TEXT, "any")
    result_json.save(Evaluation("own", (pair,)), tmp_path / "a.json")
    assert result_json.load(tmp_path / "a.json").pair("text-any").score("hit@1").value == 1


def test_looks_at_real_files(tmp_path: Path) -> None:
    picture = of_file(write_picture(tmp_path / "wide.png"))
    assert [p.shape for p in picture.pictures] == [(56, 112, 3)]
    film = of_file(write_video(tmp_path / "film.mp4"))
    assert len(film.pictures) >= 2
    assert film.wave is not None
    sound = of_file(write_wave(tmp_path / "tone.wav", seconds=2))
    assert sound.wave is not None
    assert sound.wave.max() == 1
    (tmp_path / "words.txt").write_text("word " * 100)
    assert of_file(tmp_path / "words.txt").text.endswith("…")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot much")
    assert of_file(tmp_path / "broken.png").text.startswith("(")


def test_markup_is_not_escaped_twice() -> None:
    assert tag("p", Markup("<b>1</b>"), " < 2", title='"') == '<p title="&quot;"><b>1</b> &lt; 2</p>'
