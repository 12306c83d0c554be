"""What the store costs: adding, looking up, searching, opening; time, memory, recall.

    python benchmarks/store.py [ROWS]        100,000 by default, 384 components

Times are the median of several runs on this machine; memory is this process's resident set. The vectors are a Gaussian
mixture of 3,000 centres, queries new draws from it; "correlated" keeps a tenth and leaves out the query's own cluster.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from duretrieval.index.exact import ExactIndex
from duretrieval.index.faiss import FaissIndex
from duretrieval.index.lance.store import LanceStore
from duretrieval.index.lance.upkeep import Upkeep
from duretrieval.similarity import unit
from duretrieval.types import Array, Item, Modality, Part

DIM, BATCH, CENTRES, QUERIES = 384, 500, 3000, 100
RNG = np.random.default_rng(0)
CENTRE = RNG.normal(size=(CENTRES, DIM)).astype(np.float32)


def draw(n: int) -> tuple[Array, Any]:
    cluster = RNG.integers(0, CENTRES, n)
    return unit(CENTRE[cluster] + 0.9 * RNG.normal(size=(n, DIM)).astype(np.float32)), cluster


def timed(f: Callable[[], Any], runs: int = 7) -> float:
    """Milliseconds, the median of `runs`."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        f()
        times.append(1000 * (time.perf_counter() - start))
    return median(times)


def resident_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 >> 20


def items(at: int, cluster: Any, share: Any) -> list[Item]:
    part = (Part(Modality.IMAGE, None),)
    return [
        Item(str(at + i), f"/files/{at + i}", part, {"cluster": int(c), "u": float(u)}, f"s{i}", f"d{at + i}")
        for i, (c, u) in enumerate(zip(cluster, share, strict=True))
    ]


def main(rows: int) -> None:
    vectors, cluster = draw(rows)
    share = RNG.random(rows)
    spare = iter(range(10**9, 2 * 10**9, BATCH))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store"
        store = LanceStore.create(path, DIM, {}, upkeep=Upkeep(ann_from=10**9))

        def add(at: int) -> None:
            here = slice(at, at + BATCH)
            store.add(items(at, cluster[here], share[here]), list(vectors[here, None]), "m")

        def extra(at: int) -> None:
            batch = items(at, cluster[:BATCH], share[:BATCH])
            store.add(batch, list(vectors[:BATCH, None]), "m")
            store.remove([item.id for item in batch])

        marks = [0, 10_000, 20_000, 50_000, rows]
        for at in range(0, rows + 1, BATCH):
            if at in marks:
                report(store, at, vectors, lambda: extra(next(spare)))
            if at < rows:
                add(at)
        store.optimize()
        report(store, rows, vectors, lambda: extra(next(spare)), "optimized")
        code = (
            "import sys; from duretrieval.index.lance.store import LanceStore; s = LanceStore.open(sys.argv[1]); len(s)"
        )
        cold = timed(lambda: subprocess.run([sys.executable, "-c", code, str(path)], check=True), 5)
        bare = timed(lambda: subprocess.run([sys.executable, "-c", "import numpy"], check=True), 5)
        print(f"opening cold, in a process of its own: {cold:.0f} ms ({bare:.0f} ms of them python and numpy)")
        recall(store, vectors, cluster, share, "exact")
        store.close()
        with LanceStore.open(path, write=True, upkeep=Upkeep(ann_from=1000)) as store:
            start = time.perf_counter()
            store.optimize()
            print(f"building the approximate index: {time.perf_counter() - start:.1f} s")
            recall(store, vectors, cluster, share, "approximate")
            print(f"verify: {timed(store.verify, 1):.0f} ms; resident {resident_mb()} MB")
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        print(f"on disk: {size / 2**20:.0f} MB, of which vectors {vectors.nbytes / 2**20:.0f} MB")
    memory_indexes(vectors)


def report(store: LanceStore, rows: int, vectors: Array, extra: Callable[[], None], note: str = "") -> None:
    sources = [f"/files/{i}" for i in range(1000)]
    print(
        f"{rows:7d} rows {note:9s}: resident {resident_mb()} MB; add {BATCH} and remove them {timed(extra):.0f} ms, "
        f"lookup 1000 {timed(lambda: store.lookup(sources)):.0f} ms, len {timed(lambda: len(store)):.1f} ms, "
        f"exact search {timed(lambda: store.search(vectors[0], 10)):.0f} ms",
        flush=True,
    )


def recall(store: LanceStore, vectors: Array, cluster: Any, share: Any, name: str) -> None:
    queries, own = draw(QUERIES)
    similarity = queries @ vectors.T
    for label, where, fits in (
        ("no filter", lambda c: None, lambda c: share >= 0),
        ("1 %", lambda c: "u < 0.01", lambda c: share < 0.01),
        ("10 %", lambda c: "u < 0.1", lambda c: share < 0.1),
        ("correlated 10 %", lambda c: f"u < 0.1 AND cluster != {c}", lambda c: (share < 0.1) & (cluster != c)),
    ):
        found, times = 0, []
        for query, scores, c in zip(queries, similarity, own, strict=True):
            best = np.argsort(np.where(fits(c), -scores, 9))[:10]
            start = time.perf_counter()
            matches = store.search(query, 10, where=where(c))
            times.append(1000 * (time.perf_counter() - start))
            found += len({str(i) for i in best} & {match.item for match in matches})
        print(f"{name} search, {label}: recall@10 {found / 10 / QUERIES:.3f}, {median(times):.1f} ms", flush=True)


def memory_indexes(vectors: Array) -> None:
    queries, _ = draw(QUERIES)
    ids = [str(i) for i in range(len(vectors))]
    truth = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    for name, index in (("exact", ExactIndex(DIM)), ("faiss hnsw", FaissIndex(DIM))):
        start = time.perf_counter()
        index.add(ids, vectors)
        built = time.perf_counter() - start
        found = index.search(queries, 10)
        hits = sum(len({str(i) for i in a} & {id for id, _ in b}) for a, b in zip(truth, found, strict=True))
        one = timed(lambda index=index: index.search(queries[:1], 10), 50)  # type: ignore[misc]
        print(
            f"{name} index: filled in {built:.1f} s, one query {one:.2f} ms, recall@10 {hits / 10 / QUERIES:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
