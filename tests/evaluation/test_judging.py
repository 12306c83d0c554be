"""Judgements are kept at once, taken back, gone on with; and a collection is measured by them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.media.samples import write_picture

from duretrieval.collection.collection import Collection
from duretrieval.errors import EvaluationError
from duretrieval.evaluation.judging import JudgementFile, JudgingSession
from duretrieval.evaluation.report import look
from duretrieval.evaluation.runs import read_judgements
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.evaluation.subjects.collection import evaluate_collection
from duretrieval.model.model import Model

FAST = Bootstrap(resamples=100)
NOTES = {
    "cats": "A cat purrs on the sofa.",
    "dogs": "A dog barks at strangers.",
    "wine": "Grapes are pressed to make wine.",
    "space": "A rocket flies to the moon.",
}


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    for name, text in NOTES.items():
        (folder / f"{name}.txt").write_text(text)
    write_picture(folder / "halves.png")
    return folder


@pytest.fixture
def collection(tmp_path: Path, media: Path) -> Iterator[Collection]:
    with Collection.open(tmp_path / "c", Model.load("builtin")) as collection:
        collection.add(media)
        yield collection


def test_answers_are_on_disk_at_once_and_a_second_session_goes_on(tmp_path: Path, collection: Collection) -> None:
    file = JudgementFile(tmp_path / "j.jsonl")
    session = JudgingSession(collection, ["a purring cat", "barking"], file, k=3)
    first = session.question()
    assert first is not None
    assert (first.query, first.number, first.queries, first.rank) == ("a purring cat", 1, 2, 1)
    session.answer(1)
    [row] = [json.loads(line) for line in (tmp_path / "j.jsonl").read_text().splitlines()]
    assert row == {"query": "a purring cat", "item": first.hit.item.id, "gain": 1, "source": first.hit.item.source}
    again = JudgingSession(
        collection, ["a purring cat", "barking"], JudgementFile(tmp_path / "j.jsonl"), k=3
    ).question()
    assert again is not None
    assert again.rank == 2


@pytest.mark.parametrize("name", ["j.csv", "qrels.txt", "j", "j.parquet"])
def test_a_name_of_another_format_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(EvaluationError, match=rf"are JSON lines; call their file j?(qrels)?\.jsonl, not {name}"):
        JudgementFile(tmp_path / name)


def test_its_folder_is_made(tmp_path: Path) -> None:
    JudgementFile(tmp_path / "new" / "j.jsonl").record("q", "a", "s", 1)
    assert read_judgements(tmp_path / "new" / "j.jsonl") == {"q": {"a": 1.0}}


def test_undo_takes_back_one_after_another_across_queries(tmp_path: Path, collection: Collection) -> None:
    file = JudgementFile(tmp_path / "j.jsonl")
    session = JudgingSession(collection, ["cat", "dog"], file, k=2)
    for gain in (1, 0, 1):
        session.answer(gain)
    assert len(file) == 3
    assert session.undo()
    assert session.question().query == "dog"  # type: ignore[union-attr]
    assert session.undo()
    question = session.question()
    assert question is not None
    assert (question.query, question.rank) == ("cat", 2)
    assert session.undo()
    assert not session.undo()
    assert (tmp_path / "j.jsonl").read_bytes() == b""


def test_skipped_results_are_asked_again_next_time(tmp_path: Path, collection: Collection) -> None:
    file = JudgementFile(tmp_path / "j.jsonl")
    session = JudgingSession(collection, ["cat"], file, k=2)
    session.skip()
    session.answer(0)
    assert session.question() is None
    assert JudgingSession(collection, ["cat"], file, k=2).question().rank == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("rest", ['{"query": "a", "it', ' {"query": "b", "item": "y", "gain": 0}'])
def test_a_line_half_written_is_dropped_and_a_whole_one_is_kept(tmp_path: Path, rest: str) -> None:
    path = tmp_path / "j.jsonl"
    path.write_text('{"query": "a", "item": "x", "gain": 1}\n' + rest)
    file = JudgementFile(path)
    file.record("c", "z", "", 1)
    assert set(read_judgements(path)) == ({"a", "c"} if "it" in rest[-3:] else {"a", "b", "c"})


def judgements(path: Path, rows: list[tuple[str, str, float]]) -> Path:
    path.write_text("".join(json.dumps({"query": q, "item": i, "gain": g}) + "\n" for q, i, g in rows))
    return path


def test_a_collection_is_measured_by_what_people_said(tmp_path: Path, media: Path, collection: Collection) -> None:
    rows = [
        ("a purring cat", "cats.txt", 1.0),
        ("a purring cat", "dogs.txt", 0.0),
        ("journey to the moon", str(media / "space.txt"), 2.0),
        ("a picture that is gone", "gone.png", 1.0),
        ("halves.png", "halves.png", 1.0),
        ("halves.png", "cats.txt", 1.0),
    ]
    path = judgements(media / "judged.jsonl", rows)
    found = evaluate_collection(collection, path, bootstrap=FAST, command="x")
    evaluation = found.evaluation
    assert [pair.name for pair in evaluation.pairs] == ["text-any", "text-text", "image-any", "image-text"]
    assert evaluation.pair("text-any").queries == ("a purring cat", "journey to the moon", "a picture that is gone")
    assert evaluation.pair("text-any").score("hit@1").values.tolist() == [1.0, 1.0, 0.0]
    assert evaluation.pair("text-text").score("rr").values.tolist() == [1.0, 1.0]
    assert evaluation.pair("text-text").gallery_size == 4
    itself, *others = [hit.item.fields["name"] for hit in collection.search(media / "halves.png")]
    assert (itself, others[0] == "cats.txt") == ("halves.png", False)
    rr = evaluation.pair("image-any").score("rr").value
    assert rr == pytest.approx(1 / (1 + others.index("cats.txt")))  # it is not asked to find itself, which would be 1
    assert 0 < evaluation.totals["judged@10"] < 1
    assert found.notes == ("1 judged items are not in the collection, such as 'gone.png'; they count as not found",)
    assert evaluation.provenance.model == collection.model.fingerprint
    seen = look(found.materials[0])
    assert seen.worst[0].query.text == "a picture that is gone"
    assert "rocket" in look(found.materials[1]).best[0].found[0].exhibit.text
    path.unlink()


def test_judgements_of_something_else(tmp_path: Path, collection: Collection) -> None:
    path = judgements(tmp_path / "j.jsonl", [("cat", "nowhere.txt", 1.0)])
    with pytest.raises(EvaluationError, match=r"judges 1 items, and none .* 'nowhere.txt' is neither"):
        evaluate_collection(collection, path)
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(EvaluationError, match=r"empty.jsonl judges nothing"):
        evaluate_collection(collection, tmp_path / "empty.jsonl")
