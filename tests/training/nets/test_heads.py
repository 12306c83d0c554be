"""Heads: what they compute, and that the engine gives the same rows without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import gelu

from duretrieval import plugins
from duretrieval.align.ridge import Ridge
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.similarity import unit
from duretrieval.training import parts
from duretrieval.training.nets.heads import Head, Identity, Linear, Mlp, Residual
from duretrieval.types import Modality

MADE: list[tuple[str, int, dict[str, Any]]] = [
    ("identity", 4, {}),
    ("linear", 6, {}),
    ("linear", 6, {"bias": False}),
    ("mlp", 6, {"hidden": 8}),
    ("mlp", 6, {"hidden": 8, "depth": 3, "norm": False, "dropout": 0.0}),
    ("mlp", 6, {"hidden": 8, "depth": 2, "residual": False}),
    ("residual", 6, {"hidden": 8}),
]


def vectors(n: int, d: int = 6, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32))


def made(name: str, dim_in: int, options: dict[str, Any]) -> Head:
    torch.manual_seed(0)
    head: Head = parts.find("train.heads", name)(dim_in=dim_in, dim=4 if name != "residual" else 6, **options)
    for parameter in head.parameters():  # away from where some of them begin
        torch.nn.init.normal_(parameter, std=0.5)
    return head


@pytest.mark.parametrize(("name", "dim_in", "options"), MADE)
@pytest.mark.parametrize("n", [1, 3, 0])
def test_the_engine_gives_the_same_rows(
    name: str, dim_in: int, options: dict[str, Any], n: int, tmp_path: Path
) -> None:
    head = made(name, dim_in, options).train()
    entry = head.export(tmp_path, "to-shared-image")
    assert head.training
    aligner = plugins.find("aligners", entry["use"]).load(tmp_path, **entry["options"])
    rows = vectors(n, dim_in)
    with torch.no_grad():
        expected = unit(head.eval()(torch.from_numpy(rows)).numpy())
    assert aligner.dim == head.dim == expected.shape[1]
    np.testing.assert_allclose(aligner(rows, Modality.IMAGE), expected, atol=1e-4)


@pytest.mark.parametrize(("name", "dim_in", "options"), MADE)
def test_each_row_stands_alone(name: str, dim_in: int, options: dict[str, Any]) -> None:
    head, rows = made(name, dim_in, options).eval(), torch.from_numpy(vectors(5, dim_in))
    alone = torch.cat([head(row[None]) for row in rows])
    np.testing.assert_allclose(head(rows).detach(), alone.detach(), atol=1e-5)


@pytest.mark.parametrize(("name", "dim_in", "options"), MADE[1:])
def test_every_parameter_learns(name: str, dim_in: int, options: dict[str, Any]) -> None:
    head = made(name, dim_in, options)
    head(torch.from_numpy(vectors(5, dim_in))).pow(2).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in head.parameters())


def test_a_perceptron_by_its_formula() -> None:
    head = made("mlp", 6, {"hidden": 8, "depth": 2, "norm": False}).eval()
    assert isinstance(head, Mlp)
    x = torch.from_numpy(vectors(3))
    first, second = head.blocks[0][0], head.blocks[1][0]
    h = gelu(x @ first.weight.T + first.bias)
    h = h + gelu(h @ second.weight.T + second.bias)
    np.testing.assert_allclose(head(x).detach(), (h @ head.out.weight.T + head.out.bias).detach(), atol=1e-6)


def test_identity_changes_nothing() -> None:
    x = torch.from_numpy(vectors(3, 4))
    assert torch.equal(Identity(4, 4)(x), x)


@pytest.mark.parametrize("as_file", [True, False])
def test_a_residual_begins_where_ridge_ended(as_file: bool, tmp_path: Path) -> None:
    ridge = Ridge.fit(vectors(40, 6), vectors(40, 3, 1), penalty=0.1)
    start = tmp_path / ridge.save(tmp_path, "ridge")["file"] if as_file else ridge.affine
    head = Residual(6, 3, start=start, hidden=8)
    rows = head.eval()(torch.from_numpy(vectors(5, seed=2)))
    np.testing.assert_allclose(rows.detach(), ridge(vectors(5, seed=2), Modality.IMAGE), atol=1e-5)
    assert not {"mean", "weights", "shift"} & {name for name, _ in head.named_parameters()}
    assert {"mean", "weights", "shift"} < set(head.state_dict())


def test_heads_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="leaves rows of 5 dimensions as they are; the shared space has 4"):
        Identity(5, 4)
    with pytest.raises(ConfigError, match="from 0 to 4 dimensions cannot be made"):
        Linear(0, 4)
    with pytest.raises(ConfigError, match="depth is 0 and hidden is 512; both must be at least 1"):
        Mlp(5, 4, depth=0)
    with pytest.raises(ConfigError, match="dropout is 1; it must be from 0 to below 1"):
        Mlp(5, 4, dropout=1)
    with pytest.raises(ConfigError, match="from 5 to 4 dimensions needs a start: the file of a saved ridge aligner"):
        Residual(5, 4)
    with pytest.raises(ShapeError, match=r"expected a start from 5 to 4 dimensions; got one of \(6, 4\)"):
        Residual(5, 4, start=Ridge.fit(vectors(9), vectors(9, 4), penalty=1).affine)
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        Residual(5, 4, start=tmp_path / "none.safetensors")
