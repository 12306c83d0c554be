"""What attention to words and regions is worth: recipe E and B's attention, each with tokens and attention, with the
mean in the place of attention, and with one pooled vector a part.

    python -m benchmarks.attention [SEEDS]

`drawings`: 1,500 of Open Clip Art and emoji; a title looks for the drawing with its keywords.  `regions`: made pictures
of four things, and a question about one of them (`benchmarks/regions.py`).  Frozen built-in encoders, linear heads, the
same rows, steps and seeds for all; figures of the test rows, means over seeds.  p: the paired sign-flip test of
average precision against attention, every query with its mean over the seeds.  Writes results/attention.json and .md.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.clipart import DATA, manifest
from benchmarks.measure import write
from benchmarks.regions import regions
from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.metrics.ranking import per_query
from duretrieval.evaluation.statistics.permutation import permutation_test
from duretrieval.training.data.manifest import read_manifest
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit.loop import hush
from duretrieval.training.fit.validation import views_of
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.training.runs import run as runs
from duretrieval.training.runs.trained import take_steps

SEEDS = 3
DRAWINGS, PICTURES = 1500, 800
NAMES = ("hit@1", "hit@10", "ap")
TOKENS = {
    "drawings": {"text": {"use": "builtin", "tokens": 16}, "image": {"use": "builtin", "tokens": 16}},
    "regions": {"text": {"use": "builtin", "tokens": 8}, "image": {"use": "builtin", "tokens": 49}},
}
POOLED = {"text": {"use": "builtin-text-words"}, "image": {"use": "builtin-image-features"}}
E = {"use": "cross-attention", "query": "text", "heads": 4}
B = {"use": "attention", "score": "bilinear", "own": False}
ATTENTION = "tokens, attention"
SYSTEMS = {"E: text asks its picture": E, "B: region x word, bilinear": B}
SETTINGS: dict[str, dict[str, Any]] = {
    "regions": {
        "views": [["query"], ["text", "image"]],
        "data": {"near_duplicates": False, "positives": ["key"]},
        "fit": {"epochs": 25, "batch": 64, "lr": 3e-3, "patience": 0},
        "dim": 64,
    },
    "drawings": {
        "views": [["text"], ["keywords", "image"]],
        "data": {"near_duplicates": False, "texts": ["text"]},
        "fit": {"epochs": 10, "batch": 128, "lr": 2e-3, "patience": 0},
        "dim": 128,
    },
}


def choices(data: str, fusion: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is compared: the same fusion three times."""
    return {
        ATTENTION: {"encoders": TOKENS[data], "fusion": fusion},
        "tokens, their mean": {"encoders": TOKENS[data], "fusion": {**fusion, "score": "uniform"}},
        "one pooled vector": {"encoders": POOLED, "fusion": fusion},
    }


def main(seeds: int = SEEDS) -> None:
    torch.set_num_threads(1)
    hush()
    figures: dict[str, Any] = {}
    for system, fusion in SYSTEMS.items():
        for data in SETTINGS:
            samples = read(data)
            runs_of = {
                name: [one(data, samples, changes, seed) for seed in range(seeds)]
                for name, changes in choices(data, fusion).items()
            }
            figures.setdefault(data, {})[system] = summary(runs_of)
            write("attention", __doc__ or "", figures, table(figures))  # after each


def read(data: str) -> Sequence[Sample]:
    """The rows: of the drawings with keywords some, by the hash of their title, so that a title has all of its own."""
    if data == "regions":
        return read_manifest(regions(DATA / "regions", PICTURES), {"query": "text"}).samples
    found = [
        s for s in read_manifest(manifest(), {"keywords": "text", "chinese": "ignore"}).samples if len(s.columns) == 3
    ]
    found.sort(key=lambda s: hashlib.sha256(str(s.key).encode()).digest())
    return found[:DRAWINGS]


def one(data: str, samples: Sequence[Sample], changes: dict[str, Any], seed: int) -> dict[str, Any]:
    """Of both directions, name -> a value for each question of the test rows."""
    recipe = to_recipe({"name": data, "heads": {"use": "linear"}, **SETTINGS[data], **changes})
    with tempfile.TemporaryDirectory() as place:
        run = runs.assemble(recipe, (samples, []), Path(place), cache=DATA / "features")
        rows = run.prepared.rows
        run = replace(run, recipe=replace(recipe, seed=seed))  # the split is that of seed 0 for all
        run = restarted(run)
        take_steps(run)
        runs.load(run, Path(place) / runs.BEST)
    asked, searched = views_of(run.network, rows["test"]).values()
    keys = rows["test"].keys.numpy()
    gallery = np.flatnonzero(searched.present.numpy())
    asking = once(run.prepared.samples["test"], recipe.views[0][0])
    scores = asked.rows.numpy()[asking] @ searched.rows.numpy()[gallery].T
    right = relevant([np.flatnonzero(keys[gallery] == key).tolist() for key in keys[asking]])
    back = relevant([np.flatnonzero(keys[asking] == key).tolist() for key in keys[gallery]])
    wanted = {m.name: m.of for m in measures(NAMES)}
    print(data, changes["fusion"], seed, flush=True)
    there, from_items = per_query(wanted, scores, right), per_query(wanted, scores.T, back)
    return {"there": there, "back": from_items}


def restarted(run: runs.Run) -> runs.Run:
    """With parameters that follow from its own seed."""
    from duretrieval.training.build.network_of import make_network, make_objective

    network = make_network(
        replace(run.prepared.recipe, seed=run.recipe.seed), run.prepared.encoders, run.prepared.columns
    )
    objective = make_objective(run.recipe, network, len(run.prepared.classes))
    return replace(run, network=network, objective=objective)


def once(samples: Sequence[Sample], column: str) -> list[int]:
    """Of questions that are the same only the first: a colour asks once."""
    places: dict[str, int] = {}
    for place, sample in enumerate(samples):
        places.setdefault(str(sample.columns[column].content), place)
    return list(places.values())


def summary(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Means over seeds; p against attention, a query's value being its mean over the seeds."""
    out: dict[str, Any] = {}
    best = {side: mean_of(found[ATTENTION], side) for side in ("there", "back")}
    for name, seen in found.items():
        out[name] = {}
        for side in ("there", "back"):
            out[name][side] = {m: round(float(np.mean([run[side][m].mean() for run in seen])), 4) for m in NAMES}
            out[name][side]["ap over seeds"] = [round(float(run[side]["ap"].mean()), 4) for run in seen]
            if name != ATTENTION:
                out[name][side]["p"] = permutation_test(best[side], mean_of(seen, side))
    return out


def mean_of(seen: Sequence[dict[str, Any]], side: str) -> np.ndarray:
    values: np.ndarray = np.mean([run[side]["ap"] for run in seen], axis=0)
    return values


def table(figures: dict[str, Any]) -> str:
    lines = []
    for data, systems in figures.items():
        lines += [
            f"## {data}",
            "",
            "| | direction | R@1 | R@10 | mAP | between seeds | p |",
            "|---|---|---|---|---|---|---|",
        ]
        for system, chosen in systems.items():
            for name, f in chosen.items():
                for side, said in (("there", "question→item"), ("back", "item→question")):
                    v = f[side]
                    spread = f"{min(v['ap over seeds']):.3f} to {max(v['ap over seeds']):.3f}"
                    p = f"{v['p']:.4f}" if "p" in v else ""
                    hits = f"{100 * v['hit@1']:.1f} | {100 * v['hit@10']:.1f}"
                    lines.append(f"| {system}; {name} | {said} | {hits} | {v['ap']:.3f} | {spread} | {p} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
