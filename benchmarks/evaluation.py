"""Evaluation at the field's sizes: COCO against the classic loop, and a gallery of a million in bounded memory.

The loop is the evaluation code of VSE++ (Faghri et al. 2018) as published, on a matrix of similarities: for each query
sort the whole row and look up where the right answers are. Both sides see one matrix and must print the same figures.
"""

from __future__ import annotations

import math
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

from benchmarks.measure import interleaved, write
from duretrieval.evaluation.labels.relevance import SameGroup, relevant
from duretrieval.evaluation.metrics import first_rank, hit_at_k, mean, median
from duretrieval.evaluation.metrics.blocks import Compared
from duretrieval.evaluation.metrics.ranking import rank
from duretrieval.evaluation.ranks import Ranks
from duretrieval.similarity import unit

Figures = dict[str, float]
IMAGES, CAPTIONS, EXTRA = 5000, 5, 10  # ten pictures of the COCO test split have a sixth caption
GALLERY, QUERIES, DIM = 1_000_000, 500, 128
BLOCK_BYTES = 64 * 2**20


def coco(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Similarities (5000, 25010) float32 of a model about as good as real ones, and the picture of each caption."""
    rng = np.random.default_rng(seed)
    owner = np.sort(np.concatenate([np.repeat(np.arange(IMAGES), CAPTIONS), rng.choice(IMAGES, EXTRA, replace=False)]))
    images = rng.normal(size=(IMAGES, 64)).astype(np.float32)
    texts = images[owner] + 2.4 * rng.normal(size=(len(owner), 64)).astype(np.float32)
    return unit(images) @ unit(texts).T, owner


def report(ranks: np.ndarray) -> Figures:
    """As VSE++ prints it, from ranks that count from 0."""
    recalls = {f"R@{k}": 100.0 * len(np.where(ranks < k)[0]) / len(ranks) for k in (1, 5, 10)}
    return recalls | {"MedR": math.floor(np.median(ranks)) + 1, "MeanR": float(ranks.mean() + 1)}


def classic_i2t(similarity: np.ndarray, owner: np.ndarray) -> Figures:
    texts = np.split(np.arange(len(owner)), np.flatnonzero(np.diff(owner)) + 1)
    ranks = np.zeros(len(similarity))
    for image in range(len(similarity)):
        order = np.argsort(similarity[image])[::-1]
        ranks[image] = min(np.where(order == text)[0][0] for text in texts[image])
    return report(ranks)


def classic_t2i(similarity: np.ndarray, owner: np.ndarray) -> Figures:
    turned = similarity.T
    ranks = np.zeros(len(turned))
    for text in range(len(turned)):
        order = np.argsort(turned[text])[::-1]
        ranks[text] = np.where(order == owner[text])[0][0]
    return report(ranks)


def ours(ranks: Ranks) -> Figures:
    first = first_rank(ranks)
    recalls = {f"R@{k}": 100 * mean(hit_at_k(ranks, k)) for k in (1, 5, 10)}
    return recalls | {"MedR": math.floor(median(first)), "MeanR": mean(first)}


def coco_size() -> dict[str, Figures]:
    """Figures and median seconds, both ways.

    Raises:
        SystemExit: the two sides do not print the same figures.
    """
    similarity, owner = coco()
    texts, images = owner.tolist(), range(IMAGES)
    figures: dict[str, Figures] = {}

    def keep(name: str, found: Figures) -> None:
        figures[name] = found

    seconds = interleaved(
        {
            "image-text, loop": lambda: keep("image-text, loop", classic_i2t(similarity, owner)),
            "image-text, ours": lambda: keep("image-text, ours", ours(rank(similarity, SameGroup(images, texts)))),
            "text-image, loop": lambda: keep("text-image, loop", classic_t2i(similarity, owner)),
            "text-image, ours": lambda: keep("text-image, ours", ours(rank(similarity.T, SameGroup(texts, images)))),
        }
    )
    for way in ("image-text", "text-image"):
        loop, own = figures[f"{way}, loop"], figures[f"{way}, ours"]
        if max(abs(loop[key] - own[key]) for key in loop) > 1e-9:
            raise SystemExit(f"{way}: the figures differ: {loop} and {own}")
    return {name: {**figures[name], "seconds": round(taken, 3)} for name, taken in seconds.items()}


def large_gallery(folder: Path) -> Figures:
    """Queries against memory-mapped vectors: how long, and how much memory ranking takes at its peak."""
    rng = np.random.default_rng(0)
    path = folder / "gallery.npy"
    gallery = np.lib.format.open_memmap(path, "w+", np.float32, (GALLERY, DIM))
    for start in range(0, GALLERY, 50_000):
        stop = min(start + 50_000, GALLERY)
        gallery[start:stop] = unit(rng.normal(size=(stop - start, DIM)).astype(np.float32))
    gallery.flush()
    mapped = np.load(path, mmap_mode="r")
    rows = rng.choice(GALLERY, QUERIES, replace=False)
    asked = unit(np.asarray(mapped[rows]) + 0.2 * rng.normal(size=(QUERIES, DIM)).astype(np.float32))
    wanted = relevant([[int(row)] for row in rows])
    tracemalloc.start()
    start_s = time.perf_counter()
    ranks = rank(Compared(asked, mapped, np.inner), wanted, block_bytes=BLOCK_BYTES)
    seconds = time.perf_counter() - start_s
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "R@1": 100 * mean(hit_at_k(ranks, 1)),
        "seconds": round(seconds, 1),
        "peak_mb": round(peak / 2**20),
        "whole_matrix_mb": round(4 * GALLERY * QUERIES / 2**20),
    }


def main() -> None:
    """Measure, and write results/evaluation.json and .md."""
    with tempfile.TemporaryDirectory() as folder:
        large = large_gallery(Path(folder))
    small = coco_size()
    loop_s, ours_s = (sum(f["seconds"] for name, f in small.items() if name.endswith(end)) for end in ("loop", "ours"))
    ratio = round(loop_s / ours_s, 1)
    lines = [
        "| COCO size, 5,000 pictures by 25,010 captions | R@1 | R@5 | R@10 | MedR | MeanR | seconds |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, f in small.items():
        recalls = " | ".join(f"{f[key]:.2f}" for key in ("R@1", "R@5", "R@10"))
        lines.append(f"| {name} | {recalls} | {f['MedR']:.0f} | {f['MeanR']:.2f} | {f['seconds']:.3f} |")
    lines += [
        "",
        f"The loop takes {ratio} times as long, {loop_s:.2f} s to {ours_s:.2f} s, and prints the same figures.",
        "",
        f"{QUERIES} queries against a memory-mapped gallery of {GALLERY:,} vectors of {DIM} dimensions: "
        f"{large['seconds']} s, and {large['peak_mb']} MB of memory at the peak, where the whole matrix is "
        f"{large['whole_matrix_mb']:,} MB.",
    ]
    write(
        "evaluation",
        "Evaluation at the field's sizes",
        {"coco": small, "ratio": ratio, "large": large},
        "\n".join(lines),
    )


if __name__ == "__main__":
    main()
