"""Made data whose items say nothing of themselves: what they are about, the item beside them says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.recipe.toml import to_recipe

COLOURS = ("red", "blue", "green", "yellow", "black", "white", "brown", "pink")
THINGS = (
    *("bus", "cat", "guitar", "castle", "spoon", "apple", "bicycle", "elephant", "lamp", "rose", "violin", "tractor"),
    *(
        "owl",
        "ladder",
        "cake",
        "drum",
        "horse",
        "kettle",
        "boat",
        "tiger",
        "piano",
        "carrot",
        "helmet",
        "candle",
        "fox",
    ),
)
SOLD = 5
"""Others that each item was sold with: they say nothing."""


def topics() -> list[tuple[str, str]]:
    """(colour, thing), always in the same order."""
    every = [(colour, thing) for colour in COLOURS for thing in THINGS]
    return [every[i] for i in np.random.default_rng(0).permutation(len(every))]


def split_of(number: int) -> str:
    """60 % of the topics are trained on."""
    return ("train", "train", "train", "val", "test")[number % 5]


def write(folder: Path) -> Path:
    """rows.jsonl and relations.csv: of each topic one item that is described, and one that is asked for and is not."""
    rng = np.random.default_rng(1)
    found = topics()
    peers: dict[str, list[int]] = {}
    for number in range(len(found)):
        peers.setdefault(split_of(number), []).append(number)
    rows, relations = [], ["item,other,kind"]
    for number, (colour, thing) in enumerate(found):
        split = split_of(number)
        rows.append({"id": f"told-{number}", "text": f"a {colour} {thing}", "split": split})
        mute = {"id": f"mute-{number}", "query": f"{thing} in {colour}", "text": f"entry {int(rng.integers(10**6))}"}
        rows.append({**mute, "split": split})
        relations.append(f"mute-{number},told-{number},about")
        relations += [
            f"mute-{number},told-{int(other)},sold" for other in rng.choice(peers[split], SOLD, replace=False)
        ]
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "relations.csv").write_text("\n".join(relations) + "\n")
    return path


def recipe(relations: Any = "relations.csv", **tables: Any) -> Recipe:
    """A query against its item, by graph attention; relations: as `[data] relations`, None for none."""
    fit = {"epochs": 12, "batch": 64, "lr": 3e-3, "accelerator": "cpu", "patience": 0, **tables.pop("fit", {})}
    data = {
        "near_duplicates": False,
        **({} if relations is None else {"relations": relations}),
        **tables.pop("data", {}),
    }
    table: dict[str, Any] = {"name": "related", "dim": 384, "views": [["query"], ["text"]], "data": data}
    fusion = {"use": "graph-attention", "heads": 4, **tables.pop("fusion", {})}
    return to_recipe({**table, "heads": "identity", "fusion": fusion, **tables, "fit": fit})
