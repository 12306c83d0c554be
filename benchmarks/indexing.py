"""Indexing photographs from disk, against the model alone on pictures already decoded, and against one by one.

bare: ONNX Runtime as it comes, in a loop over pixels in memory; the ratio to it says what decoding, hashing and storing
cost on top. A run on each core is how our encoder drives it, which is faster than it comes, so that is shown too.

one by one: our own decoder and encoder in the obvious loop, with and without storing each picture; the ratio is what a
user gains over it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before it is imported
import onnxruntime

from benchmarks import measure
from duretrieval.collection.collection import Collection
from duretrieval.index.lance.store import LanceStore
from duretrieval.media.decoder import decode
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.types import Item

N = 1000
SIDE_BY_SIDE = "bare, a run on each core"
BARE = ("bare, 32 at a time", "bare, 1 at a time")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        measure.photographs(photos, N)
        model = Model.load("builtin")
        files = sorted(photos.iterdir())
        parts = [decode(file, model.reading, Limits()).parts[0] for file in files]
        assert model.folder is not None
        session = onnxruntime.InferenceSession(model.folder / "image.onnx", providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        tensors = _tensors(session, np.stack([np.asarray(part.content) for part in parts]))
        model.encode(parts[:32])  # weights are read before the clock starts

        def bare(batch: int) -> None:
            for i in range(0, N, batch):
                session.run(None, {name: tensors[i : i + batch]})

        def one_by_one() -> None:
            for file in files:
                model.encode(list(decode(file, model.reading, Limits()).parts))

        def one_by_one_stored() -> None:
            shutil.rmtree(Path(folder) / "plain", ignore_errors=True)
            with LanceStore.create(Path(folder) / "plain", model.dim, {}) as store:
                for file in files:
                    chunk = decode(file, model.reading, Limits())
                    item = Item(file.name, str(file), chunk.parts, chunk.fields)
                    store.add([item], [model.encode(chunk.parts)], model.fingerprint)

        def engine() -> None:
            shutil.rmtree(Path(folder) / "collection", ignore_errors=True)
            with Collection.open(Path(folder) / "collection", model) as collection:
                report = collection.add(photos)
            assert report.indexed == N
            assert not report.problems

        contestants = {
            BARE[0]: lambda: bare(32),
            BARE[1]: lambda: bare(1),
            SIDE_BY_SIDE: lambda: model.encode(parts),
            "one by one, not stored": one_by_one,
            "one by one, stored": one_by_one_stored,
            "engine": engine,
        }
        seconds = measure.interleaved(contestants)
    report(seconds)


def report(seconds: dict[str, float]) -> None:
    rate = {key: N / taken for key, taken in seconds.items()}
    bare = max(rate[name] for name in BARE)
    ratios: list[tuple[str, float, object]] = [("the faster bare loop", bare, 0.85)]
    ratios += [(SIDE_BY_SIDE, rate[SIDE_BY_SIDE], "")]
    ratios += [(f"one by one, {how}", rate[f"one by one, {how}"], 2) for how in ("not stored", "stored")]
    rows = [f"| {key} | {value:.0f} |" for key, value in rate.items()]
    rows += ["", "| engine against | is | wanted |", "|---|---|---|"]
    rows += [f"| {name} | {rate['engine'] / other:.2f} | {wanted} |" for name, other, wanted in ratios]
    figures = {"pictures_per_second": rate, "engine_against": {name: rate["engine"] / x for name, x, _ in ratios}}
    table = "\n".join(["| pictures a second | median of 3 |", "|---|---|", *rows])
    measure.write("indexing", f"Indexing {N} JPEGs of 640 x 480", figures, table)


def _tensors(session: onnxruntime.InferenceSession, pixels: np.ndarray) -> np.ndarray:
    """(n, h, w, 3) uint8 as the graph wants them; the values do not matter to its speed."""
    wanted = session.get_inputs()[0]
    if wanted.type == "tensor(uint8)":
        return pixels
    scaled = (pixels.astype(np.float32) - 127) / 128
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)) if wanted.shape[1] == 3 else scaled


if __name__ == "__main__":
    main()
