"""Indexing photographs from disk, against the model alone on pictures already decoded, and against one by one.

The ratio to the model alone says what decoding, hashing, storing and all else cost on top; the ratio to one by one is
what a user gains over the obvious loop.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from duretrieval.media.decode import decode
from duretrieval.media.limits import Limits

from benchmarks import measure
from duretrieval.collection import Collection
from duretrieval.model import Model

N = 1000
BATCH = 32


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
        tensors = _tensors(session, np.stack([part.content for part in parts]))
        model.encode(parts[:BATCH])  # weights are read before the clock starts

        def bare() -> None:
            for i in range(0, N, BATCH):
                session.run(None, {name: tensors[i : i + BATCH]})

        def one_by_one() -> None:
            for file in files:
                model.encode(list(decode(file, model.reading, Limits()).parts))

        def engine() -> None:
            shutil.rmtree(Path(folder) / "collection", ignore_errors=True)
            with Collection.open(Path(folder) / "collection", model) as collection:
                report = collection.add(photos)
            assert report.indexed == N
            assert not report.problems

        seconds = measure.interleaved({"bare": bare, "one by one": one_by_one, "engine": engine})
    rate = {key: N / taken for key, taken in seconds.items()}
    ratios = {
        "engine / bare": rate["engine"] / rate["bare"],
        "engine / one by one": rate["engine"] / rate["one by one"],
    }
    rows = [f"| {key} | {value:.0f} |" for key, value in rate.items()]
    rows += ["", "| ratio | is | wanted |", "|---|---|---|"]
    rows += [f"| {key} | {value:.2f} | {0.85 if 'bare' in key else 2} |" for key, value in ratios.items()]
    table = "\n".join(["| pictures a second | median of 3 |", "|---|---|", *rows])
    measure.write(
        "indexing", f"Indexing {N} JPEGs of 640 x 480", {"pictures_per_second": rate, "ratios": ratios}, table
    )


def _tensors(session: onnxruntime.InferenceSession, pixels: np.ndarray) -> np.ndarray:
    """(n, h, w, 3) uint8 as the graph wants them; the values do not matter to its speed."""
    wanted = session.get_inputs()[0]
    if wanted.type == "tensor(uint8)":
        return pixels
    scaled = (pixels.astype(np.float32) - 127) / 128
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)) if wanted.shape[1] == 3 else scaled


if __name__ == "__main__":
    main()
