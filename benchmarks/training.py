"""Is it worth training here: our recipe against what one would otherwise reach for, on the same frozen rows?

    python -m benchmarks.training [SEEDS [slow]]

Learned from Open Clip Art and emoji, tested on Tux Paint (`benchmarks/frozen.py`).  Writes results/training.json and
.md: hits, mAP with intervals, seconds, and whether the best of ours beats the best of the others.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import mean
from typing import Any

import numpy as np
import torch

from benchmarks import baselines
from benchmarks.frozen import evaluate, learned_from, tested_on
from benchmarks.measure import write
from benchmarks.ours import recipe, tested, trained
from duretrieval.evaluation.comparison import compare
from duretrieval.evaluation.result import Evaluation

SEEDS = 3
OURS: dict[str, dict[str, Any]] = {
    "ours: class names, InfoNCE": {},
    "ours: the same, titles only": {"views": [["text"], ["image"]]},
    "ours: two perceptrons, InfoNCE": {
        "views": [["text"], ["image"]],
        "heads": {"text": "mlp", "image": "mlp"},
        "loss": {"use": "infonce"},
    },
    "ours: ridge": {"align": {"use": "ridge"}, "heads": {}, "views": [["text"], ["image"]]},
}
OTHERS: dict[str, Callable[[int], baselines.Rows]] = {
    "scikit-learn PLSSVD": baselines.by_pls,
    "scikit-learn CCA": baselines.by_cca,
    "sentence-transformers MultipleNegativesRankingLoss": baselines.mnrl,
    "pytorch-metric-learning SupConLoss": baselines.supcon,
    "CLIP's loss, as in open_clip": baselines.clip_loss,
}
SLOW = {"pytorch-metric-learning NTXentLoss": baselines.ntxent}
"""It lists every pair of a batch; `slow` adds it. SupConLoss is the same where a row has one partner."""
ONCE = ("scikit-learn PLSSVD", "scikit-learn CCA", "pytorch-metric-learning NTXentLoss")
"""The first two hardly depend on a seed; the last takes minutes."""


def main(seeds: int = SEEDS, *, slow: bool = False) -> None:
    torch.set_num_threads(1)
    learned_from()
    tested_on()
    found: dict[str, list[tuple[Evaluation, float]]] = {"no training: class names alone": [(untrained(), 0.0)]}
    for name, changes in OURS.items():
        found[name] = [ours(name, changes, seed) for seed in range(1 if "align" in changes else seeds)]
        said(name, found[name])
    others = {**OTHERS, **(SLOW if slow else {})}
    for name, run in others.items():
        found[name] = [timed(name, run, seed) for seed in range(1 if name in ONCE else seeds)]
        said(name, found[name])
    best, rival = top(found, OURS), top(found, others)
    verdict = compare(found[best][0][0], found[rival][0][0], measures=["ap", "hit@1"])
    figures = {
        "methods": {name: summary(runs) for name, runs in found.items()},
        "best": best,
        "rival": rival,
        "differences": [
            {"pair": d.pair, "measure": d.measure, "difference": d.difference, "low": d.low, "high": d.high,
             "p": d.adjusted, "significant": d.significant} for d in verdict
        ],
    }  # fmt: skip
    write("training", __doc__ or "", figures, table(figures))
    print(table(figures))


def untrained() -> Evaluation:
    network, _ = untouched()
    return evaluate("untrained", *tested(network), tested_on().sound)


def untouched() -> tuple[Any, Any]:
    """The class names of the built-in model, with nothing learned added."""
    from duretrieval.training.build.network_of import make_network

    wanted = recipe({"heads.image": {"use": "class-names", "weight": 0.0}})
    prepared = learned_from()
    return make_network(wanted, prepared.encoders, prepared.columns).eval(), None


def ours(name: str, changes: dict[str, Any], seed: int) -> tuple[Evaluation, float]:
    start = time.perf_counter()
    network, _ = trained(recipe(changes, seed))
    seconds = time.perf_counter() - start
    text, image = tested(network)
    same_space = np.allclose(text, tested_on().text, atol=1e-4)
    return evaluate(name, text, image, tested_on().sound if same_space else None), seconds


def timed(name: str, run: Callable[[int], baselines.Rows], seed: int) -> tuple[Evaluation, float]:
    start = time.perf_counter()
    text, image = run(seed)
    return evaluate(name, text, image), time.perf_counter() - start


def top(found: dict[str, list[tuple[Evaluation, float]]], names: Any) -> str:
    """The name with the best mean average precision over directions and seeds."""
    best: str = max(names, key=lambda name: mean(figure(runs, "ap") for runs in found[name]))
    return best


def figure(run: tuple[Evaluation, float], measure: str) -> float:
    """Mean over text→image and image→text."""
    return mean(run[0].pair(name).score(measure).value for name in ("text-image", "image-text"))


def summary(runs: list[tuple[Evaluation, float]]) -> dict[str, Any]:
    """Means over seeds; the interval of mAP is that of the first seed's queries."""
    first = runs[0][0]
    out: dict[str, Any] = {"seeds": len(runs), "seconds": round(mean(seconds for _, seconds in runs), 1)}
    for pair in first.pairs:
        values = {s.measure: [e.pair(pair.name).score(s.measure).value for e, _ in runs] for s in pair.scores}
        ap = pair.score("ap")
        out[pair.name] = {name: round(mean(seen), 4) for name, seen in values.items()} | {
            "ap low": round(ap.low, 4),
            "ap high": round(ap.high, 4),
            "ap over seeds": [round(v, 4) for v in values["ap"]],
        }
    return out


def said(name: str, runs: list[tuple[Evaluation, float]]) -> None:
    print(f"{name}: mAP {mean(figure(run, 'ap') for run in runs):.4f}, {mean(s for _, s in runs):.1f} s", flush=True)


def table(figures: dict[str, Any]) -> str:
    """Rows of both directions, then sound, then the verdict."""
    lines = [
        "| method | direction | R@1 | R@5 | R@10 | mAP (95 %) | MRR | training s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, found in figures["methods"].items():
        for pair in (key for key in found if "-" in key):
            f = found[pair]
            hits = " | ".join(f"{100 * f[f'hit@{k}']:.1f}" for k in (1, 5, 10))
            ap = f"{f['ap']:.3f} ({f['ap low']:.3f} to {f['ap high']:.3f})"
            lines.append(f"| {name} | {pair.replace('-', '→')} | {hits} | {ap} | {f['rr']:.3f} | {found['seconds']} |")
    lines += ["", f"{figures['best']} against {figures['rival']}, first seed, paired:"]
    for d in figures["differences"]:
        sure = "significant" if d["significant"] else "not significant"
        lines.append(
            f"- {d['pair']} {d['measure']}: {d['difference']:+.3f} ({d['low']:+.3f} to {d['high']:+.3f}), "
            f"p = {d['p']:.4f}, {sure}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS, slow="slow" in sys.argv)
