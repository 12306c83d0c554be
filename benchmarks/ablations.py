"""What each choice of a recipe is worth: losses, alignments, scores and fusions, the others held fixed.

    python -m benchmarks.ablations [SEEDS [SECTION ...]]

The same rows, split and steps (ten passes) for all (`benchmarks/frozen.py`); means over seeds and the range between
them.  Losses, alignments and scores are tested on Tux Paint (mean of both directions); fusions on held-out drawings,
where a title looks for the drawing and its keywords as one item.  Writes results/ablations.json and .md.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from statistics import mean
from typing import Any

import numpy as np
import torch

from benchmarks.frozen import learned_from, tested_on
from benchmarks.measure import HERE, write
from benchmarks.ours import recipe, tested, trained
from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.metrics.blocks import Scores
from duretrieval.evaluation.metrics.ranking import per_query
from duretrieval.evaluation.metrics.summary import mean as mean_of
from duretrieval.training.fit.reranking import reranked
from duretrieval.training.fit.validation import retrieval, views_of

SEEDS = 3
HELD_OUT = "held out"
"""The name of recipes that are tested on drawings."""
NAMES = ("hit@1", "hit@10", "ap")
PAIRS = {"views": [["text"], ["image"]]}
NETS = {**PAIRS, "heads": {"text": "mlp", "image": "mlp"}}
SMALL = {**NETS, "dim": 64}
LOSSES: dict[str, dict[str, Any]] = {
    "infonce": {"use": "infonce", "temperature": 0.1, "learned": False},
    "infonce, learned temperature": {"use": "infonce"},
    "hinge, sum": {"use": "hinge"},
    "hinge, hardest": {"use": "hinge", "form": "max"},
    "triplet, semi-hard": {"use": "triplet"},
    "contrastive": {"use": "contrastive"},
    "sigmoid": {"use": "sigmoid"},
    "smooth-ap": {"use": "smooth-ap"},
}
ALIGNMENTS: dict[str, dict[str, Any]] = {
    "class names and a perceptron": {},
    "perceptron on the picture": {"heads": {"text": "identity", "image": "mlp"}},
    "two perceptrons": {"heads": {"text": "mlp", "image": "mlp"}},
    "two linear maps": {"heads": {"text": "linear", "image": "linear"}},
    "two perceptrons, deep CCA in 64 dimensions, batches of 1,024": {
        "heads": {"text": "mlp", "image": "mlp"},
        "loss": {"use": "deep-cca"},
        "dim": 64,
        "fit.batch": 1024,
    },
    "ridge": {"align": {"use": "ridge"}, "heads": {}},
    "cca": {"align": {"use": "cca"}, "heads": {}, "dim": 128},
}
SCORES: dict[str, dict[str, Any]] = {
    "cosine": {},
    "euclidean": {"score": {"use": "euclidean"}},
    "neural-tensor": {"score": {"use": "neural-tensor"}},
    "pair-scorer, of random pairs, alone": {
        "score": {"use": "pair-scorer", "mix": False},
        "loss": {"use": "infonce", "temperature": 0.1, "learned": False, "on": "vectors"},
        "losses": [{"use": "binary-cross-entropy"}],
    },
    "pair-scorer, of the hardest pairs, mixed": {
        "score": {"use": "pair-scorer"},
        "loss": {"use": "infonce", "temperature": 0.1, "learned": False, "on": "vectors"},
        "losses": [{"use": "binary-cross-entropy", "hardest": 16, "apart": True}],
    },
}
FUSIONS = (
    "weighted-sum",
    "maximum",
    "concatenation",
    "gated",
    "low-rank",
    "tucker",
    "attention",
    "cross-attention",
    "graph-attention",
)


def main(seeds: int = SEEDS, only: Sequence[str] = ()) -> None:
    torch.set_num_threads(1)
    learned_from()
    tested_on()
    sections: dict[str, dict[str, dict[str, Any]]] = {
        "fusions": {name: fused(name) for name in ("the picture alone", *FUSIONS)},
        "losses": {name: {**PAIRS, "loss": loss} for name, loss in LOSSES.items()},
        "scores": {name: {**SMALL, **change} for name, change in SCORES.items()},
        "alignments": {name: {**PAIRS, **change} for name, change in ALIGNMENTS.items()},
    }
    figures = before() if only else {}
    for section, choices in sections.items():
        if only and section not in only:
            continue
        figures[section] = {name: runs(changes, seeds) for name, changes in choices.items()}
        write("ablations", __doc__ or "", figures, table(figures))  # after each: the whole takes half an hour


def before() -> dict[str, Any]:
    """What an earlier run found."""
    known: dict[str, Any] = json.loads((HERE / "results" / "ablations.json").read_text(encoding="utf-8"))
    return {key: value for key, value in known.items() if isinstance(value, dict)}


def fused(name: str) -> dict[str, Any]:
    if name not in FUSIONS:
        return {
            "name": HELD_OUT,
            "views": [["text"], ["image"]],
            "heads": {"text": "mlp", "image": "mlp"},
        }
    return {
        "name": HELD_OUT,
        "views": [["text"], ["image", "keywords"]],
        "heads": {"text": "mlp", "image": "mlp"},
        "fusion": {"use": name},
        "dim": 128,
    }


def runs(changes: dict[str, Any], seeds: int) -> dict[str, Any]:
    """Means over seeds and the seconds of one."""
    found = [one(changes, seed) for seed in range(1 if "align" in changes else seeds)]
    out: dict[str, Any] = {name: round(mean(run[name] for run in found), 4) for name in (*NAMES, "seconds")}
    out["ap over seeds"] = [round(run["ap"], 4) for run in found]
    print(changes, out, flush=True)
    return out


def one(changes: dict[str, Any], seed: int) -> dict[str, float]:
    start = time.perf_counter()
    wanted = recipe(changes, seed)
    network, score = trained(wanted)
    seconds = time.perf_counter() - start
    if wanted.name == HELD_OUT:
        rows = learned_from().rows["val"]
        pairs = retrieval(views_of(network, rows), rows.positives, NAMES)
        return {**pairs[f"text→{'+'.join(wanted.views[1])}"], "seconds": seconds}
    text, image = (torch.from_numpy(rows) for rows in tested(network))
    forward, backward = (reranked(score, a, b)[0 : len(a)] for a, b in ((text, image), (image, text)))
    data = tested_on()
    owner = np.zeros(len(image), np.int64)
    for q, places in enumerate(data.of_text):
        owner[places] = q
    both = [figures(forward, list(data.of_text)), figures(backward, owner[:, None].tolist())]
    return {name: mean(found[name] for found in both) for name in NAMES} | {"seconds": seconds}


def figures(scores: Scores, right: list[list[int]]) -> dict[str, float]:
    values = per_query({m.name: m.of for m in measures(NAMES)}, scores, relevant(right))
    return {name: mean_of(values[name]) for name in NAMES}


def table(found: dict[str, Any]) -> str:
    lines = []
    for what, rows in found.items():
        lines += [f"## {what}", "", "| | R@1 | R@10 | mAP | between seeds | s |", "|---|---|---|---|---|---|"]
        for name, f in rows.items():
            seen = f["ap over seeds"]
            spread = f"{min(seen):.3f} to {max(seen):.3f}" if len(seen) > 1 else ""
            hits = f"{100 * f['hit@1']:.1f} | {100 * f['hit@10']:.1f}"
            lines.append(f"| {name} | {hits} | {f['ap']:.3f} | {spread} | {f['seconds']:.1f} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS, sys.argv[2:])
