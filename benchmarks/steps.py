"""Milliseconds a training step: our trainer against plain loops with the same heads, batch, optimiser and loss."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from torch import nn

from benchmarks import baselines
from benchmarks.frozen import on_data
from benchmarks.measure import interleaved
from benchmarks.ours import recipe
from duretrieval.train import run as runs
from duretrieval.train.assemble import make_network, make_objective
from duretrieval.train.loop import hush
from duretrieval.train.nets.heads import Mlp

CHANGES = {
    "views": [["text"], ["image"]],
    "heads": {"text": "mlp", "image": "mlp"},
    "loss": {"use": "infonce"},
    "fit.epochs": 2,
}


def per_step(rounds: int = 5) -> dict[str, float]:
    """Medians over rounds that take turns; checks and checkpoints are part of ours and no part of the others."""
    text, _, _ = baselines.pairs("train")
    loops: dict[str, Callable[[], object]] = {
        "ours, through Lightning": ours,
        "plain loop, CLIP's loss": lambda: plain(*baselines.clip_of()),
        "plain loop, MultipleNegativesRankingLoss": lambda: plain(baselines.mnrl_of(), []),
    }
    steps = 2 * (len(text) // 256)
    return {name: 1000 * seconds / steps for name, seconds in interleaved(loops, rounds).items()}


def ours() -> None:
    wanted = recipe(CHANGES)
    with tempfile.TemporaryDirectory() as place:
        prepared = on_data(wanted)
        network = make_network(wanted, prepared.encoders, prepared.columns)
        run = runs.Run(wanted, prepared, network, make_objective(wanted, network, 0), Path(place))
        hush()
        runs.fit(run, None, [], bar=False, callbacks=[])


def plain(loss: baselines.PairLoss, parameters: list[nn.Parameter]) -> None:
    heads = nn.ModuleDict({"text": Mlp(384, baselines.DIM), "image": Mlp(2280, baselines.DIM)})
    for epoch in baselines.epochs(heads, loss, 0, parameters):
        if epoch == 1:
            return
