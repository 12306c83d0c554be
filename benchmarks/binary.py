"""What binary codes lose and save: recall, memory and time against comparing every vector.

Two galleries, both of the built-in model's own vectors: the 10,000 or so English words and phrases of its glossary, a
tenth of which are the queries; and mixtures of two of those vectors, to see the time at a size where it matters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.measure import write
from duretrieval.align.itq import Itq
from duretrieval.builtin import FOLDER
from duretrieval.index.binary import BinaryIndex
from duretrieval.index.exact import ExactIndex
from duretrieval.model.model import Model
from duretrieval.protocols import Index
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part

ROWS = 100_000
QUERIES = 200
K = 10


def phrases() -> list[str]:
    """Different English sides of the glossary."""
    lines = (FOLDER / "glossary-zh.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return sorted({pair[1] for pair in pairs if len(pair) == 2 and pair[1][0] not in "-="})


def mixtures(rows: Array, n: int) -> Array:
    """n unit vectors, each the sum of two drawn ones, the second with a weight between 0 and 1."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(len(rows), size=(2, n))
    return unit(rows[first] + rng.uniform(0.2, 1, size=(n, 1)).astype(np.float32) * rows[second])


def contestants(rows: Array) -> dict[str, Callable[[], Index]]:
    d = rows.shape[1]
    itq = {bits: Itq.fit(rows[:20_000], bits=bits, iterations=20) for bits in (128, 256)}
    made: dict[str, Callable[[], Index]] = {"exact": lambda: ExactIndex(d)}
    for name, coder in {"signs": None, **{f"ITQ {bits}": coder for bits, coder in itq.items()}}.items():
        for keep, rescore in (("float32", 10), ("int8", 10), ("nothing", 1)):
            label = f"{name}, {keep}" + (f", {rescore} x k re-scored" if keep != "nothing" else "")
            made[label] = lambda coder=coder, keep=keep, rescore=rescore: BinaryIndex(  # type: ignore[misc]
                d, coder=coder, keep=keep, rescore=rescore
            )
    return made


def measured(rows: Array, queries: Array) -> dict[str, dict[str, float]]:
    """Recall@10 of the true ten, bytes a vector, and how many times faster than comparing all."""
    ids = [str(i) for i in range(len(rows))]
    indexes = {name: make() for name, make in contestants(rows).items()}
    for index in indexes.values():
        index.add(ids, rows)
    truth = [{id for id, _ in row} for row in indexes["exact"].search(queries, K)]
    seconds = one_by_one(indexes, queries)
    figures = {}
    for name, index in indexes.items():
        found = index.search(queries, K)
        hits = sum(len(best & {id for id, _ in row}) for best, row in zip(truth, found, strict=True))
        size = index.bytes_per_vector if isinstance(index, BinaryIndex) else 4 * index.dim
        figures[name] = {
            "recall@10": round(hits / K / len(queries), 3),
            "bytes": size,
            "times faster": round(seconds["exact"] / seconds[name], 1),
        }
    return figures


def one_by_one(indexes: Mapping[str, Index], queries: Array) -> dict[str, float]:
    """Median seconds of one query, the indexes taking turns."""
    seconds: dict[str, list[float]] = {name: [] for name in indexes}
    for query in queries[:60]:
        for name, index in indexes.items():
            start = time.perf_counter()
            index.search(query[None], K)
            seconds[name].append(time.perf_counter() - start)
    return {name: median(taken) for name, taken in seconds.items()}


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    keys = list(next(iter(figures.values())))
    lines = [f"| | {' | '.join(keys)} |", "|---" * (len(keys) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(f'{row[key]:g}' for key in keys)} |" for name, row in figures.items()]
    return "\n".join(lines)


def encoded(texts: Sequence[str]) -> Array:
    return Model.load("builtin").encode([Part(Modality.TEXT, text) for text in texts])


def main() -> None:
    threadpool_limits(1)  # so that both sides compare with one core
    rows = encoded(phrases())
    order = np.random.default_rng(1).permutation(len(rows))
    queries, gallery = rows[order[:QUERIES]], rows[order[QUERIES:]]
    figures: dict[str, Any] = {
        f"{len(gallery):,} phrases": measured(gallery, queries),
        f"{ROWS:,} mixtures of two phrases": measured(mixtures(gallery, ROWS), mixtures(queries, QUERIES)),
    }
    page = "\n\n".join(f"## {name}\n\n{table(part)}" for name, part in figures.items())
    note = "One query at a time, on one core; 'times faster' than comparing every vector, medians of turns in one run."
    write("binary", "Binary codes against comparing every vector", figures, f"{page}\n\n{note}")


if __name__ == "__main__":
    main()
