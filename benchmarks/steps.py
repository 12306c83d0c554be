"""Milliseconds a training step: our trainer against plain loops with the same heads, batch, optimiser and loss.

A step is what passes between the end of one and the end of the next: reading the rows, forward, backward, clipping, the
optimiser, and whatever the loop does besides.  Start-up, checks and checkpoints are between epochs and do not count.

    python -m benchmarks.steps [ROUNDS]

Writes results/steps.json and .md.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from benchmarks import baselines
from benchmarks.frozen import on_data
from benchmarks.measure import write
from benchmarks.ours import recipe
from duretrieval.training.build.network_of import make_network, make_objective
from duretrieval.training.fit.loop import hush
from duretrieval.training.runs import run as runs
from duretrieval.training.runs.trained import take_steps

CHANGES = {
    "views": [["text"], ["image"]],
    "heads": {"text": "mlp", "image": "mlp"},
    "loss": {"use": "infonce"},
    "fit.epochs": 2,
}


OURS = "ours, through Lightning"


def main(rounds: int = 9) -> None:
    torch.set_num_threads(1)
    found = per_step(rounds)
    lines = ["| one step, batch 256, two perceptrons, one thread | ms | against ours |", "|---|---|---|"]
    lines += [f"| {name} | {ms:.2f} | {ms / found[OURS]:.3f} |" for name, ms in found.items()]
    write("steps", __doc__ or "", {"milliseconds per step": found, "rounds": rounds}, "\n".join(lines))


class Clock(pl.Callback):
    """When each step ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *args: Any) -> None:
        """Of a trainer of Lightning's."""
        self.tick()

    def tick(self) -> None:
        """Of a plain loop."""
        self.ends.append(time.perf_counter())

    @property
    def median(self) -> float:
        """Seconds of a step."""
        return statistics.median(after - before for before, after in zip(self.ends, self.ends[1:], strict=False))


def per_step(rounds: int) -> dict[str, float]:
    """Milliseconds: medians of rounds of some 90 steps that take turns."""
    loops: dict[str, Callable[[Clock], None]] = {
        OURS: ours,
        "plain loop, MultipleNegativesRankingLoss": lambda clock: plain(clock, baselines.mnrl_of(), []),
        "plain loop, SupConLoss": lambda clock: plain(clock, baselines.supcon_of(), []),
        "plain loop, CLIP's loss": lambda clock: plain(clock, *baselines.clip_of()),
        "plain loop, CLIP's loss, false negatives masked as ours are": lambda clock: plain(
            clock, *baselines.clip_of(masked=True)
        ),
    }
    found: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(rounds):
        for name, loop in loops.items():
            clock = Clock()
            loop(clock)
            found[name].append(1000 * clock.median)
    return {name: round(statistics.median(values), 2) for name, values in found.items()}


def ours(clock: Clock) -> None:
    wanted = recipe(CHANGES)
    with tempfile.TemporaryDirectory() as place:
        prepared = on_data(wanted)
        network = make_network(wanted, prepared.encoders, prepared.columns)
        run = runs.Run(wanted, prepared, network, make_objective(wanted, network, 0), Path(place), ())
        hush()
        take_steps(run, callbacks=[clock])


def plain(clock: Clock, loss: baselines.PairLoss, parameters: list[nn.Parameter]) -> None:
    heads = baselines.perceptrons()

    def timed(a: Tensor, b: Tensor, keys: Tensor) -> Tensor:  # once a step, wherever it is
        clock.tick()
        return loss(a, b, keys)

    for epoch in baselines.epochs(heads, timed, 0, parameters):
        if epoch == 1:
            return


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
