"""Milliseconds a training step of encoders that learn from files, and of rows of several windows.

The encoders are as small as they can be, so that reading is what is measured: in a real one it hides behind the step.

    python -m benchmarks.reading [ROUNDS]

Writes results/reading.json and .md.  To compare with another version of the package, put its `src` first:
`PYTHONPATH=THERE/src python -m benchmarks.reading --once` prints one round.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.measure import photographs, write
from benchmarks.steps import Clock
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit.loop import hush
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.training.runs import run as runs
from duretrieval.training.runs.trained import take_steps
from duretrieval.types import Modality, Part

FILES, BATCH = 128, 16
WINDOWS = (1, 3)
"""Of five seconds, in the sounds whose rows are frozen."""


class Colours(nn.Module):
    """The mean colours of a picture."""

    dim = 3
    modalities = frozenset({Modality.IMAGE})
    reading: ClassVar[Mapping[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(self.dim))

    def prepare(self, parts: Sequence[Part], /) -> dict[str, Tensor]:
        means = np.stack([np.asarray(part.content).mean((0, 1)) for part in parts])
        return {"rows": torch.tensor(means, dtype=torch.float32)}

    def forward(self, rows: Tensor) -> Tensor:
        return rows * self.scale


class Loudness(Colours):
    """How loud a sound is in eight bands of time."""

    dim = 8
    modalities = frozenset({Modality.AUDIO})

    def prepare(self, parts: Sequence[Part], /) -> dict[str, Tensor]:
        bands = [[np.abs(band).mean() for band in np.array_split(np.asarray(p.content), 8)] for p in parts]
        return {"rows": torch.tensor(np.array(bands), dtype=torch.float32)}


def main(rounds: int = 5) -> None:
    publish([once() for _ in range(rounds)])


def publish(found: Sequence[Mapping[str, float]]) -> None:
    """Medians of rounds as `once` gives them."""
    medians = {name: round(statistics.median(one[name] for one in found), 1) for name in found[0]}
    lines = [f"| one step, batch {BATCH}, one thread | ms | steps a second |", "|---|---|---|"]
    lines += [f"| {name} | {ms:.1f} | {1000 / ms:.1f} |" for name, ms in medians.items()]
    write("reading", __doc__ or "", {"milliseconds per step": medians, "rounds": len(found)}, "\n".join(lines))


def once() -> dict[str, float]:
    """Milliseconds a step of each."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        photographs(folder / "pictures", FILES)
        pictures = samples("image", sorted((folder / "pictures").iterdir()))
        sounds = samples("audio", [sound(folder / f"{i}.wav", 12, i) for i in range(FILES)])
        tasks: dict[str, tuple[list[Sample], Mapping[str, Any]]] = {
            "pictures that are learned from": (pictures, learning("image", "Colours")),
            "5 s of sounds of 12 s that are learned from": (sounds, learning("audio", "Loudness")),
        }
        for n in WINDOWS:
            rows = samples("audio", [sound(folder / f"{n}-{i}.wav", 5 * n, i) for i in range(FILES)])
            tasks[f"rows of a frozen encoder, windows in each: {n}"] = rows, {}
        return {name: step(folder, rows, encoders) for name, (rows, encoders) in tasks.items()}


def learning(modality: str, net: str) -> Mapping[str, Any]:
    return {modality: {"use": f"benchmarks.reading:{net}", "train": ["*"]}}


def sound(path: Path, seconds: float, seed: int) -> Path:
    """Noise, as 16 bits at 44.1 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        loud = np.random.default_rng(seed).normal(0, 4000, int(seconds * 44_100))
        file.writeframes(loud.astype("<i2").tobytes())
    return path


def samples(column: str, paths: Sequence[Path]) -> list[Sample]:
    """Each with a text of its own; a sixteenth for validation."""
    return [
        Sample(
            str(i),
            {"text": Part(Modality.TEXT, f"number {i}"), column: Part(Modality(column), path)},
            split="val" if i % 16 == 0 else "train",
        )
        for i, path in enumerate(paths)
    ]


def step(folder: Path, rows: list[Sample], encoders: Mapping[str, Any]) -> float:
    """Milliseconds a step: a mean, since only some steps of a pass wait for files."""
    (column,) = (name for name in rows[0].columns if name != "text")
    passes = 3 if encoders else 60
    recipe = to_recipe(
        {
            "dim": 64,
            "views": [["text"], [column]],
            "encoders": encoders,
            "data": {"near_duplicates": False},
            "fit": {"epochs": passes, "batch": BATCH, "accelerator": "cpu", "patience": 0, "check_steps": 7 * passes},
        }
    )
    clock = Clock()
    with tempfile.TemporaryDirectory() as place:
        run = runs.assemble(recipe, (rows, ()), Path(place), cache=folder / "cache")
        hush()
        take_steps(run, callbacks=[clock])
    return 1000 * (clock.ends[-1] - clock.ends[0]) / (len(clock.ends) - 1)


if __name__ == "__main__":
    if sys.argv[1:] == ["--once"]:
        print(json.dumps(once()))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
