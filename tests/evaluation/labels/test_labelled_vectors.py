"""Vectors of a table as things that are found and asked with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from duretrieval.encode.features import Features
from duretrieval.evaluation.labels.labelled import read_labelled
from duretrieval.evaluation.request import Request, evaluate
from duretrieval.model.model import Model
from duretrieval.types import Modality


def table(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_a_vector_is_one_thing_in_however_many_rows(tmp_path: Path) -> None:
    rows = [
        {"text": "a bus", "image_vector": [1, 0]},
        {"text": "a coach", "image_vector": [1.0, 0.0]},
        {"text": "a cat", "image_vector": [0, 1]},
    ]
    data = read_labelled(table(tmp_path / "a.jsonl", rows))
    assert len(data.units) == 5
    vectors = [unit for unit in data.units if isinstance(unit.parts[0].content, np.ndarray)]
    assert [unit.fields["name"] for unit in vectors] == [f"the image vector of line {line}" for line in (1, 3)]
    assert {unit.parts[0].modality for unit in vectors} == {Modality.IMAGE}
    rows[2]["image_vector"] = [0, 2]
    assert read_labelled(table(tmp_path / "b.jsonl", rows)).hash != data.hash


def test_vectors_are_evaluated(tmp_path: Path) -> None:
    """Sound and sight in one space: what belongs together is near, but for the last two rows, which are exchanged."""
    places = np.eye(6)
    others = places[[0, 1, 2, 3, 5, 4]]
    rows = [{"image_vector": a.tolist(), "audio_vector": b.tolist()} for a, b in zip(places, others, strict=True)]
    rows.append({"image_vector": [1.0], "audio_vector": [1.0] * 6})
    both = Features(6, ["image", "audio"])
    made = Model("both", dict.fromkeys((Modality.IMAGE, Modality.AUDIO), both), dim=6, fingerprint="being written")
    made.save(tmp_path / "model")
    found = evaluate(tmp_path / "model", Request(data=table(tmp_path / "rows.jsonl", rows), metrics=("hit@1",)))
    assert {pair.name: pytest.approx(pair.score("hit@1").value) for pair in found.evaluation.pairs} == {
        "image-audio": 4 / 6, "audio-image": 4 / 6
    }  # fmt: skip
    assert any("the image vector of line 7: expected a vector of 6 numbers" in note for note in found.notes)
