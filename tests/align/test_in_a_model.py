"""A model folder with each fitted aligner, trained on a few coloured cards and their descriptions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duretrieval.align.cca import Cca
from duretrieval.align.procrustes import Procrustes
from duretrieval.align.ridge import Ridge
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part
from duretrieval.whole import sha256

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (40, 40, 230), "black": (10, 10, 10)}


class HalvesEncoder:
    """A picture as the mean colours of its upper and its lower half, and 1: (n, 7)."""

    dim = 7
    modalities = frozenset({Modality.IMAGE})

    def encode(self, batch: Sequence[Part], /) -> Array:
        rows = [np.ones(self.dim, np.float32) for _ in batch]
        for row, part in zip(rows, batch, strict=True):
            assert isinstance(part.content, np.ndarray)
            row[:6] = np.concatenate([half.mean(axis=(0, 1)) / 255 for half in np.array_split(part.content, 2)])
        return unit(np.array(rows, np.float32).reshape(-1, self.dim))

    @classmethod
    def load(cls, folder: Path) -> HalvesEncoder:
        return cls()


class WordsEncoder:
    """Which colour stands before the word "above" and which behind it, and 1: (n, 9)."""

    dim = 9
    modalities = frozenset({Modality.TEXT})

    def encode(self, batch: Sequence[Part], /) -> Array:
        rows = np.zeros((len(batch), self.dim), np.float32)
        rows[:, -1] = 1
        for row, part in zip(rows, batch, strict=True):
            for i, half in enumerate(str(part.content).split(" above ")):
                row[4 * i + list(COLOURS).index(half)] = 1
        return unit(rows)

    @classmethod
    def load(cls, folder: Path) -> WordsEncoder:
        return cls()


CARDS = list(product(COLOURS, repeat=2))
IMAGES = [
    Part(Modality.IMAGE, np.array([[COLOURS[top]] * 4] * 2 + [[COLOURS[bottom]] * 4] * 2, np.uint8))
    for top, bottom in CARDS
]
TEXTS = [Part(Modality.TEXT, f"{top} above {bottom}") for top, bottom in CARDS]


def write_model(folder: Path, aligner: Any, use: str, modalities: list[str]) -> None:
    """A model.toml with both encoders and the aligner; `repr` of its options happens to be TOML."""
    options = aligner.save(folder, use)
    inline = ", ".join(f"{key} = {value!r}" for key, value in options.items())
    size = (folder / options["file"]).stat().st_size
    (folder / "model.toml").write_text(
        f"""
        format = 1
        name = "cards"
        dim = {aligner.dim}
        [[encoders]]
        use = "{__name__}:HalvesEncoder"
        modalities = ["image"]
        [[encoders]]
        use = "{__name__}:WordsEncoder"
        modalities = ["text"]
        [[aligners]]
        use = "{use}"
        modalities = {modalities!r}
        options = {{ {inline} }}
        [files."{options["file"]}"]
        bytes = {size}
        sha256 = "{sha256(folder / options["file"])}"
        """
    )


def fitted(use: str) -> tuple[Any, list[str]]:
    x, y = HalvesEncoder().encode(IMAGES), WordsEncoder().encode(TEXTS)
    if use == "cca":
        both = {"x_modalities": [Modality.IMAGE], "y_modalities": [Modality.TEXT]}
        return Cca.fit(x, y, dim=6, penalty=0.01, **both), ["image", "text"]  # type: ignore[arg-type]
    return (Ridge.fit(x, y) if use == "ridge" else Procrustes.fit(x, y)), ["image"]


@pytest.mark.parametrize("use", ["ridge", "procrustes", "cca"])
def test_loads_and_encodes(use: str, tmp_path: Path) -> None:
    aligner, modalities = fitted(use)
    write_model(tmp_path, aligner, use, modalities)
    model = Model.load(tmp_path, trust=True)
    vectors = model.encode([*IMAGES, *TEXTS])
    assert vectors.shape == (32, aligner.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[:16], aligner(HalvesEncoder().encode(IMAGES), Modality.IMAGE))
    found = np.argmax(vectors[16:] @ vectors[:16].T, axis=1)
    assert np.mean(found == np.arange(16)) > 0.9
