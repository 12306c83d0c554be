"""Two spaces aligned without a single pair: names of emoji in two languages, pictures and names.

    python -m benchmarks.unpaired

Each side is a random four fifths of the emoji (about 1,500), drawn apart, in an order of its own and turned at random,
so that nothing tells which row belongs to which.  Asked: of every emoji whether its partner is the nearest of all.
Chinese names go through the glossary of the built-in encoder.  Writes results/unpaired.json and .md.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.clipart import DATA, emoji, manifest
from benchmarks.measure import write
from duretrieval.align.procrustes import Procrustes
from duretrieval.media.decoder import decode
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.training.align.adversary import Settings, adversarial
from duretrieval.training.nets.builtin import builtin_image_features
from duretrieval.types import Array, Modality, Part

HELD = DATA / "unpaired.npz"
SHARE = 0.8
WAYS: dict[str, dict[str, Any]] = {
    "profiles and axes, game, refined": {},
    "profiles and axes, refined": {"steps": 0},
    "axes, refined": {"profiles": False, "steps": 0},
}
CASES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "Chinese names to English names": ("chinese", "english", tuple(WAYS)),
    "Google's pictures to English names": ("google", "english", tuple(WAYS)[:1]),
}


def main() -> None:
    torch.set_num_threads(1)
    sides = rows()
    figures: dict[str, Any] = {}
    for case, (a, b, ways) in CASES.items():
        figures[case] = {"chance": 1 / len(sides[a]), "all pairs known": known(sides[a], sides[b])}
        for way in ways:
            figures[case][way] = one(sides[a], sides[b], Settings(restarts=2, **WAYS[way]))
            print(case, way, figures[case][way], flush=True)
            write("unpaired", __doc__ or "", figures, table(figures))


def one(x: Array, y: Array, settings: Settings) -> dict[str, float]:
    """Share of rows whose partner is found, and how far the alignment trusted itself."""
    rng = np.random.default_rng(0)
    x = x @ np.linalg.qr(rng.normal(size=(x.shape[1],) * 2))[0].astype(np.float32)
    some = [side[rng.permutation(len(side))[: round(SHARE * len(side))]] for side in (x, y)]
    start = time.perf_counter()
    found = adversarial(some[0], some[1], settings=settings)
    seconds = time.perf_counter() - start
    return {
        "hit@1": right(found.aligner, x, y),
        "likeness": round(found.likeness, 3),
        "steps": found.steps,
        "seconds": round(seconds),
    }


def known(x: Array, y: Array) -> float:
    """Procrustes on all the pairs: the best that a rotation can do."""
    return right(Procrustes.fit(x, y), x, y)


def right(aligner: Procrustes, x: Array, y: Array) -> float:
    return round(float(np.mean((aligner(x, Modality.TEXT) @ y.T).argmax(axis=1) == np.arange(len(x)))), 4)


def rows() -> dict[str, Array]:
    """English and Chinese names and Google's pictures of the same emoji, in one order; computed once."""
    if not HELD.is_file():
        manifest()
        found = [row for row in emoji() if row["id"].startswith("google/") and "chinese" in row]
        model, encoder = Model.load("builtin"), builtin_image_features()
        read = (decode(Path(row["image"]), model.reading, Limits()).parts[0] for row in found)
        sides = {
            "english": model.encode([Part(Modality.TEXT, row["text"]) for row in found]),
            "chinese": model.encode([Part(Modality.TEXT, row["chinese"]) for row in found]),
            "google": np.concatenate([encoder.encode([part]) for part in read]),
        }
        HELD.parent.mkdir(parents=True, exist_ok=True)
        np.savez(HELD, allow_pickle=False, **sides)
    with np.load(HELD) as held:
        return dict(held)


def table(figures: dict[str, Any]) -> str:
    lines = ["| spaces | way | R@1 | likeness | steps | s |", "|---|---|---|---|---|---|"]
    for case, found in figures.items():
        for way, value in found.items():
            if isinstance(value, dict):
                shown = f"{100 * value['hit@1']:.1f} | {value['likeness']} | {value['steps']} | {value['seconds']}"
            else:
                shown = f"{100 * value:.2f} | | |"
            lines.append(f"| {case} | {way} | {shown} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
