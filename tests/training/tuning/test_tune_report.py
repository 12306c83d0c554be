"""The report of a search, and how much each setting mattered."""

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from duretrieval.training.tuning import charts
from duretrieval.training.tuning.importance import FEWEST, importance
from duretrieval.training.tuning.range import Range
from duretrieval.training.tuning.report import write_report
from duretrieval.training.tuning.trial import Search, Trial
from duretrieval.training.tuning.words import WORDS

LOSSES = ("infonce", "<b>hinge</b>")
SPACE: dict[str, Range | tuple[object, ...]] = {
    "fit.lr": Range(1e-4, 1e-2, log=True),
    "heads.dropout": Range(0.0, 0.5),
    "loss.use": LOSSES,
}


@pytest.fixture
def trials() -> list[Trial]:
    """Twelve trials; the third failed, the fourth was stopped early."""
    rng = np.random.default_rng(0)
    found = []
    for number in range(12):
        lr = float(10 ** rng.uniform(-4, -2))
        value = 0.5 - 0.1 * (math.log10(lr) + 3) ** 2 + 0.05 * (number % 2 == 0)
        state = {2: "fail", 3: "pruned"}.get(number, "complete")
        checks = {} if state == "fail" else {epoch: value * (epoch + 1) / 4 for epoch in range(4)}
        settings = {"fit.lr": lr, "heads.dropout": float(rng.uniform(0, 0.5)), "loss.use": LOSSES[number % 2]}
        found.append(Trial(number, settings, state, None if state == "fail" else value, checks))
    return found


def best_of(trials: list[Trial]) -> Trial:
    return max((t for t in trials if t.state == "complete"), key=lambda t: t.value or 0.0)


def test_the_page_holds_every_trial_in_both_languages(trials: list[Trial], tmp_path: Path) -> None:
    best = best_of(trials)
    html = write_report(tmp_path, Search(SPACE), trials, best, monitor="ndcg@10").read_text(encoding="utf-8")
    assert f"The best: trial {best.number}, {best.value:.4f}" in html
    assert f"最佳：第 {best.number} 次试验" in html
    assert "12 trials by tpe: 10 finished, 1 stopped early, 1 failed." in html
    assert "The value is ndcg@10 on the validation rows" in html
    assert html.count("<svg") == 2 + len(SPACE)
    assert html.count("<circle") == 11 * (1 + len(SPACE))  # in the course and against each setting, but for the failed
    table = html[html.rindex("<table") :]
    assert re.findall(r"<tr><td>(?:<b>)?(\d+)", table)[0] == str(best.number)
    assert len(re.findall(r"<tr><td>", table)) == 12
    assert table.index("stopped early") < table.index("failed")


def test_the_page_is_one_file_without_scripts(trials: list[Trial], tmp_path: Path) -> None:
    html = write_report(tmp_path, Search(SPACE), trials, best_of(trials), monitor="rr").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")
    assert "default-src &#x27;none&#x27;" in html
    assert "<b>hinge" not in html  # what a recipe says is text, not markup
    open_tags: list[str] = []

    class Balanced(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "input"):
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Balanced().feed(html)
    assert open_tags == []


def test_one_trial_is_a_report_too(trials: list[Trial], tmp_path: Path) -> None:
    html = write_report(tmp_path, Search(SPACE), trials[:1], trials[0], monitor="rr", lang="zh").read_text(
        encoding="utf-8"
    )
    assert "<title>超参数搜索</title>" in html
    assert f"Fewer than {FEWEST} trials" in html
    assert "nan" not in html


def test_the_line_is_the_best_so_far() -> None:
    """Values 1, 3, 2: the line lies at 1, climbs to 3 and stays there."""
    trials = [Trial(n, {"a": n}, "complete", v, {}) for n, v in enumerate((1.0, 3.0, 2.0))]
    drawn = charts.course(trials, trials[1])
    (points,) = re.findall(r'd="M(.+?)"', drawn)
    heights = [float(point.split()[1]) for point in points.split("L")]
    y = charts.values_scale((1.0, 3.0, 2.0))
    assert heights == pytest.approx([charts.AXES.y(y(v)) for v in (1, 1, 3, 3, 3, 3)], abs=0.06)


@pytest.mark.parametrize(
    ("scale", "texts"),
    [
        (charts.Scale(0.0, 1.0), ["0.0", "0.5", "1.0"]),
        (charts.Scale(0.37, 0.713), ["0.4", "0.5", "0.6", "0.7"]),
        (charts.Scale(-12.0, 30.0), ["0", "20"]),
        (charts.Scale(1e-4, 1e-2, log=True), ["0.0001", "0.001", "0.01"]),
        (charts.Scale(2.0, 32.0, log=True), ["2", "4", "8", "16", "32"]),
        (charts.Scale(0.5, 0.5), ["0.5"]),
    ],
)
def test_numbers_beside_an_axis(scale: charts.Scale, texts: list[str]) -> None:
    ticks = scale.ticks()
    assert [text for _, text in ticks] == texts
    assert all(0 <= share <= 1 for share, _ in ticks)
    if scale.low < scale.high:
        assert [share for share, _ in ticks] == pytest.approx([scale(float(text)) for text in texts])


def test_a_logarithmic_axis_puts_the_geometric_mean_in_the_middle() -> None:
    assert charts.Scale(1e-4, 1e-2, log=True)(1e-3) == pytest.approx(0.5)


# ---- importance


def test_importance_by_hand() -> None:
    """Ranks 0..7 in two halves: SS_between 32, SS_within 10, so (32 - 10/6) / 42."""
    assert importance([{"a": n // 4} for n in range(8)], range(8)) == {"a": pytest.approx((32 - 10 / 6) / 42)}


def test_what_matters_comes_first_and_what_does_not_is_near_nothing() -> None:
    rng = np.random.default_rng(1)
    settings = [
        {"lr": float(rng.uniform(-1, 1)), "noise": float(rng.uniform(0, 1)), "loss": "ab"[n % 2]} for n in range(300)
    ]
    values = [-4 * float(s["lr"]) ** 2 + 0.4 * (s["loss"] == "a") + rng.normal(0, 0.1) for s in settings]
    found = importance(settings, values)
    assert list(found) == ["lr", "loss", "noise"]
    assert found["lr"] > 0.5  # though its best value is in the middle, where a slope is 0
    assert found["noise"] < 0.03


def test_importance_depends_on_ranks_alone() -> None:
    settings = [{"a": n % 3, "b": n % 2} for n in range(12)]
    values = [math.sin(n) for n in range(12)]
    assert importance(settings, values) == importance(settings, [math.exp(5 * v) for v in values])


def test_nothing_is_said_of_little() -> None:
    assert importance([{"a": 1}] * (FEWEST - 1), range(FEWEST - 1)) == {}
    assert importance([{"a": n} for n in range(6)], [1.0] * 6) == {"a": 0.0}
    assert importance([{"a": "x"}] * 6, range(6)) == {"a": 0.0}


def test_every_sentence_is_in_both_languages() -> None:
    for english, chinese in WORDS.values():
        fields = [sorted(re.findall(r"{(\w+)}", text)) for text in (english, chinese)]
        assert fields[0] == fields[1]
        assert re.search(r"[\u4e00-\u9fff]", chinese)
