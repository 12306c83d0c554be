"""A recipe fine-tunes a joint model: adapters in one tower, the last layer of the other; the engine runs the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from tests.training.joint.tiny_joint import SIDE, TEXTS

from duretrieval.model.model import Model
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Part

COLOURS = {"red": (220, 20, 20), "green": (20, 200, 30), "blue": (20, 30, 220), "grey": (120, 120, 120)}


def samples(folder: Path) -> list[Sample]:
    """Squares of a colour and its name."""
    rng = np.random.default_rng(0)
    made = []
    for i in range(40):
        name, colour = list(COLOURS.items())[i % 4]
        noisy = np.clip(np.array(colour) + rng.integers(-20, 20, (SIDE, SIDE, 3)), 0, 255)
        file = folder / f"{i}.png"
        Image.fromarray(noisy.astype(np.uint8)).save(file)
        columns = {"text": Part(Modality.TEXT, f"a {name} thing {i}"), "image": Part(Modality.IMAGE, file)}
        made.append(Sample(str(i), columns, key=name, split="train" if i < 24 else "val" if i < 32 else "test"))
    return made


def test_towers_of_clip_learn_in_a_recipe(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    encoder = {"use": "clip", "model": str(tiny("clip"))}
    recipe = to_recipe(
        {
            "name": "colours",
            "dim": 16,
            "views": [["text"], ["image"]],
            "encoders": {"text": {**encoder, "lora": 2}, "image": {**encoder, "train": ["last 1"], "lr": 1e-3}},
            "heads": {"use": "identity"},
            "loss": {"use": "infonce"},
            "fit": {"epochs": 2, "batch": 8, "accelerator": "cpu"},
            "data": {"near_duplicates": False},
        }
    )
    outcome = train(recipe, samples(tmp_path), tmp_path / "run")  # it compares torch with the engine at its end
    tuned, before = Model.load(outcome.model), Model.load(f"clip:{tiny('clip')}")
    assert tuned.modalities == before.modalities
    assert tuned.reading == before.reading
    for parts in (
        [Part(Modality.TEXT, text) for text in TEXTS],
        [Part(Modality.IMAGE, np.zeros((SIDE, SIDE, 3), np.uint8))],
    ):
        cosines = (tuned.encode(parts) * before.encode(parts)).sum(axis=1)
        assert 0.5 < cosines.min() < 0.99999, "it has learned something, and forgotten little"
