"""On a CUDA device: do the tests that need one pass, and how many steps a second does training make?

A step is what lies between a batch of frozen rows and the next: texts of 384 and pictures of 2,280 dimensions through
two perceptrons, InfoNCE without the false negatives, clipping, AdamW, the rate.  The plain loops do the same with
nothing around it; one keeps its rows on the device, one in memory, from where each batch is carried.

    python -m benchmarks.on_gpu

Some three minutes; where there is no CUDA device it says so and ends.  Writes results/on_gpu.json and .md.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from benchmarks.baselines import perceptrons
from benchmarks.measure import HERE, write
from duretrieval.training.build.network import Network
from duretrieval.training.build.network_of import make_objective
from duretrieval.training.data.batches import Column, Rows
from duretrieval.training.fit.loop import Training, hush, trainer
from duretrieval.training.nets.heads import Mlp
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.types import Modality

TESTS = ["tests/training/fit/test_on_gpu.py", "-m", "gpu"]
ROWS, WIDTHS, DIM, TEMPERATURE = 32_768, {Modality.TEXT: 384, Modality.IMAGE: 2_280}, 384, 0.1
BATCHES, PRECISIONS = (256, 1_024, 4_096), ("32", "bf16-mixed")
SKIPPED, MEASURED, ROUNDS = 20, 100, 3
OURS, HERE_ROWS, CARRIED = "ours, through Lightning", "plain loop, rows on the device", "plain loop, rows in memory"


def main() -> None:
    if not torch.cuda.is_available():
        print("no CUDA device is here, so there is nothing to measure")
        return
    card = f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    tests = tested()
    found = {f"{batch} {precision}": rates(batch, precision) for precision in PRECISIONS for batch in BATCHES}
    loops = " | ".join((OURS, HERE_ROWS, CARRIED))
    lines = [f"On {card}: {tests[1]}.", "", f"| batch, precision | {loops} | ours to the first plain one |"]
    lines.append("|---|---|---|---|---|")
    for name, rate in found.items():
        cells = [f"{rate[loop]:,.0f}" for loop in (OURS, HERE_ROWS, CARRIED)]
        lines.append(f"| {name} | {' | '.join(cells)} | {rate[OURS] / rate[HERE_ROWS]:.2f} |")
    figures = {"card": card, "tests": tests[1], "steps a second": found, "rounds": ROUNDS}
    write("on_gpu", "Training on a CUDA device: steps a second", figures, "\n".join(lines))
    if tests[0]:
        sys.exit(f"the tests that need a CUDA device did not pass: {tests[1]}")


def tested() -> tuple[int, str]:
    """The exit status of the tests that need a device, and their last line."""
    command = [sys.executable, "-m", "pytest", *TESTS, "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, timeout=240)
    print(run.stdout)
    return run.returncode, run.stdout.strip().splitlines()[-1].strip("= ")


def rates(batch: int, precision: str) -> dict[str, float]:
    """Steps a second, medians of rounds that take turns."""
    made = _made()
    contestants: dict[str, Callable[[], float]] = {
        OURS: lambda: ours(made, batch, precision),
        HERE_ROWS: lambda: plain(made, batch, precision, device="cuda"),
        CARRIED: lambda: plain(made, batch, precision, device="cpu"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, run in contestants.items():
            seconds[name].append(run())
    return {name: round(MEASURED / statistics.median(taken), 1) for name, taken in seconds.items()}


class Clock(pl.Callback):
    """Seconds of the measured steps, as the device has made them."""

    def __init__(self) -> None:
        self.steps, self.begun, self.seconds = 0, 0.0, 0.0

    def on_train_batch_end(self, *args: Any) -> None:
        """Of a trainer of Lightning's."""
        self.tick()

    def tick(self) -> None:
        """After a step."""
        self.steps += 1
        if self.steps in (SKIPPED, SKIPPED + MEASURED):
            torch.cuda.synchronize()
            self.seconds = time.perf_counter() - self.begun
            self.begun = time.perf_counter()


def ours(made: dict[Modality, np.ndarray], batch: int, precision: str) -> float:
    """As `train` does it, without start-up, checks and checkpoints."""
    steps = SKIPPED + MEASURED
    recipe = _recipe(batch, precision, steps)
    columns = {m.value: m for m in WIDTHS}
    heads: dict[Modality, nn.Module] = {m: Mlp(width, DIM, hidden=512, dropout=0.1) for m, width in WIDTHS.items()}
    network = Network(encoders={}, heads=heads, columns=columns, views=recipe.views, dim=DIM)
    rows, val = _rows(made, slice(0, ROWS - 512)), _rows(made, slice(ROWS - 512, ROWS))
    hush()
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        objective = make_objective(recipe, network, 0)
        groups = [(list(network.parameters()), None)]
        module = Training(network, objective, recipe.fit, 0, rows, val, groups, Path(folder))
        trainer(recipe.fit, 1, Path(folder), [], progress=False, callbacks=[clock]).fit(module)
    return clock.seconds


def plain(made: dict[Modality, np.ndarray], batch: int, precision: str, *, device: str) -> float:
    """With PyTorch alone."""
    torch.manual_seed(0)
    heads, clock = perceptrons().cuda(), Clock()
    rows = {m.value: torch.from_numpy(held).to(device) for m, held in made.items()}
    keys = torch.from_numpy(_keys(ROWS)).to(device)
    optimizer = torch.optim.AdamW(heads.parameters(), lr=1e-3, weight_decay=1e-4, fused=precision == "32")
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / 1_000)
    for places in islice(_places(batch), SKIPPED + MEASURED):
        at = places.to(device)
        given = {name: held[at].cuda() for name, held in rows.items()}
        with torch.autocast("cuda", torch.bfloat16, enabled=precision != "32"):
            a, b = (normalize(heads[name](held), dim=1) for name, held in given.items())
            value = _loss(a, b, keys[at].cuda())
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(heads.parameters(), 1.0)
        optimizer.step()
        rate.step()
        clock.tick()
    return clock.seconds


def _places(batch: int) -> Iterator[Tensor]:
    order = np.random.default_rng(0)
    while True:
        places = torch.from_numpy(order.permutation(ROWS))
        yield from places[: ROWS // batch * batch].split(batch)


def _loss(a: Tensor, b: Tensor, keys: Tensor) -> Tensor:
    same = (keys[:, None] == keys[None, :]).fill_diagonal_(False)
    scores = (a @ b.T / TEMPERATURE).float().masked_fill(same, -torch.inf)
    partner = torch.arange(len(a), device=a.device)
    return (cross_entropy(scores, partner) + cross_entropy(scores.T, partner)) / 2


def _recipe(batch: int, precision: str, steps: int) -> Recipe:
    fit = {"batch": batch, "precision": precision, "accelerator": "gpu", "check_steps": steps, "patience": 0}
    return to_recipe(
        {
            "name": "on a GPU",
            "dim": DIM,
            "views": [["text"], ["image"]],
            "loss": {"use": "infonce", "temperature": TEMPERATURE, "learned": False},
            "fit": fit,
        }
    )


def _made() -> dict[Modality, np.ndarray]:
    draw = np.random.default_rng(0)
    found = {m: draw.standard_normal((ROWS, width), dtype=np.float32) for m, width in WIDTHS.items()}
    return {m: rows / np.linalg.norm(rows, axis=1, keepdims=True) for m, rows in found.items()}


def _keys(n: int) -> np.ndarray:
    """Every tenth row belongs to another one as well."""
    keys = np.arange(n)
    keys[9::10] -= 1
    return keys


def _rows(made: dict[Modality, np.ndarray], at: slice) -> Rows:
    n = at.stop - at.start
    there = np.ones(n, bool)
    columns = {m.value: Column(m, there, held[at]) for m, held in made.items()}
    return Rows(columns, _keys(n), np.full(n, -1))


if __name__ == "__main__":
    main()
