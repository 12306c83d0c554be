"""How well the embedded default finds pictures and sounds by words, and words by pictures and sounds.

    python -m benchmarks.quality

Writes benchmarks/results/quality.json and quality.md.  Data: the stamps of Tux Paint (`benchmarks/tuxpaint.py`), on
which nothing was trained.  A result counts when its text is the query's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.recall import by_chance, measured
from benchmarks.tuxpaint import stamps
from duretrieval.model.model import Model
from duretrieval.types import Modality, Part

RESULTS = Path(__file__).parent / "results"
FLOORS = {"text→image": 43.0, "image→text": 41.0, "text→sound": 38.0}
"""R@10 that the embedded default must reach."""


def main() -> None:
    model = Model.load("builtin")
    rows = directions(model)
    report = {"model": model.fingerprint, "directions": rows}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "quality.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (RESULTS / "quality.md").write_text(table(report), encoding="utf-8")
    print(table(report))
    if missed := below_floor(rows):
        raise SystemExit(f"below the floor: {missed}")


def directions(model: Model) -> dict[str, dict]:
    """query→result -> how many of each, what was measured, and what chance would give."""
    data = stamps(model.reading)
    heard = [stamp for stamp in data if stamp.sound]
    told = [stamp for stamp in data if stamp.chinese]
    rows: dict[str, dict] = {}
    rows["text→image"], rows["image→text"] = both_ways(
        model, [stamp.english for stamp in data], [stamp.picture for stamp in data]
    )
    rows["text→sound"], rows["sound→text"] = both_ways(
        model, [stamp.english for stamp in heard], [stamp.sound for stamp in heard]
    )
    rows["Chinese text→image"], rows["image→Chinese text"] = both_ways(
        model, [stamp.chinese for stamp in told], [stamp.picture for stamp in told]
    )
    return rows


def below_floor(rows: dict[str, dict]) -> dict[str, float]:
    """The directions whose R@10 is below its floor, with the floor."""
    return {name: floor for name, floor in FLOORS.items() if rows[name]["measured"]["R@10"] < floor}


def both_ways(model: Model, captions: Sequence[str], items: Sequence[tuple[Part, ...]]) -> tuple[dict, dict]:
    """Distinct captions against the items they caption, and back; captions[i] belongs to items[i].

    An item scores as its best part does.
    """
    texts = list(dict.fromkeys(captions))
    words = model.encode([Part(Modality.TEXT, text) for text in texts])
    vectors = model.encode([part for item in items for part in item])
    first = np.cumsum([0, *(len(item) for item in items[:-1])])
    scores = np.maximum.reduceat(words @ vectors.T, first, axis=1)
    relevant = np.array(texts)[:, None] == np.array(captions)[None, :]
    return row(scores, relevant), row(scores.T, relevant.T)


def row(scores: np.ndarray, relevant: np.ndarray) -> dict:
    queries, results = scores.shape
    figures = {"measured": measured(scores, relevant), "chance": by_chance(relevant)}
    return {"queries": queries, "results": results, **figures}


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
        cells = [f"{entry['measured'][key]} ({entry['chance'][key]})" for key in ("R@1", "R@5", "R@10", "MRR")]
        lines.append(f"| {name} | {entry['queries']} | {entry['results']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
