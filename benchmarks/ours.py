"""Our recipes on the shared rows."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from benchmarks.frozen import RECIPE, on_data, tested_on
from duretrieval.similarity import unit
from duretrieval.training.align.closed_form import fit_heads
from duretrieval.training.build.network import Network
from duretrieval.training.build.network_of import make_network, make_objective
from duretrieval.training.fit.loop import hush
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.recipe.settings import merge
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.training.runs import run as runs
from duretrieval.training.runs.trained import take_steps
from duretrieval.types import Array, Modality


def recipe(changes: Mapping[str, Any] | None = None, seed: int = 0) -> Recipe:
    """Ours with other settings, by dotted names."""
    found = [(tuple(name.split(".")), value) for name, value in (changes or {}).items()]
    return to_recipe({**merge(RECIPE, found), "seed": seed})


def trained(wanted: Recipe) -> tuple[Network, Any]:
    """The network of the best check, and its score; without reading or writing anything but checkpoints."""
    with tempfile.TemporaryDirectory() as place:
        prepared = on_data(wanted)
        fitted = fit_heads(wanted, prepared.rows["train"]) if wanted.align else None
        network = make_network(prepared.recipe, prepared.encoders, prepared.columns, fitted)
        objective = make_objective(wanted, network, 0)
        run = runs.Run(wanted, prepared, network, objective, Path(place), ())
        if wanted.align is None:
            hush()
            take_steps(run)
            runs.load(run, Path(place) / runs.BEST)
        return network.eval(), objective.score


def tested(network: Network) -> tuple[Array, Array]:
    """(q, d) descriptions and (n, d) pictures of the test as the network's heads have them."""
    data = tested_on()
    return through(network, Modality.TEXT, data.text), through(network, Modality.IMAGE, data.image)


def through(network: Network, modality: Modality, rows: Array) -> Array:
    """Rows through a modality's head, and alone through the fusion or into the axes of CCA where there is one of these:
    (n, dim) unit rows."""
    with torch.inference_mode():
        out: Tensor = network.heads[modality.value](torch.from_numpy(rows))
        if network.canonical is not None:
            out = network.canonical(normalize(out, dim=1), modality)
        if network.fusion is not None:
            out = network.fusion({modality: torch.from_numpy(unit(out.numpy()))})
    return unit(out.numpy())
