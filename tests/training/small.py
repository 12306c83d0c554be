"""A small real data set and recipes for it: six kinds of coloured shapes with their descriptions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.training.coloured import COLOURS, SHAPES, picture

from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.types import Modality, Part

PLACES = ("shelf", "table", "wall", "floor", "door", "window", "roof", "lawn", "road", "bench", "step", "desk")


def samples(folder: Path, each: int = 12) -> list[Sample]:
    """(text, image) with a label; every sixth row lacks its picture, and the splits are given."""
    found = []
    for number in range(each):
        for colour in COLOURS:
            for shape in SHAPES:
                name = f"{colour}-{shape}-{number}"
                columns = {"text": Part(Modality.TEXT, f"a {colour} {shape} on the {PLACES[number]}")}
                if len(found) % 6 != number % 6 or number >= each - 4:
                    columns["image"] = Part(Modality.IMAGE, picture(folder, colour, shape, number))
                split = "train" if number < each - 4 else "val" if number < each - 2 else "test"
                found.append(Sample(name, columns, colour, split=split))
    return found


def recipe(**tables: Any) -> Recipe:
    """Heads of hidden 16 into 32 dimensions; tables: put in the place of its own, but `fit` is added to."""
    fit = {"epochs": 3, "batch": 16, "lr": 3e-3, "accelerator": "cpu", **tables.pop("fit", {})}
    heads = {"use": "mlp", "hidden": 16, "dropout": 0.2}
    data = {"near_duplicates": False}
    table: dict[str, Any] = {"name": "small", "dim": 32, "views": [["text"], ["image"]], "heads": heads, "data": data}
    return to_recipe({**table, **tables, "fit": fit})
