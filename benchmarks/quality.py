"""How well the embedded default finds pictures and sounds by words, and words by pictures.

    python benchmarks/quality.py

Writes benchmarks/results/quality.json and quality.md.  Data: the stamps of Tux Paint (`benchmarks/tuxpaint.py`), on
which nothing was trained.  A result counts when its text is the query's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from recall import Figures, by_chance, measured
from tuxpaint import Stamp, stamps

from duretrieval.model import Model
from duretrieval.types import Modality, Part

RESULTS = Path(__file__).parent / "results"
FLOORS = {"text→image": 43.0, "image→text": 41.0, "text→sound": 38.0}
"""R@10 that the embedded default must reach."""


def main() -> None:
    model, data = Model.load("builtin"), stamps()
    fitted = [Part(Modality.IMAGE, fit(stamp.picture, model.reading.image_side)) for stamp in data]
    pictures = model.encode(fitted)
    heard = [stamp for stamp in data if stamp.sound is not None]
    sounds = model.encode([Part(Modality.AUDIO, stamp.sound) for stamp in heard])
    told = [i for i, stamp in enumerate(data) if stamp.chinese]

    rows: dict[str, dict] = {}
    english = [stamp.english for stamp in data]
    rows["text→image"], rows["image→text"] = both_ways(model, english, pictures)
    rows["text→sound"], rows["sound→text"] = both_ways(model, [stamp.english for stamp in heard], sounds)
    rows["Chinese text→image"], rows["image→Chinese text"] = both_ways(
        model, [data[i].chinese for i in told], pictures[told]
    )
    report = {"model": model.fingerprint, "directions": rows}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "quality.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (RESULTS / "quality.md").write_text(table(report), encoding="utf-8")
    print(table(report))
    missed = {name: floor for name, floor in FLOORS.items() if rows[name]["measured"]["R@10"] < floor}
    if missed:
        raise SystemExit(f"below the floor: {missed}")


def both_ways(model: Model, captions: Sequence[str], vectors: np.ndarray) -> tuple[dict, dict]:
    """Distinct captions against the things they caption, and back; captions[i] belongs to vectors[i]."""
    texts = list(dict.fromkeys(captions))
    words = model.encode([Part(Modality.TEXT, text) for text in texts])
    relevant = np.array(texts)[:, None] == np.array(captions)[None, :]
    scores = words @ vectors.T
    return row(scores, relevant), row(scores.T, relevant.T)


def row(scores: np.ndarray, relevant: np.ndarray) -> dict:
    queries, results = scores.shape
    return {
        "queries": queries,
        "results": results,
        "measured": measured(scores, relevant),
        "chance": by_chance(relevant),
    }


def fit(picture: np.ndarray, side: int) -> np.ndarray:
    """The picture in the middle of a white square."""
    image = Image.fromarray(picture)
    scale = side / max(image.size)
    image = image.resize([max(1, round(length * scale)) for length in image.size], Image.Resampling.BICUBIC)
    square = Image.new("RGB", (side, side), "white")
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return np.asarray(square)


def table(report: dict) -> str:
    lines = [
        "# Quality of the embedded default",
        "",
        f"Tux Paint stamps, model {report['model']}, by `benchmarks/quality.py`; chance in brackets.",
        "",
        "| query→result | queries | results | R@1 | R@5 | R@10 | MRR |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, entry in report["directions"].items():
        cell: Callable[[str], str] = lambda key, e=entry: f"{e['measured'][key]} ({e['chance'][key]})"  # noqa: E731
        cells = " | ".join(map(cell, ("R@1", "R@5", "R@10", "MRR")))
        lines.append(f"| {name} | {entry['queries']} | {entry['results']} | {cells} |")
    return "\n".join(lines) + "\n"


__all__ = ["Figures", "Stamp", "main"]

if __name__ == "__main__":
    main()
