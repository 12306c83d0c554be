"""Is recipe C's pair scorer worth its time: names and pictures of emoji, with the built-in encoders, frozen.

    python -m benchmarks.scorer [SEEDS]

Two vendors' emoji (3,822 pictures, 1,911 names), a seventh of the names for validation and another for testing, another
split and other weights a seed.  Every line is tested on the same rows: the nearest 200 by cosine, ordered as the line
says.  Paired by query over all seeds, all pictures of a name changing sides together: the difference to the cosine
alone, and p.  Small against the recipe (64 dimensions, 10 passes), to end in minutes.  Writes results/scorer.json, .md.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.clipart import DATA, emoji, manifest
from benchmarks.measure import write
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.metrics.ranking import per_query
from duretrieval.evaluation.statistics.permutation import permutation_test
from duretrieval.training.fit.loop import hush
from duretrieval.training.fit.mixing import SHARES, Sides, choose_shares
from duretrieval.training.fit.reranking import reranked
from duretrieval.training.fit.validation import directions, views_of
from duretrieval.training.nets.score.mixed import Mixed
from duretrieval.training.recipe.toml import read_recipe
from duretrieval.training.runs import run as runs
from duretrieval.training.runs.trained import take_steps
from duretrieval.types import Floats

NAMES = ("hit@1", "rr")
COMMON = (
    "data.near_duplicates=false",
    "data.val=0.15",
    "data.test=0.15",
    'encoders.text="builtin"',
    'encoders.image="builtin-image-both"',
    "dim=64",
    "fit.epochs=10",
    "fit.patience=0",
)
WITHOUT = "the cosine alone"
CLUSTER = "cluster"
Values = dict[str, list[Floats]]


def main(seeds: int = 3) -> None:
    torch.set_num_threads(1)
    found: dict[str, list[Values]] = {}
    notes: dict[str, Any] = {"shares": [], "seconds": []}
    for seed in range(seeds):
        start = time.perf_counter()
        lines = trained([*COMMON, f"seed={seed}"], notes)
        notes["seconds"].append(round(time.perf_counter() - start))
        for name, values in lines.items():
            found.setdefault(name, []).append(values)
            print(seed, name, {m: round(float(np.mean(np.concatenate(values[m]))), 4) for m in NAMES}, flush=True)
        figures = {**notes, "lines": {name: compared(found[name], found[WITHOUT]) for name in found}}
        write("scorer", __doc__ or "", figures, table(figures))


def trained(changes: list[str], notes: dict[str, Any]) -> dict[str, Values]:
    """Lines of the table, each with its values by metric: an array a direction."""
    recipe = read_recipe(Path("c-pair-scorer"), changes)
    with tempfile.TemporaryDirectory() as place:
        run = runs.assemble(recipe, runs.read(recipe, data()), Path(place), cache=DATA / "features")
        hush()
        take_steps(run)
        runs.load(run, Path(place) / runs.BEST)
    run.network.eval()
    score = run.objective.score.eval()
    sides = {
        split: list(
            directions(views_of(run.network, run.prepared.rows[split]), run.prepared.rows[split].positives).values()
        )
        for split in ("val", "test")
    }
    assert isinstance(score, Mixed)
    chosen, scales = score.shares.tolist(), tuple(score.scales.tolist())
    notes["shares"].append([round(share, 2) for share in chosen])
    lines = {"mixed, as the recipe is": values(score, sides["test"])}
    for name, shares in ((WITHOUT, (0, 0)), ("the scorer alone", (1, 0)), ("known pairs alone", (0, 1))):
        score.weigh(*shares, scales)
        lines[name] = values(score, sides["test"])
    for name, part in (("mixed, without known pairs", 1), ("mixed, without the scorer", 0)):
        choose_shares(score, sides["val"], "rr", among=[shares for shares in SHARES if not shares[part]])
        lines[name] = values(score, sides["test"])
    return lines


def values(score: Any, sides: list[Sides]) -> Values:
    """Of each query, an array a direction; under `CLUSTER` the name that it is of."""
    found: Values = {name: [] for name in (*NAMES, CLUSTER)}
    for a, b, right in sides:
        of = per_query({m.name: m.of for m in measures(NAMES)}, reranked(score, a, b), right)
        for name in NAMES:
            found[name].append(of[name])
        listed = right.rows(0, len(right))
        several = len(listed.item) > len(listed)  # names ask, and each has several pictures
        found[CLUSTER].append((np.arange(len(listed)) if several else listed.item).astype(np.float64))
    return found


def compared(ours: list[Values], without: list[Values]) -> dict[str, float]:
    """Means over directions and seeds; differences of them, and p."""
    out: dict[str, float] = {}
    clusters = np.concatenate([10_000 * seed + np.concatenate(run[CLUSTER]) for seed, run in enumerate(ours)])
    for name in NAMES:
        a, b = (np.concatenate([np.concatenate(run[name]) for run in some]) for some in (ours, without))
        sizes = [len(direction) for run in ours for direction in run[name]]
        weight = np.concatenate([np.full(size, len(a) / len(sizes) / size) for size in sizes])  # directions count alike
        out[name] = round(float(np.mean(a * weight)), 4)
        out[f"{name} difference"] = round(float(np.mean((a - b) * weight)), 4)
        out[f"{name} p"] = round(float(permutation_test(a * weight, b * weight, cluster=clusters.astype(np.int64))), 4)
    return out


def data() -> Path:
    """The emoji of two vendors as a manifest of their own."""
    path = manifest().with_name("two-vendors.jsonl")
    if not path.is_file():
        rows = [row for row in emoji() if row["id"].startswith(("google/", "twitter/"))]
        kept = [{key: row[key] for key in ("id", "image", "text", "key")} for row in rows]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), encoding="utf-8")
    return path


def table(figures: dict[str, Any]) -> str:
    lines = [
        "| order of the candidates | R@1 | difference | p | MRR | difference | p |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, f in figures["lines"].items():
        hits = f"{100 * f['hit@1']:.1f} | {100 * f['hit@1 difference']:+.1f} | {f['hit@1 p']:.4f}"
        lines.append(f"| {name} | {hits} | {f['rr']:.3f} | {f['rr difference']:+.3f} | {f['rr p']:.4f} |")
    lines += ["", f"Shares of the scorer and of known pairs, a seed each: {figures['shares']}."]
    lines += [f"Seconds of a run: {figures['seconds']}."]
    return "\n".join(lines)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
