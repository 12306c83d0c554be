"""The table of what a model may hold, and what reads it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duretrieval import plugins
from duretrieval.align.centre import Centre
from duretrieval.encode.bag_of_words import BagOfWords
from duretrieval.errors import ModelError
from duretrieval.model.model import Model
from duretrieval.model.slots import SLOTS, Once
from duretrieval.types import Array, Modality, Part

ENCODER = BagOfWords.fit(["a dog barks", "a cat sleeps"])
WORDS = [Part(Modality.TEXT, "a dog")]


def centre(number: int) -> Centre:
    return Centre(np.linspace(0, 0.1 * number, ENCODER.dim, dtype=np.float32))


def background() -> dict[Modality, Array]:
    return {Modality.TEXT: ENCODER.encode(WORDS)}


def test_the_table_is_what_the_constructor_takes() -> None:
    taken = inspect.signature(Model.__init__).parameters
    assert {slot.key for slot in SLOTS} <= set(taken)
    assert {slot.kind for slot in SLOTS} - {""} <= set(plugins.BUILT_IN)
    for slot in SLOTS:
        assert slot.each or isinstance(inspect.getattr_static(Model, slot.key), property)


@pytest.mark.parametrize("wrap", [lambda part: part, lambda part: lambda: part], ids=["parts", "functions"])
def test_everything_a_model_holds_is_saved_and_comes_back(wrap: Callable[[Any], Any], tmp_path: Path) -> None:
    model = Model(
        "full",
        {Modality.TEXT: wrap(ENCODER)},
        dim=ENCODER.dim,
        fingerprint="new",
        aligners={Modality.TEXT: wrap(centre(1))},
        codes=wrap(centre(2)),
        background=wrap(background()),
    )
    made = model.save(tmp_path / "m")
    loaded = Model.load(tmp_path / "m")
    np.testing.assert_allclose(loaded.encode(WORDS), model.encode(WORDS))
    np.testing.assert_allclose(loaded.background[Modality.TEXT], background()[Modality.TEXT], atol=1e-3)
    assert isinstance(loaded.codes, Centre)
    np.testing.assert_allclose(loaded.codes.mean, centre(2).mean)
    assert (loaded.scorer, loaded.fusion) == (None, None)
    assert loaded.save(tmp_path / "again") == made


def test_what_modalities_share_is_made_once_and_written_once(tmp_path: Path) -> None:
    made: list[BagOfWords] = []

    def make() -> BagOfWords:
        made.append(ENCODER)
        return ENCODER

    model = Model("shared", {Modality.TEXT: make, Modality.AUDIO: make}, dim=ENCODER.dim, fingerprint="new")
    assert made == []
    assert model.parts_for(Modality.TEXT)[0] is model.parts_for(Modality.AUDIO)[0]
    assert len(made) == 1
    model.save(tmp_path / "m")
    assert sorted(path.suffix for path in (tmp_path / "m").iterdir()) == [".json", ".safetensors", ".toml"]


def test_a_part_that_cannot_be_made_is_tried_again() -> None:
    tries: list[int] = []

    def make() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise ModelError("not yet")
        return 7

    once = Once(make)
    with pytest.raises(ModelError, match="not yet"):
        once()
    assert (once(), once(), len(tries)) == (7, 7, 2)
