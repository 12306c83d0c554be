"""Rows with vectors, checked and known again; rows of a reader as items."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from duretrieval.media import Limits
from duretrieval.training.data.checks import VECTOR, unusable, validate
from duretrieval.training.data.identity import identify
from duretrieval.training.data.items import items_of
from duretrieval.training.data.sample import Sample
from duretrieval.types import MEDIA, Modality, Part, Reading


def text(words: str) -> Part:
    return Part(Modality.TEXT, words)


def rows(folder: Path) -> list[Sample]:
    """Two with a file, of one content, two with an array, and one whose file is no vector."""
    np.save(folder / "a.npy", np.arange(1.0, 5))
    np.save(folder / "b.npy", np.arange(1.0, 5))
    np.save(folder / "bad.npy", np.array(["words"]))
    contents = [folder / "a.npy", folder / "b.npy", np.ones(4), np.array([1, np.nan]), folder / "bad.npy"]
    return [
        Sample(f"r{n}", {"text": text(f"words {n}"), "image_vector": Part(Modality.IMAGE, content)})
        for n, content in enumerate(contents)
    ]


def test_what_is_no_vector_is_a_problem(tmp_path: Path) -> None:
    found = validate(rows(tmp_path), workers=1)
    assert [sample.id for sample in found.good] == ["r0", "r1", "r2"]
    assert [(problem.sample, problem.reason) for problem in found.problems] == [
        ("r3", "the array holds numbers that are not finite"),
        ("r4", "it holds <U5, not numbers"),
    ]


def test_a_vector_has_no_looks_but_an_identity(tmp_path: Path) -> None:
    known = identify(rows(tmp_path)[:3], near=True, workers=1)
    assert [identity.looks for identity in known] == [(), (), ()]
    assert set(known[0].ties) & set(known[1].ties)
    assert not set(known[0].ties) & set(known[2].ties)


def test_an_encoder_that_learns_can_use_none(tmp_path: Path) -> None:
    vectors = [sample.columns["image_vector"] for sample in rows(tmp_path)[:3]]
    of_each = [replace(part, modality=modality) for modality in MEDIA for part in vectors[:1]]
    found = unusable([*vectors, *of_each, Part(Modality.AUDIO, np.ones(9, np.float32))], Reading(), Limits())
    assert {place: reason.endswith(VECTOR) for place, reason in found.items()} == dict.fromkeys(range(7), True)


def test_the_choices_of_a_row_are_one_item(tmp_path: Path) -> None:
    film = Part(Modality.VIDEO, np.ones((2, 3), np.float32))
    samples = [
        Sample("r#1", {"video": film, "text": text("a bus")}, "vehicle", key="r", row="r", split="train"),
        Sample("r#2", {"video": film, "text": text("a coach")}, "vehicle", key="r", row="r", split="train"),
        Sample("s", {"text": text("a cat"), "video": Part(Modality.VIDEO, tmp_path / "gone.npy")}, group="anna"),
    ]
    first, second = items_of(samples, tmp_path / "data")
    assert (first.id, first.source) == ("r", f"{tmp_path / 'data'}#r")
    assert [part.content if isinstance(part.content, str) else "film" for part in first.parts] == [
        "film", "a bus", "a coach"
    ]  # fmt: skip
    assert first.fields == {"label": "vehicle", "split": "train"}
    assert second.fields == {"group": "anna"}
    (again, _) = items_of(samples, tmp_path / "data")
    assert again.stamp == first.stamp
    changed = [replace(samples[0], columns={**samples[0].columns, "text": text("a tram")}), *samples[1:]]
    assert next(items_of(changed, tmp_path / "data")).stamp != first.stamp
