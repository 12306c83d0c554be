"""Vectors of a table against the pictures that they were made of: one recipe, one head, one search.

    python -m benchmarks.vectors

The stamps of Tux Paint with their descriptions, a third each for training, validation and the test.  `pictures` reads
the files and encodes them with `builtin-image-features`; `vectors` gets those rows as a list column of a Parquet file,
and the encoder `features`.  Both should reach the same.  `untrained` is the head of `vectors` as it begins.
Writes results/vectors.json and .md.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measure import write
from benchmarks.tuxpaint import STAMPS, Stamp, stamps
from duretrieval.collection.collection import Collection
from duretrieval.training.nets.builtin import builtin_image_features
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Reading

SPLITS = ("train", "val", "test")
ENCODERS = {
    "pictures": {"use": "builtin-image-features"},
    "vectors": {"use": "features", "dim": 1280, "name": "EfficientNet-Lite0", "origin": "builtin-image-features"},
}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="duretrieval-") as scratch:
        data = tables(Path(scratch))
        figures = {
            name: measured(Path(scratch) / name, data[table], table, lr)
            for name, table, lr in (
                ("pictures", "pictures", 1e-3),
                ("vectors", "vectors", 1e-3),
                ("untrained", "vectors", 1e-9),
            )
        }
    write("vectors", __doc__ or "", figures, shown(figures))


def tables(folder: Path) -> dict[str, Path]:
    """The same rows with the name of a picture and with its vector."""
    found = stamps(Reading())
    vectors = builtin_image_features().encode([stamp.picture[0] for stamp in found])
    rows = [{"id": stamp.name, "text": stamp.english, "split": SPLITS[n % 3]} for n, stamp in enumerate(found)]
    places = [
        next(p for s in (".png", ".svg") if (p := Path(f"{STAMPS / stamp.name}{s}")).is_file()) for stamp in found
    ]
    held = {"pictures": ("image", [str(place) for place in places]), "vectors": ("image_vector", vectors.tolist())}
    for name, (column, cells) in held.items():
        table = [{**row, column: cell} for row, cell in zip(rows, cells, strict=True)]
        pq.write_table(pa.Table.from_pylist(table), folder / f"{name}.parquet")
    return {name: folder / f"{name}.parquet" for name in held}


def picture(stamp: Stamp) -> str:
    """Its file."""
    return next(str(path) for ending in (".png", ".svg") if (path := Path(f"{STAMPS / stamp.name}{ending}")).is_file())


def measured(folder: Path, data: Path, encoder: str, lr: float) -> dict[str, Any]:
    recipe = to_recipe(
        {
            "encoders": {"image": ENCODERS[encoder]},
            "heads": {"text": {"use": "identity"}, "image": {"use": "mlp", "hidden": 256}},
            "fit": {"epochs": 20, "lr": lr, "accelerator": "cpu"},
            "data": {"near_duplicates": False},
        }
    )
    outcome = train(recipe, data, folder / "run", cache=folder / "cache")
    began = time.perf_counter()
    with Collection.open(folder / "c", outcome.model) as collection:
        report = collection.add_manifests(data)
        seconds = time.perf_counter() - began
        best = collection.search("a red car", k=3, modalities=[Modality.IMAGE], where="split = 'test'")
    figures = {key: value for key, value in outcome.test.items() if key.endswith(("/hit@1", "/hit@10", "/rr"))}
    found = [hit.item.id for hit in best]
    times = {"train_s": round(outcome.seconds, 1), "index_s": round(seconds, 1)}
    return {**figures, **times, "items": report.indexed, "a red car": found}


def shown(figures: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| rows | text→image hit@1 | hit@10 | rr | train, s | index, s | a red car |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in figures.items():
        told = [f"{value:.3f}" for key, value in found.items() if key.startswith("text→")]
        cells = [name, *told, found["train_s"], found["index_s"], ", ".join(found["a red car"])]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
