"""Is it worth training here: our recipe against what one would otherwise reach for, like against like?

    python -m benchmarks.training [SEEDS]

Learned from Open Clip Art and emoji, tested on Tux Paint (`benchmarks/frozen.py`).  Everyone gets the same frozen rows,
the vectors of the class names, batches, steps, optimiser and choice of the best epoch.  With the same heads, what is
left is the loss and what it takes for wrong; then, part by part, what our own recipe owes to what.  Differences are
tested on the queries' means over seeds, paired.  Writes results/training.json and .md.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import mean
from typing import Any

import numpy as np
import torch

from benchmarks import baselines
from benchmarks.frozen import MEASURES, evaluate, learned_from, tested_on
from benchmarks.measure import write
from benchmarks.ours import recipe, tested, trained
from duretrieval.evaluation.comparison import Difference, compare
from duretrieval.evaluation.result import Evaluation, Score
from duretrieval.evaluation.statistics.bootstrap import Bootstrap, intervals
from duretrieval.similarity import unit

SEEDS = 3
DIRECTIONS = ("text-image", "image-text")
TITLES: dict[str, Any] = {"views": [["text"], ["image"]]}
PERCEPTRONS = {**TITLES, "heads": {"text": "mlp", "image": "mlp"}, "loss": {"use": "infonce"}}
RIDGE = {**TITLES, "align": {"use": "ridge"}, "heads": {}}
Method = Callable[[int], baselines.Rows]
LOSSES: dict[str, Callable[[], tuple[baselines.PairLoss, list[torch.nn.Parameter]]]] = {
    "sentence-transformers MultipleNegativesRankingLoss": lambda: (baselines.mnrl_of(), []),
    "pytorch-metric-learning SupConLoss": lambda: (baselines.supcon_of(), []),
    "CLIP's loss, as in open_clip": baselines.clip_of,
}
NAMES, TWO, LINEAR, PARTS = (
    "the names of classes beside a perceptron",
    "two perceptrons",
    "nothing learned, or linear",
    "ours, part by part, beside the names",
)
OURS = "ours: InfoNCE, without the false negatives"
ENSEMBLE = "the heads of all seeds as one"
MINED = "with mined negatives"


def ours(changes: dict[str, Any]) -> Method:
    """Our trainer."""
    return lambda seed: tested(trained(recipe(changes, seed))[0])


def theirs(heads: baselines.Heads, name: str) -> Method:
    """A plain loop with somebody's loss."""
    return lambda seed: baselines.learned(heads, *_swapped(LOSSES[name](), seed))


def _swapped(
    made: tuple[baselines.PairLoss, list[torch.nn.Parameter]], seed: int
) -> tuple[baselines.PairLoss, int, list[torch.nn.Parameter]]:
    return made[0], seed, made[1]


METHODS: dict[str, dict[str, Method]] = {
    LINEAR: {
        "class names alone": lambda seed: tested(untouched()),
        "ours: ridge": ours(RIDGE),
        "scikit-learn PLSSVD": baselines.by_pls,
        "scikit-learn CCA": baselines.by_cca,
    },
    TWO: {OURS: ours(PERCEPTRONS), **{name: theirs(baselines.perceptrons, name) for name in LOSSES}},
    NAMES: {OURS: ours(TITLES), **{name: theirs(baselines.class_names, name) for name in LOSSES}},
    PARTS: {
        "every other row is wrong": ours({**TITLES, "data.positives": []}),
        "with a view of keywords": ours({}),
        MINED: ours({**TITLES, "fit.hard_negatives": 2}),
        "batches of 1,024": ours({**TITLES, "fit.batch": 1_024, "fit.lr": 2e-3}),
    },
}
ONCE = LINEAR
"""These hardly depend on a seed."""


def main(seeds: int = SEEDS) -> None:
    torch.set_num_threads(1)
    learned_from()
    tested_on()
    found = {
        block: {name: measured(name, run, 1 if block == ONCE else seeds) for name, run in methods.items()}
        for block, methods in METHODS.items()
    }
    for name in (OURS, *LOSSES):
        found[NAMES][f"{name}; {ENSEMBLE}"] = together(name, found[NAMES][name])
    found[PARTS][f"{MINED}; {ENSEMBLE}"] = together(MINED, found[PARTS][MINED])
    rivals = {name: runs for name, runs in found[NAMES].items() if not name.startswith(OURS)}
    single = best({name: runs for name, runs in rivals.items() if ENSEMBLE not in name})
    averaged = best({name: runs for name, runs in rivals.items() if ENSEMBLE in name})
    both = f"{OURS}; {ENSEMBLE}"
    verdicts = {
        f"{new} against {old}": verdict(found[NAMES][new], found[NAMES][old])
        for new, old in ((OURS, single), (both, averaged), (both, single))
    }
    mined = f"ours {MINED}; {ENSEMBLE}"
    verdicts |= {
        f"{mined} against {old}": verdict(found[PARTS][f"{MINED}; {ENSEMBLE}"], found[NAMES][old])
        for old in (averaged, single)
    }
    figures = {
        "methods": {block: {n: summary(runs) for n, runs in held.items()} for block, held in found.items()},
        "differences": {name: [difference(d) for d in held] for name, held in verdicts.items()},
    }
    write("training", __doc__ or "", figures, table(figures))


class Runs(list[tuple[baselines.Rows, Evaluation, float]]):
    """Of one method: the rows of the test, their figures, and seconds, a seed each."""


def measured(name: str, run: Method, seeds: int) -> Runs:
    found = Runs()
    for seed in range(seeds):
        start = time.perf_counter()
        rows = run(seed)
        found.append((rows, evaluate(name, *rows), time.perf_counter() - start))
    print(f"{name}: mAP {ap(found):.4f}, {mean(seconds for _, _, seconds in found):.1f} s", flush=True)
    return found


def together(name: str, runs: Runs) -> Runs:
    """The means of the seeds' pictures; words are where they are for all of them (`nets.averaged`)."""
    texts, images = zip(*(rows for rows, _, _ in runs), strict=True)
    rows = texts[0], unit(np.mean(images, axis=0))
    return Runs([(rows, evaluate(name, *rows), sum(seconds for _, _, seconds in runs))])


def untouched() -> Any:
    """The class names of the built-in model, with nothing learned added."""
    from duretrieval.training.build.network_of import make_network

    wanted = recipe({"heads.image": {"use": "class-names", "weight": 0.0}})
    prepared = learned_from()
    return make_network(wanted, prepared.encoders, prepared.columns).eval()


def ap(runs: Runs) -> float:
    return mean(e.pair(name).score("ap").value for _, e, _ in runs for name in DIRECTIONS)


def best(methods: dict[str, Runs]) -> str:
    return max(methods, key=lambda name: ap(methods[name]))


def over_seeds(runs: Runs) -> Evaluation:
    """Of each query the mean over seeds."""
    first = runs[0][1]
    pairs = []
    for name in DIRECTIONS:
        scores = []
        for measure in MEASURES:
            values = np.mean([e.pair(name).score(measure).values for _, e, _ in runs], axis=0)
            (low, high), *_ = intervals(values[:, None], ["mean"], Bootstrap(1000), cluster=first.pair(name).cluster)
            scores.append(Score(measure, float(values.mean()), low, high, len(values), values))
        pairs.append(replace(first.pair(name), scores=tuple(scores)))
    return replace(first, pairs=tuple(pairs))


def verdict(new: Runs, old: Runs) -> list[Difference]:
    return compare(over_seeds(new), over_seeds(old), measures=["ap", "hit@1"])


def difference(d: Difference) -> dict[str, Any]:
    return {
        "pair": d.pair, "measure": d.measure, "difference": d.difference, "low": d.low, "high": d.high,
        "p": d.adjusted, "significant": d.significant,
    }  # fmt: skip


def summary(runs: Runs) -> dict[str, Any]:
    """Means over seeds, with the interval of the queries' means."""
    out: dict[str, Any] = {"seeds": len(runs), "seconds": round(mean(seconds for _, _, seconds in runs), 1)}
    held = over_seeds(runs)
    for pair in held.pairs:
        score = pair.score("ap")
        out[pair.name] = {s.measure: round(s.value, 4) for s in pair.scores} | {
            "ap low": round(score.low, 4),
            "ap high": round(score.high, 4),
            "ap over seeds": [round(e.pair(pair.name).score("ap").value, 4) for _, e, _ in runs],
        }
    return out


def table(figures: dict[str, Any]) -> str:
    """A table a block, then the verdicts."""
    lines: list[str] = []
    for block, methods in figures["methods"].items():
        lines += ["", f"**{block[0].upper()}{block[1:]}**", ""]
        lines += [
            "| method | direction | R@1 | R@5 | R@10 | mAP (95 %) | MRR | training s |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for name, found in methods.items():
            for pair in DIRECTIONS:
                f = found[pair]
                hits = " | ".join(f"{100 * f[f'hit@{k}']:.1f}" for k in (1, 5, 10))
                ap = f"{f['ap']:.3f} ({f['ap low']:.3f} to {f['ap high']:.3f})"
                lines.append(
                    f"| {name} | {pair.replace('-', '→')} | {hits} | {ap} | {f['rr']:.3f} | {found['seconds']} |"
                )
    for name, differences in figures["differences"].items():
        lines += ["", f"{name}, means over seeds, paired:", ""]
        for d in differences:
            sure = "significant" if d["significant"] else "not significant"
            lines.append(
                f"- {d['pair']} {d['measure']}: {d['difference']:+.3f} ({d['low']:+.3f} to {d['high']:+.3f}), "
                f"p = {d['p']:.4f}, {sure}"
            )
    return "\n".join(lines[1:])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
