"""Hard negatives written out as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.training.coloured import COLOURS, SHAPES, picture
from tests.training.small import recipe
from typer.testing import CliRunner

from duretrieval.cli.app import app
from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.training.data.opening import read_data
from duretrieval.training.recipe.recipe import Data
from duretrieval.training.runs.mined import write_negatives
from duretrieval.training.runs.run import assemble
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Part

QUESTIONS = {
    "what barks": "a dog",
    "which animal barks": "A dog.",
    "what purrs": "a cat",
    "what floats on the sea": "a ship",
    "what is baked": "bread",
    "what rides on rails": "a train",
    "where do fish live": "in the water",
}


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    rows = [{"id": f"q{i}", "anchor": q, "positive": a, "group": "g"} for i, (q, a) in enumerate(QUESTIONS.items())]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


TEXTS = Data(options={"columns": {"anchor": "text", "positive": "text"}})


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def cosines() -> dict[str, dict[str, float]]:
    """Question -> answer, each once, -> their cosine by the built-in model."""
    answers = [a for a in QUESTIONS.values() if a != "A dog."]
    asked, found = (Model.load().encode([Part(Modality.TEXT, t) for t in texts]) for texts in (QUESTIONS, answers))
    return {
        q: dict(zip(answers, map(float, row), strict=True)) for q, row in zip(QUESTIONS, asked @ found.T, strict=True)
    }


@pytest.mark.parametrize(("count", "skip", "margin"), [(2, 0, None), (2, 1, None), (5, 0, 0.2), (2, 1, 0.5)])
def test_they_are_the_nearest_that_do_not_belong(
    questions: Path, cache: Path, count: int, skip: int, margin: float | None
) -> None:
    """By hand: without what is right (an equal text is, however written), what is too near, and the first."""
    out = questions.with_name("out.jsonl")
    found = write_negatives(
        "builtin", questions, out, settings=TEXTS, count=count, skip=skip, margin=margin, cache=cache
    )
    known, rows = cosines(), written(out)
    for row in rows:
        near = known[row["anchor"]]
        own = "a dog" if row["positive"] == "A dog." else row["positive"]
        most = 2.0 if margin is None else near[own] - margin * abs(near[own])
        wanted = sorted((a for a in near if a != own and near[a] <= most), key=lambda a: -near[a])
        assert row.get("negatives", []) == wanted[skip:][:count], row
    assert (found.rows, found.ask, found.among) == (7, "anchor", "positive")
    assert found.negatives == sum(len(row.get("negatives", [])) for row in rows) > 0
    assert found.having == sum("negatives" in row for row in rows)
    if margin == 0.2:
        assert found.negatives < 7 * count


def test_what_was_written_is_read_as_negatives(questions: Path, cache: Path) -> None:
    out = questions.with_name("out.jsonl")
    found = write_negatives("builtin", questions, out, settings=TEXTS, count=2, cache=cache)
    read = read_data(Data(options={"columns": dict(found.columns)}), out)
    assert not read.problems
    for sample, row in zip(read.samples, written(out), strict=True):
        assert [part.content for part in sample.negatives["positive"]] == row["negatives"]
        assert (sample.id, sample.group) == (row["id"], "g")
        assert list(sample.columns) == ["anchor", "positive"]


def test_negatives_that_rows_have_already_stay_first(questions: Path, cache: Path) -> None:
    rows = written(questions)
    rows[2]["negative"] = "a horse"
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out = questions.with_name("out.jsonl")
    write_negatives("builtin", questions, out, settings=TEXTS, count=1, cache=cache)
    assert written(out)[2]["negatives"][0] == "a horse"
    assert len(written(out)[2]["negatives"]) == 2


def test_choices_of_one_row_stay_together_and_relations_lead_to_all_of_them(questions: Path, cache: Path) -> None:
    rows = written(questions)
    rows[0] |= {"positive": ["a dog", "a hound"], "related": ["q2"]}
    rows[1] |= {"related": ["q0"], "answers": ["q3"]}
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out, asks = questions.with_name("out.jsonl"), {"answers": "related:answers"}
    given = Data(options={"columns": {**TEXTS.options["columns"], **asks}})
    found = write_negatives("builtin", questions, out, settings=given, count=3, skip=0, cache=cache)
    read = read_data(Data(options={"columns": dict(found.columns)}), out).samples
    assert [sample.id for sample in read[:3]] == ["q0#1", "q0#2", "q1"]
    assert read[0].key == read[1].key == "q0"
    for sample in read[:2]:
        assert not {"a dog", "a hound"} & {part.content for part in sample.negatives["positive"]}
    assert read[2].related == (("related", "q0#1"), ("related", "q0#2"), ("answers", "q3"))
    assert read[0].related == (("related", "q2"),)


def test_pictures_by_the_model_of_a_run(cache: Path, tmp_path: Path) -> None:
    """From the command line, into another folder, and what it prints is how the rows are read."""
    (tmp_path / "media").mkdir()
    rows = [
        {"id": f"{c}-{s}-{n}", "text": f"a {c} {s}", "image": picture(tmp_path / "media", c, s, n).name, "label": c}
        for n in range(4)
        for c in COLOURS
        for s in SHAPES
    ]
    data = tmp_path / "media" / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    made = recipe(fit={"epochs": 1}, data={"near_duplicates": False, "texts": [], "val": 0.2, "test": 0.2})
    train(made, data, tmp_path / "run", cache=cache)
    out = tmp_path / "elsewhere" / "with.jsonl"
    out.parent.mkdir()
    command = ["mine", str(tmp_path / "run"), "--data", str(data), "--out", str(out), "--count", "3"]
    said = CliRunner().invoke(app, [*command, "--cache", str(cache)])
    assert said.exit_code == 0, said.output
    assert "24 of 24 rows have 72 negatives (text asks image)." in said.output
    assert "--column negatives=negative:image" in said.output.replace("\n", "")
    read = read_data(Data(options={"columns": {"negatives": "negative:image"}}), out)
    assert not read.problems
    for sample in read.samples:
        assert len(sample.negatives["image"]) == 3
        assert all(part.modality is Modality.IMAGE and part.content.is_file() for part in sample.negatives["image"])
        kind = sample.id.rsplit("-", 1)[0]  # pictures of equal texts are right
        assert not any(part.content.stem.startswith(kind) for part in sample.negatives["image"])
    run = assemble(
        recipe(data={**{"columns": {"negatives": "negative:image"}}, "texts": []}), (read.samples, []), tmp_path / "x"
    )
    assert run.prepared.rows["train"].against is not None
    assert np.asarray(run.prepared.rows["train"].against).shape[1] == 3


def test_what_cannot_be(questions: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"rows\.jsonl is the data itself; write the rows with negatives somewhere else"
    ):
        write_negatives("builtin", questions, questions, settings=TEXTS)
    out = tmp_path / "out.jsonl"
    with pytest.raises(ConfigError, match=r"count is 0, skip 1 and margin None; they must be at least 1"):
        write_negatives("builtin", questions, out, settings=TEXTS, count=0)
    with pytest.raises(
        ConfigError, match=r"what asks is 'answer' and what is searched .*; say which two of the columns: anchor"
    ):
        write_negatives("builtin", questions, out, settings=TEXTS, ask="answer")
    vectors = tmp_path / "vectors.jsonl"
    lines = [json.dumps({"text": f"{n} things", "image_vector": [1, 0, n]}) for n in range(3)]
    vectors.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"the column 'image_vector' holds vectors in its rows, and a negative is a t"
    ):
        write_negatives("builtin", vectors, out)
    assert not out.exists()


def test_vectors_come_along(questions: Path, cache: Path) -> None:
    rows = [row | {"image_vector": [1.0, n], "heard": [n, 0.5]} for n, row in enumerate(written(questions))]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out = questions.with_name("out.jsonl")
    given = Data(options={"columns": {**TEXTS.options["columns"], "heard": "vector:audio"}})
    found = write_negatives(
        "builtin", questions, out, settings=given, ask="anchor", among="positive", count=1, cache=cache
    )
    read = read_data(Data(options={"columns": dict(found.columns)}), out)
    assert not read.problems
    for n, sample in enumerate(read.samples):
        for name, vector in (("image_vector", [1, n]), ("heard", [n, 0.5])):
            np.testing.assert_array_equal(np.ravel(sample.columns[name].content), vector)
