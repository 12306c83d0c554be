"""What relations are worth where an item lacks words: the stamps of Tux Paint, half of them described.

    python -m benchmarks.relations [SEEDS]

Every other stamp (drawn anew for each seed) keeps its description as an item's text; the others are pictures alone, and
what is asked for is their description. Related are the stamps of one folder ("animals/birds"). A fifth of the pictures
is for testing and a fifth for checks; relations between splits are seen from there alone. All contestants have the same
rows, fusion (`graph-attention` on the frozen built-in encoders) and steps. Means over seeds and the range between them;
writes results/relations.json and .md.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch

from benchmarks.measure import write
from benchmarks.tuxpaint import MIRRORED, STAMPS, descriptions
from duretrieval.training.fit.loop import hush
from duretrieval.training.fit.validation import asked, check
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.training.runs import run as runs
from duretrieval.training.runs.trained import take_steps

SEEDS = 3
MEASURES = ("hit@1", "hit@10", "rr")
DIRECTION = "query→text+image"
RECIPE: dict[str, Any] = {
    "name": "stamps",
    "dim": 384,
    "views": [["query"], ["text", "image"]],
    "heads": "identity",
    "fusion": {"use": "graph-attention", "drop": 0.2},
    "loss": {"use": "infonce"},
    "fit": {"epochs": 15, "batch": 64, "lr": 3e-4, "patience": 0},
}


def main(seeds: int = SEEDS) -> None:
    torch.set_num_threads(2)
    hush()
    found: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as place:
        for seed in range(seeds):
            for name, figures in contest(Path(place) / str(seed), seed).items():
                found.setdefault(name, []).append(figures)
    write("relations", "What relations are worth where an item lacks words", {"runs": found}, table(found))


def contest(folder: Path, seed: int) -> dict[str, dict[str, float]]:
    """One draw of who is described, and what each contestant finds of the others."""
    folder.mkdir()
    rows = stamps(seed)
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    places: dict[str, list[str]] = {}
    for row in rows:
        places.setdefault(row["id"].rpartition("/")[0], []).append(row["id"])
    same = [pair for ids in places.values() for pair in combinations(ids, 2)]
    ids = [row["id"] for row in rows]
    mixed = dict(zip(ids, np.random.default_rng(seed).permutation(ids).tolist(), strict=True))
    relate(folder / "folder.csv", same)
    relate(folder / "anything.csv", [(mixed[a], mixed[b]) for a, b in same])
    return {
        "pictures alone": figures(recipe(seed), data, folder / "alone"),
        "beside others of any folder": figures(recipe(seed, "anything.csv"), data, folder / "anything"),
        "beside others of their folder, untrained": figures(
            recipe(seed, "folder.csv"), data, folder / "begun", learns=False
        ),
        "beside others of their folder": figures(recipe(seed, "folder.csv"), data, folder / "related"),
    }


def stamps(seed: int) -> list[dict[str, Any]]:
    """Half of them described; of the others the description is asked for. Those of one description are one thing."""
    known: dict[str, str] = {}
    for path in sorted(STAMPS.rglob("*")):
        name = str(path.relative_to(STAMPS).with_suffix(""))
        if path.suffix in (".png", ".svg") and not name.startswith("symbols/") and not name.endswith(MIRRORED):
            known.setdefault(name, str(path))
    told = {name: text for name in known if (text := descriptions(STAMPS / name).get(""))}
    texts = sorted(set(told.values()))
    order = dict(zip(texts, np.random.default_rng(seed).permutation(len(texts)).tolist(), strict=True))
    rows = []
    for name, text in told.items():
        number = order[text]
        split = ("train", "train", "train", "val", "test")[number // 2 % 5]
        words = {"text": text} if number % 2 else {"query": text}
        rows.append({"id": name, "image": known[name], "split": split, **words})
    return rows


def relate(path: Path, pairs: Sequence[tuple[str, str]]) -> None:
    path.write_text("item,other,kind\n" + "".join(f"{a},{b},folder\n" for a, b in pairs), encoding="utf-8")


def recipe(seed: int, relations: str | None = None) -> Recipe:
    data = {"near_duplicates": False, **({} if relations is None else {"relations": relations})}
    return to_recipe({**RECIPE, "seed": seed, "data": data})


def figures(wanted: Recipe, data: Path, folder: Path, *, learns: bool = True) -> dict[str, float]:
    """Of the test's queries among the test's undescribed pictures and described ones alike."""
    run = runs.assemble(wanted, runs.read(wanted, data), folder)
    if learns:
        take_steps(run)
        runs.load(run, folder / runs.BEST)
    found = check(run.network.cpu(), run.objective.cpu(), run.prepared.rows["test"], "rr")
    queries = asked(run.prepared.rows["test"], run.network.views)[DIRECTION]
    return {**{name: found[f"{DIRECTION}/{name}"] for name in MEASURES}, "queries": queries}


def table(found: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    lines = [f"| items | {' | '.join(MEASURES)} |", f"|---|{'---|' * len(MEASURES)}"]
    for name, several in found.items():
        cells = []
        for measure in MEASURES:
            held = [one[measure] for one in several]
            cells.append(f"{mean(held):.3f} ({min(held):.3f} to {max(held):.3f})")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    several = next(iter(found.values()))
    asked = mean(one["queries"] for one in several)
    return "\n".join([*lines, "", f"{len(several)} seeds, about {asked:.0f} questions each."])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
