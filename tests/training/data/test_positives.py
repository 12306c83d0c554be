"""One meaning of right: the masks of losses, what is mined, and the figures of a check and of `evaluate`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from duretrieval.errors import ConfigError
from duretrieval.evaluation.labels.labelled import read_labelled
from duretrieval.evaluation.labels.together import POSITIVES, USUAL, Together, folded
from duretrieval.training.data.manifest import read_manifest
from duretrieval.training.data.positives import Positives, positives
from duretrieval.training.data.repeats import repeats
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part

VIEWS = {"text": ("text",), "image": ("image",)}


def sample(row: int, text: str | None, image: str | None, key: str = "", label: str | None = None) -> Sample:
    columns = {"text": Part(Modality.TEXT, text)} if text is not None else {}
    columns |= {"image": Part(Modality.IMAGE, Path(image))} if image is not None else {}
    return Sample(str(row), columns, label, key)


def relation(samples: Sequence[Sample], names: Sequence[str]) -> Positives:
    present = {name: [name in s.columns for s in samples] for name in VIEWS}
    return positives(samples, VIEWS, present, names)


def by_hand(samples: Sequence[Sample], names: Sequence[str], asking: str, searched: str) -> list[list[bool]]:
    """Is there a row, or two of one key or label, of which one holds the first and the other the second?"""

    def holds(row: int, column: str, like: int) -> bool:
        here, there = (samples[i].columns.get(column) for i in (row, like))
        if here is None or there is None:
            return False
        kind = "text" if column == "text" else "file"
        return row == like if kind not in names else here.content == there.content

    def bound(r: int, s: int) -> bool:
        one, other = samples[r], samples[s]
        by_key = "key" in names and bool(one.key) and one.key == other.key
        return r == s or by_key or ("label" in names and one.label is not None and one.label == other.label)

    rows = range(len(samples))
    return [
        [any(holds(r, asking, i) and holds(s, searched, j) and bound(r, s) for r in rows for s in rows) for j in rows]
        for i in rows
    ]


ROWS = st.lists(
    st.tuples(
        st.sampled_from([None, "a dog", "a bus", "a cat"]),
        st.sampled_from([None, "1.png", "2.png", "3.png"]),
        st.sampled_from(["", "", "k", "l"]),
        st.sampled_from([None, "x", "y"]),
    ),
    min_size=1,
    max_size=9,
)


@given(rows=ROWS, names=st.sets(st.sampled_from(POSITIVES)))
@settings(max_examples=150, deadline=None)
def test_masks_are_those_made_by_hand(rows: list[tuple], names: set[str]) -> None:
    samples = [sample(i, *row) for i, row in enumerate(rows)]
    found = relation(samples, sorted(names))
    every = torch.arange(len(samples))
    for a, b in product(VIEWS, repeat=2):
        wanted = torch.tensor(by_hand(samples, sorted(names), a, b))
        there = torch.tensor([[a in x.columns and b in y.columns for y in samples] for x in samples])
        assert (found.same(a, every, b, every) & there).equal(wanted & there), (a, b)
        assert found.same(a, every[:2], b, every[1:]).equal(found.same(a, every, b, every)[:2, 1:])


def test_two_hops_are_found() -> None:
    """The second text stands with picture 1 in another row: picture 1 in the third row is right for it too."""
    samples = [sample(0, "a dog", "1.png"), sample(1, "a dog", "2.png"), sample(2, "a cat", "1.png")]
    found = relation(samples, USUAL).same("text", torch.tensor([1]), "image", torch.tensor([0, 1, 2]))
    assert found.tolist() == [[True, True, True]]
    assert relation(samples, ["key"]).same("text", torch.tensor([1]), "image", torch.arange(3)).tolist() == [
        [False, True, False]
    ]


def test_texts_are_compared_folded() -> None:
    assert folded("A  Bus.\n") == folded("ａ bus") == "a bus"
    assert folded("一辆车。") == "一辆车"
    assert len({folded(text) for text in ("C", "C++", "C#")}) == 3
    assert folded("...") == "..."


def test_an_absent_view_belongs_to_nothing() -> None:
    found = relation([sample(0, "a", None), sample(1, None, "1.png")], USUAL)
    assert not found.same("image", torch.tensor([0]), "image", torch.arange(2)).any()
    several = relation([sample(0, "a", None, "k"), sample(1, "a", None, "l"), sample(2, None, "1.png", "k")], USUAL)
    assert several.same("image", torch.tensor([0, 2]), "text", torch.arange(3)).tolist() == [
        [False, False, False],
        [True, True, False],
    ]


def test_a_row_of_a_low_score_binds_nothing() -> None:
    low = Sample("0", sample(0, "a", "1.png").columns, score=0.4)
    high = Sample("1", sample(1, "b", "2.png").columns, score=0.5)
    found = relation([low, high], USUAL).same("text", torch.arange(2), "image", torch.arange(2))
    assert found.tolist() == [[False, False], [False, True]]


def test_keys_alone() -> None:
    found = Positives.of_keys(np.array([7, 8, 7]))
    assert found.same("a", torch.arange(3), "b", torch.arange(3)).tolist() == [
        [True, False, True],
        [False, True, False],
        [True, False, True],
    ]


def manifest(folder: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_manifest_means_the_same_to_training_and_to_evaluate(tmp_path: Path) -> None:
    for name in ("1.png", "2.png", "3.png", "4.png"):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    path = manifest(
        tmp_path,
        [
            {"text": "a dog", "image": "1.png"},
            {"text": ["A dog.", "an animal"], "image": "2.png"},
            {"text": "a cat", "image": "3.png", "key": "k", "label": "x"},
            {"text": "a tom", "image": "4.png", "key": "k", "negative": "a dog"},
            {"text": "a bus", "label": "x", "image": "1.png"},
        ],
    )
    for names in (USUAL, ("key",), ("text", "label"), ()):
        samples = read_manifest(path).samples
        ours = relation(samples, names)
        theirs = read_labelled(path, positives=names)
        place = {str(unit.source or unit.parts[0].content): i for i, unit in enumerate(theirs.units)}
        if len(place) < len(theirs.units):
            continue  # a text that is no positive of its like is several units of one name
        for i, asks in enumerate(samples):
            right = theirs.together.right([place[_name(asks, "text")]], range(len(theirs.units)))[0]
            wanted = {place[_name(s, "image")] for s in samples} & set(right)
            mask = ours.same("text", torch.tensor([i]), "image", torch.arange(len(samples)))[0].tolist()
            assert {place[_name(s, "image")] for s, is_right in zip(samples, mask, strict=True) if is_right} == wanted


def _name(one: Sample, column: str) -> str:
    said = str(one.columns[column].content)
    return {"A dog.": "a dog"}.get(said, said)


def test_what_makes_things_belong_together_has_a_name(tmp_path: Path) -> None:
    path = manifest(tmp_path, [{"text": "a dog", "image": "1.png"}])
    with pytest.raises(
        ConfigError, match=r"positives names 'labels'\. Did you mean 'label'\?.* key, text, file, label"
    ):
        read_labelled(path, positives=["labels"])


def test_negatives_are_found_and_right_for_nothing(tmp_path: Path) -> None:
    path = manifest(tmp_path, [{"text": "a dog", "image": "1.png", "negatives": ["a cat", "a bus"]}])
    data = read_labelled(path)
    names = [str(unit.source or unit.parts[0].content) for unit in data.units]
    assert [name.rpartition("/")[2] for name in names] == ["a dog", "1.png", "a cat", "a bus"]
    assert list(data.together.right([0, 2], [1, 3])) == [[0], []]


def test_what_repeats_is_counted() -> None:
    samples = [
        sample(0, "a dog", "1.png"),
        sample(1, "a dog", "2.png"),
        sample(2, "a cat", "3.png", "k"),
        sample(3, "a cat", "4.png", "k"),
        Sample("4", {"text": Part(Modality.TEXT, "x")}, negatives={"text": (Part(Modality.TEXT, "X."),)}),
    ]
    found = repeats(samples)
    assert (found.columns, found.contrary) == ({"text": 2}, ("4",))


def test_bonds_are_counted_once() -> None:
    found = Together.of([(0, "ab"), (0, "bc"), (1, "c"), (2, "")], 3)
    assert len(found) == 3
    assert [found.of_thing(i) for i in range(3)] == [[0, 1, 2], [2], []]
    assert list(found.right([0, 1, 2], [1, 0])) == [[0, 1], [0, 1], []]
