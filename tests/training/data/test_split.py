"""Nothing straddles, and nothing moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from duretrieval.duplicates.near import near_groups
from duretrieval.duplicates.perceptual import BITS, code, distance
from duretrieval.errors import ConfigError
from duretrieval.training.build.prepare import prepare
from duretrieval.training.data.auditing import audit
from duretrieval.training.data.components import components
from duretrieval.training.data.identity import Identity, identify, same_text
from duretrieval.training.data.leakage import leaks
from duretrieval.training.data.manifest import read_manifest
from duretrieval.training.data.sample import Sample
from duretrieval.training.data.splits import Splits, split
from duretrieval.training.recipe.recipe import Data
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.types import Modality, Part


def text(identity: str, words: str, **facts: str) -> Sample:
    return Sample(identity, {"text": Part(Modality.TEXT, words)}, **facts)  # type: ignore[arg-type]


def places(splits: Splits) -> dict[str, str]:
    return {sample.id: name for name in ("train", "val", "test") for sample in splits[name]}


def test_by_eye() -> None:
    """Three rows are one thing: the same words, then the same group."""
    rows = [text("1", "A red bus."), text("2", "a red  BUS", group="anna"), text("3", "rain", group="anna")]
    halves = {"train": 0.5, "test": 0.5}
    found = [places(split(rows, halves, seed=seed)) for seed in range(20)]
    assert all(len(set(place.values())) == 1 for place in found)
    assert {place["1"] for place in found} == {"train", "test"}
    assert split(rows, halves).components == 1


def test_texts_of_a_column_that_no_row_has() -> None:
    said = r"texts names a column 'texts', and no row has it\. Did you mean 'text'\? There are: text"
    with pytest.raises(ConfigError, match=said):
        identify([text("a", "x")], texts=["texts"])


def test_a_split_that_there_is_not_loses_no_row() -> None:
    with pytest.raises(ConfigError, match=r"row 'b' is in the split 'valid'; the splits are train, val, test, or None"):
        split([text("a", "x", split="train"), text("b", "y", split="valid")])


rows_of = st.lists(
    st.builds(
        text,
        st.uuids().map(str),
        st.sampled_from([f"words {n}" for n in range(40)]),
        key=st.sampled_from(["", "", "", "k1", "k2"]),
        group=st.sampled_from(["", "", "", "g1", "g2", "g3"]),
    ),
    max_size=30,
    unique_by=lambda sample: sample.id,
)


@settings(max_examples=60, deadline=None)
@given(rows=rows_of, seed=st.integers(0, 5))
def test_nothing_straddles_whatever_the_order(rows: list[Sample], seed: int) -> None:
    shares = {"train": 0.5, "val": 0.3, "test": 0.2}
    splits = split(rows, shares, seed)
    assert leaks({name: splits[name] for name in shares}) == []
    assert sorted(s.id for name in shares for s in splits[name]) == sorted(s.id for s in rows)
    assert places(split(rows[::-1], shares, seed)) == places(splits)
    assert all(sample.split == name for name in shares for sample in splits[name])


@settings(max_examples=60, deadline=None)
@given(rows=rows_of, more=rows_of)
def test_adding_rows_moves_no_other(rows: list[Sample], more: list[Sample]) -> None:
    """A row moves only where a new one is tied to it."""
    shares = {"train": 0.4, "val": 0.3, "test": 0.3}
    before = places(split(rows, shares))
    joined = [*more, *rows]
    after = places(split(joined, shares))
    new = {sample.id for sample in more}
    for members in components(identify(joined)):
        ids = {joined[i].id for i in members}
        if not ids & new:
            assert all(after[i] == before[i] for i in ids)


def test_shares_are_about_kept_and_the_seed_matters() -> None:
    rows = [text(str(n), f"words {n}") for n in range(4000)]
    first, second = split(rows, seed=0), split(rows, seed=1)
    here, there = places(first), places(second)
    assert [len(first[name]) for name in ("train", "val", "test")] == pytest.approx([3200, 400, 400], abs=90)
    moved = sum(here[s.id] != there[s.id] for s in rows)
    assert moved / len(rows) == pytest.approx(1 - (0.8**2 + 0.1**2 + 0.1**2), abs=0.03)


def test_known_on_every_machine() -> None:
    """Change these and every split that anyone has made changes."""
    rows = [text(str(n), f"words {n}") for n in range(12)]
    assert "".join(places(split(rows, {"train": 0.4, "val": 0.3, "test": 0.3}))[str(n)][1] for n in range(12)) == KNOWN


KNOWN = "aereareraaea"


def picture(path: Path, seed: int, size: int = 96) -> Path:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    coarse.resize((size, size), Image.Resampling.BICUBIC).save(path)
    return path


def shown(identity: str, path: Path, **facts: str) -> Sample:
    return Sample(identity, {"image": Part(Modality.IMAGE, path)}, **facts)  # type: ignore[arg-type]


def test_copies_rescaled_and_recompressed_pictures_are_one_thing(tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png", 1)
    (tmp_path / "copy.png").write_bytes(one.read_bytes())
    with Image.open(one) as image:
        image.resize((70, 70)).save(tmp_path / "small.png")
        image.save(tmp_path / "squeezed.jpg", quality=60)
    other = picture(tmp_path / "other.png", 2)
    names = ["one.png", "copy.png", "small.png", "squeezed.jpg", "other.png"]
    rows = [shown(name, tmp_path / name) for name in names]
    identities = identify(rows, workers=1)
    assert components(identities) == [[0, 1, 2, 3], [4]]
    assert components(identities, radius=-1) == [[0, 1], [2], [3], [4]]
    splits = split(rows, identities=identities)
    assert splits.components == 2
    apart = {"train": rows[:2], "test": [rows[3], rows[4]]}
    found = leaks(apart, identities={"train": identities[:2], "test": identities[3:]})
    assert [leak.samples for leak in found] == [{"train": ("one.png", "copy.png"), "test": ("squeezed.jpg",)}]
    assert found[0].tie.startswith("look:")
    assert str(other)  # drawn, and never near


def test_a_picture_that_cannot_be_read_is_known_by_its_bytes_or_its_path(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    rows = [shown("a", broken), shown("b", tmp_path / "missing.png"), shown("c", tmp_path / "missing.png")]
    assert components(identify(rows, workers=1)) == [[0], [1, 2]]


def test_a_class_is_not_one_thing() -> None:
    """Rows of a class share its name as text, label and key, and may still be in different splits."""
    rows = [
        Sample(str(n), {"text": Part(Modality.TEXT, "a red bus"), "more": Part(Modality.TEXT, f"view {n}")})
        for n in range(3)
    ]
    assert components(identify(rows)) == [[0, 1, 2]]
    labelled = [replace(row, label="a_red_bus", key="a_red_bus") for row in rows]
    assert components(identify(labelled)) == [[0], [1], [2]]
    assert components(identify(rows, texts=["more"])) == [[0], [1], [2]]


def test_given_splits_are_kept_and_contradictions_told() -> None:
    rows = [
        text("1", "same", split="train"),
        text("2", "same", split="test"),
        text("3", "same"),
        text("4", "alone", split="val"),
        text("5", "tied", split="val"),
        text("6", "tied"),
    ]
    splits = split(rows, {"train": 1.0})
    assert places(splits) == {"1": "train", "2": "test", "3": "test", "4": "val", "5": "val", "6": "val"}
    (contradiction,) = splits.contradictions
    assert contradiction.splits == {"train": ("1",), "test": ("2",)}
    assert str(contradiction) == "one thing (text:same) is in several splits: train: 1; test: 2"


def test_one_component_of_nearly_everything_is_noted() -> None:
    rows = [text(str(n), "A man is sleeping.") for n in range(20)]
    (note, *_) = split(rows).notes
    assert note.startswith("20 of 20 samples hang together, by text:a man is sleeping. Where that does not make them")
    assert "(texts = [...]), or a smaller radius for pictures that look alike (radius = 8 now); in a recipe" in note
    (note, *_) = split(rows, radius=-1).notes
    assert "radius" not in note


def test_the_radius_of_a_recipe_breaks_a_chain(tmp_path: Path) -> None:
    """Reds a level apart, which is 4 bits: each looks like the next, and the first nothing like the last."""
    names = [f"{red}.png" for red in range(20, 250, 32)]
    for red, name in zip(range(20, 250, 32), names, strict=True):
        Image.new("RGB", (40, 40), (red, 0, 0)).save(tmp_path / name)
    rows = [f'{{"text": "text {name}", "image": "{name}"}}' for name in names]
    (tmp_path / "chain.jsonl").write_text("\n".join(rows))
    whole = audit(tmp_path / "chain.jsonl")
    assert whole.things == 1
    assert any(note.startswith("8 of 8 samples hang together, by how their pictures look") for note in whole.notes)
    assert audit(tmp_path / "chain.jsonl", Data(radius=3)).things == 8
    recipe = to_recipe({"data": {"radius": 3, "val": 0.4, "test": 0}, "seed": 1})
    samples = read_manifest(tmp_path / "chain.jsonl").samples
    assert prepare(recipe, samples, cache=tmp_path / "rows").samples.components == 8


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"train": 0.9, "holdout": 0.1}, "there is no split 'holdout'; the shares are of train, val, test"),
        ({"train": 0.9, "test": 0.2}, r"the shares \(train 0.9, test 0.2\) must be 0 or more and sum to 1"),
        ({"train": 1.5, "test": -0.5}, "must be 0 or more and sum to 1"),
    ],
)
def test_shares_must_be_shares(shares: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        split([], shares)


def test_identities_of_other_samples() -> None:
    with pytest.raises(ConfigError, match="1 identities for 0 samples; give those that `identify` gave them"):
        split([], identities=[Identity(("a",))])


def test_same_text() -> None:
    assert same_text("Ａ  red-Bus!\n") == "a red bus"
    assert same_text("一辆红色的公共汽车。") == "一辆红色的公共汽车"
    assert same_text("???") == "???"  # nothing but punctuation is still itself


def test_a_code_by_hand() -> None:
    """Black on the left, white on the right: in each of 8 rows one cell is darker than the next."""
    pixels = np.zeros((72, 72, 3), np.uint8)
    pixels[:, 36:] = 255
    bits = np.unpackbits(code(pixels))[:BITS]
    assert bits[:64].sum() == 16  # the middle column is half lit: darker, then brighter twice
    assert bits[64:128].sum() == 0
    assert bits[128:].sum() == 2 * 3 * 7
    grey = pixels // 2
    assert distance(code(pixels), code(grey)) == 2 * 3 * 4  # 127 reaches three of seven levels


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), radius=st.integers(0, 12), n=st.integers(1, 60))
def test_near_groups_by_their_definition(seed: int, radius: int, n: int) -> None:
    codes = crowd(np.random.default_rng(seed), n)
    assert same_partition(near_groups(codes, radius), slow_groups(codes, radius))


def test_near_groups_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """With bands within bands, which small sets never need."""
    monkeypatch.setattr("duretrieval.duplicates.near.FEW", 4)
    rng = np.random.default_rng(0)
    for radius in (0, 3, 8):
        codes = crowd(rng, 300)
        assert same_partition(near_groups(codes, radius), slow_groups(codes, radius))


def crowd(rng: np.random.Generator, n: int) -> np.ndarray:
    """Codes with copies and near copies, most bits the same in all."""
    bits = rng.random((n, 212)) < np.where(np.arange(212) < 150, 0.02, 0.3)
    copied = rng.random(n) < 0.4
    bits[copied] = bits[rng.integers(0, n, copied.sum())]
    for row in np.flatnonzero(copied):
        bits[row, rng.integers(0, 212, rng.integers(0, 8))] ^= True
    return np.packbits(bits, axis=1)


def slow_groups(codes: np.ndarray, radius: int) -> np.ndarray:
    labels = np.arange(len(codes))
    for i in range(len(codes)):
        for j in range(i):
            if distance(codes[i], codes[j]) <= radius:
                labels[labels == labels[i]] = labels[j]
    return labels


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.all((a[:, None] == a) == (b[:, None] == b)))
