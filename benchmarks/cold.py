"""A cold `duretrieval search` over 10,000 items, whole process, against only importing torch and sentence-transformers.

The peers are installed into an environment of their own, .data/peers, on the first run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

from benchmarks import measure
from duretrieval.collection.collection import Collection
from duretrieval.index.lance.place import parts_of
from duretrieval.index.lance.store import LanceStore
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.types import Item, Modality, Part

N = 10_000
PEERS = measure.DATA / "peers"


def main() -> None:
    if not PEERS.exists():
        venv.create(PEERS, with_pip=True)
        for package in ("torch==2.13.0", "sentence-transformers"):
            subprocess.run([PEERS / "bin" / "pip", "install", "--quiet", package], check=True)
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder))
        search = [sys.executable, "-m", "duretrieval", "search", "a dog in the snow", "-c", folder]
        peers = [str(PEERS / "bin" / "python"), "-c", "import torch, sentence_transformers"]
        nothing = [sys.executable, "-c", "pass"]
        contestants = {
            "duretrieval search": lambda: subprocess.run(search, check=True, capture_output=True),
            "import torch, sentence_transformers": lambda: subprocess.run(peers, check=True, capture_output=True),
            "python -c pass": lambda: subprocess.run(nothing, check=True),
        }
        for run in contestants.values():
            run()  # once for the disk cache
        seconds = measure.interleaved(contestants, rounds=5)
    rows = [f"| `{name}` | {taken:.2f} |" for name, taken in seconds.items()]
    table = "\n".join(["| process | seconds, median of 5 |", "|---|---|", *rows])
    measure.write("cold", f"A cold search over {N:,} items", {"seconds": seconds}, table)


def fill(folder: Path) -> None:
    """A collection of N pictures with random vectors: what a search costs does not depend on what they show."""
    model = Model.load("builtin")
    with Collection.open(folder, model):
        pass
    rng = np.random.default_rng(0)
    with LanceStore.open(parts_of(folder), write=True) as store:
        for start in range(0, N, 1000):
            names = [f"{i:06}" for i in range(start, start + 1000)]
            items = [
                Item(name, f"/photos/{name}.jpg", (Part(Modality.IMAGE, None),), {"name": name, "kind": "image"})
                for name in names
            ]
            vectors = unit(rng.normal(size=(len(items), model.dim)).astype(np.float32))
            store.add(items, list(vectors[:, None, :]), model.fingerprint)
        store.optimize()


if __name__ == "__main__":
    main()
