"""A model folder whose fusion is a real graph: words and colours in one space, pictures and texts as wholes."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.training.nets.fusion.weighted_sum import WeightedSum
from duretrieval.types import Array, Hit, Modality, Part
from duretrieval.whole import sha256

DIM = 32
COLOURS = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 220)}
FIGURES = ("cube", "apple", "bus")
ITEMS = [(colour, figure) for colour in COLOURS for figure in FIGURES]


@cache
def word(name: str) -> Array:
    """A direction for each word, always the same."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return unit(rng.normal(size=(1, DIM)).astype(np.float32))[0]


class Words:
    """A text as the sum of its words."""

    dim = DIM
    modalities = frozenset({Modality.TEXT})

    def encode(self, batch: Sequence[Part], /) -> Array:
        rows = [sum((word(w) for w in str(part.content).lower().split()), np.zeros(DIM, np.float32)) for part in batch]
        return unit(np.array(rows, np.float32).reshape(-1, DIM))

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        return {}

    @classmethod
    def load(cls, folder: Path) -> Words:
        return cls()


class Colours:
    """A picture or film as the word for the colour that it is nearest to."""

    dim = DIM
    modalities = frozenset({Modality.IMAGE})

    def encode(self, batch: Sequence[Part], /) -> Array:
        rows = [np.zeros(DIM, np.float32) for _ in batch]
        for i, part in enumerate(batch):
            assert isinstance(part.content, np.ndarray)
            middle = part.content.reshape(-1, 3).mean(axis=0)
            rows[i] = word(min(COLOURS, key=lambda name: float(np.abs(np.subtract(COLOURS[name], middle)).sum())))
        return np.array(rows, np.float32).reshape(-1, DIM)

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        return {}

    @classmethod
    def load(cls, folder: Path) -> Colours:
        return cls()


def write_model(folder: Path, *, fusion: dict[str, Any] | None, modalities: Sequence[str] = ("text", "image")) -> Path:
    """A model.toml with both encoders, and the fusion in the folder; `repr` of its options happens to be TOML."""
    uses = {"text": "Words", "image": "Colours"}
    card = f'format = 1\nname = "words and colours"\ndim = {DIM}\n[reading]\nimage_side = 16\n'
    for modality in modalities:
        card += f'[[encoders]]\nuse = "tests.collection.wholes.fused:{uses[modality]}"\nmodalities = ["{modality}"]\n'
    if fusion:
        inline = ", ".join(f"{key} = {value!r}" for key, value in fusion["options"].items())
        card += f'[fusion]\nuse = "{fusion["use"]}"\noptions = {{ {inline} }}\n'
    card += "[files]\n"
    for path in sorted(folder.glob("*.onnx")):
        card += f'"{path.name}" = {{ bytes = {path.stat().st_size}, sha256 = "{sha256(path)}" }}\n'
    (folder / "model.toml").write_text(card)
    return folder


def make_model(folder: Path, *, weights: dict[str, float] | None = None) -> Model:
    """Both encoders and a weighted sum of both; twice as much text as picture."""
    folder.mkdir()
    given = weights or {"text": 2.0, "image": 1.0}
    return Model.load(
        write_model(folder, fusion=WeightedSum(list(given), DIM, weights=given).export(folder, "fusion")), trust=True
    )


def make_plain_model(folder: Path) -> Model:
    """The same without a fusion."""
    folder.mkdir()
    return Model.load(write_model(folder, fusion=None), trust=True)


def write_manifest(folder: Path) -> Path:
    """A picture of one colour and a word each, as rows of a table."""
    folder.mkdir()
    for name, colour in COLOURS.items():
        Image.new("RGB", (20, 20), colour).save(folder / f"{name}.png")
    rows = []
    for colour, figure in ITEMS:
        shutil.copyfile(folder / f"{colour}.png", folder / f"{colour}-{figure}.png")
        rows.append({"id": f"{colour}-{figure}", "image": f"{colour}-{figure}.png", "caption": figure, "shelf": 1})
    path = folder / "things.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def picture(colour: str) -> np.ndarray:
    """Pixels of one colour."""
    return np.full((16, 16, 3), COLOURS[colour], np.uint8)


def whole(words: Array, colour: Array) -> Array:
    """What the model makes of both: twice as much text as picture."""
    return unit((2 * words + colour)[None])[0]


def ids(hits: list[Hit]) -> list[str]:
    """Of the items, best first."""
    return [hit.item.id for hit in hits]
