"""Large batches in chunks: the gradients of the whole batch, and no more kept of it than of one chunk."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.small import recipe
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import LossTerm, TotalLoss
from duretrieval.training.data.batch import Around, Batch
from duretrieval.training.data.batches import Column, Rows
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit import history
from duretrieval.training.fit.chunks import encoded
from duretrieval.training.losses.hinge import Hinge
from duretrieval.training.losses.infonce import InfoNce
from duretrieval.training.losses.memory import Memory
from duretrieval.training.losses.sigmoid import PairwiseSigmoid
from duretrieval.training.losses.smooth_ap import SmoothAp
from duretrieval.training.nets.dropout import Dropout
from duretrieval.training.nets.fusion.cross_attention import CrossAttention
from duretrieval.training.nets.fusion.gated import Gated
from duretrieval.training.nets.fusion.graph_attention import GraphAttention
from duretrieval.training.runs.run import assemble, training
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality

N, D = 13, 6


class Learns(nn.Module):
    """An encoder that learns, of one window a row that is there."""

    dim, modalities, reading = D, frozenset({Modality.IMAGE}), {}

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, D)
        self.seen: list[int] = []
        self.kept: list[weakref.ref[Tensor]] = []

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.layer(pixels)
        self.seen.append(len(pixels))
        self.kept.append(weakref.ref(hidden))
        return hidden.sin()  # which keeps what it is given


def head(dropout: float) -> nn.Module:
    return nn.Sequential(nn.Linear(D, 8), nn.Tanh(), Dropout(dropout), nn.Linear(8, D)).double()


def network(dropout: float = 0.0, fused: bool = False) -> tuple[Network, Learns]:
    torch.manual_seed(1)
    net = Learns()
    columns = {"text": Modality.TEXT, "image": Modality.IMAGE}
    views = [("text",), ("text", "image")] if fused else [("text",), ("image",)]
    heads = {modality: head(dropout) for modality in columns.values()}
    fusion = Gated(["text", "image"], D) if fused else None
    made = Network(encoders={Modality.IMAGE: net}, heads=heads, columns=columns, views=views, dim=D, fusion=fusion)
    return made.double().train(), net


def batch() -> Any:
    """13 rows, the last two negatives of others: texts of one to three windows, pictures that some lack."""
    rng = np.random.default_rng(0)
    starts = np.concatenate([[0], np.cumsum(rng.integers(1, 4, N))])
    present = np.arange(N) % 4 != 1
    columns = {"text": Column(Modality.TEXT, np.arange(N) < N - 2, rng.standard_normal((starts[-1], D)), starts=starts)}
    held = Rows(columns, np.array([0, 0, *range(2, N)]), np.full(N, -1), against=np.array([[N - 2, N - 1]] * (N - 2)))
    made = held[range(N - 2)]
    made.inputs["text"] = {"rows": made.inputs["text"]["rows"].double()}
    made.inputs["image"] = {"pixels": torch.from_numpy(rng.standard_normal((int(present.sum()), 3)))}
    made.present["image"] = torch.from_numpy(present)
    return made


def gradients(chunk: int, loss: nn.Module, **settings: Any) -> tuple[float, list[Tensor], Learns]:
    made, net = network(**settings)
    memory = Memory(20)
    torch.manual_seed(3)
    for name in made.views:
        memory.add(name, nn.functional.normalize(torch.randn(7, D, dtype=torch.float64), dim=1), torch.arange(7) + 50)
    objective = TotalLoss([LossTerm(loss, 1.0, "scores")], memory=memory).train()
    torch.manual_seed(2)
    total = objective(encoded(made, batch(), chunk), batch())
    total.backward()
    learned = [*made.parameters(), *objective.parameters()]
    return total.item(), [p.grad for p in learned if p.grad is not None], net


@pytest.mark.parametrize("loss", [InfoNce, Hinge, PairwiseSigmoid, SmoothAp])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("chunk", [1, 4, 12])
def test_the_gradients_are_those_of_the_whole_batch(loss: type[nn.Module], fused: bool, chunk: int) -> None:
    whole, wanted, _ = gradients(0, loss(), fused=fused)
    value, found, _ = gradients(chunk, loss(), fused=fused)
    assert value == pytest.approx(whole, abs=1e-9)
    assert len(found) == len(wanted) > 5
    assert all(float(g.abs().max()) > 0 for g in wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-8)


def test_other_gradients_come_of_a_loss_of_each_chunk_alone() -> None:
    """What accumulating gives: the tests above would not pass with it."""
    _, wanted, _ = gradients(0, InfoNce())
    made, _ = network()
    objective = TotalLoss([LossTerm(InfoNce(), 1.0, "scores")])
    for start in range(0, N, 4):
        part = batch().take(torch.arange(start, min(start + 4, N)))
        objective(made(part), part).backward()
    assert not torch.allclose(next(made.parameters()).grad, wanted[0], atol=1e-2)


def test_dropout_is_the_same_on_the_way_back() -> None:
    """As a plain loop over the chunks with everything kept, which draws the same numbers once."""
    value, found, _ = gradients(4, InfoNce(), dropout=0.5)
    made, _ = network(dropout=0.5)
    torch.manual_seed(3)
    memory = Memory(20)
    for name in made.views:
        memory.add(name, nn.functional.normalize(torch.randn(7, D, dtype=torch.float64), dim=1), torch.arange(7) + 50)
    objective = TotalLoss([LossTerm(InfoNce(), 1.0, "scores")], memory=memory).train()
    torch.manual_seed(2)
    parts = [made(batch().take(rows)) for rows in torch.arange(N).split(4)]
    views = {
        name: type(parts[0][name])(*(torch.cat([getattr(p[name], k) for p in parts]) for k in ("rows", "present")))
        for name in made.views
    }
    total = objective(views, batch())
    total.backward()
    assert value == pytest.approx(total.item(), abs=1e-12)
    wanted = [p.grad for p in [*made.parameters(), *objective.parameters()] if p.grad is not None]
    for ours, theirs in zip(found, wanted, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-10)


def test_no_more_is_kept_than_of_one_chunk() -> None:
    for chunk, alive in ((0, 1), (4, 0)):
        made, net = network()
        views = encoded(made, batch(), chunk)
        gc.collect()
        assert sum(ref() is not None for ref in net.kept) == alive
        assert max(net.seen) <= (chunk or N)
        forward = len(net.seen)
        sum(view.rows.sum() for view in views.values()).backward()
        assert len(net.seen) == forward * (2 if chunk else 1)


def test_running_figures_of_batch_norm_see_a_chunk_once() -> None:
    made, net = network()
    net.layer = nn.Sequential(net.layer, nn.BatchNorm1d(D).double())  # type: ignore[assignment]
    views = encoded(made, batch(), 7)
    norm = net.layer[1]  # type: ignore[index]
    before = norm.running_mean.clone()
    assert float(before.abs().max()) > 0
    sum(view.rows.sum() for view in views.values()).backward()
    assert torch.equal(norm.running_mean, before)
    assert norm.momentum == 0.1


def rows_of(n: int, seed: int, around: Around | None = None) -> Batch:
    """n rows of frozen encoders: a text of three words, and a picture that every third lacks."""
    drawn = torch.Generator().manual_seed(seed)
    rows = {"text": torch.randn(3 * n, D, generator=drawn), "image": torch.randn(n, D, generator=drawn)}
    present = {"text": torch.ones(n, dtype=torch.bool), "image": torch.arange(n) % 3 != 1}
    places, owners = torch.arange(n), {"text": torch.arange(n).repeat_interleave(3)}
    inputs = {name: {"rows": held.double()} for name, held in rows.items()}
    return Batch(inputs, present, places, places * 0 - 1, places, n, owners, None, around)


def whole_items(tokens: bool) -> tuple[Network, Batch]:
    """Texts ask for whole items, fused of words and a picture, or beside two neighbours, which the last rows lack."""
    torch.manual_seed(1)
    columns = {"text": Modality.TEXT, "image": Modality.IMAGE}
    read = {Modality.TEXT: 3} if tokens else {}
    fusion = (
        CrossAttention(columns, D, heads=2, query="image", tokens={"text": 3})
        if tokens
        else GraphAttention(columns, D, heads=2, kinds=("near", "far"))
    )
    views = [("image",), ("text", "image")]
    made = Network(
        encoders={},
        heads={modality: head(0) for modality in columns.values()},
        columns=columns,
        views=views,
        dim=D,
        fusion=fusion,
        looking=() if tokens else ("text+image",),
        tokens=read,
    )
    there = torch.ones(10, 2, dtype=torch.bool)
    there[4, 1], there[7:] = False, False
    beside = Around(rows_of(4, 7), torch.arange(20).reshape(10, 2) * 3 % 4, there, torch.arange(20).reshape(10, 2) % 2)
    return made.double().train(), rows_of(10, 5, None if tokens else beside)


@pytest.mark.parametrize("tokens", [True, False])
@pytest.mark.parametrize("chunk", [1, 3])
def test_words_and_neighbours_go_with_their_rows(tokens: bool, chunk: int) -> None:
    found: list[list[Tensor]] = []
    for size in (0, chunk):
        made, given = whole_items(tokens)
        views = encoded(made, given, size)
        TotalLoss([LossTerm(InfoNce(), 1.0, "scores")])(views, given).backward()
        found.append([p.grad for p in made.parameters() if p.grad is not None])
    assert len(found[0]) == len(found[1]) > 8
    for ours, theirs in zip(*found, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-8)
    if not tokens:
        made, given = whole_items(tokens)
        alone = made(replace(given, around=None))["text+image"].rows
        assert not torch.allclose(alone, made(given)["text+image"].rows, atol=1e-2)


# ---- in a run


def test_a_run_in_chunks_is_the_run_of_whole_batches(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    losses = {}
    for chunk in (0, 5):
        made = recipe(heads={"use": "mlp", "hidden": 16, "dropout": 0.0}, fit={"chunk": chunk, "hard_negatives": 1})
        train(made, data, tmp_path / str(chunk), cache=cache, exporting=False)
        losses[chunk] = [row["loss"] for row in history.read(tmp_path / str(chunk)) if "loss" in row]
    assert losses[5] == pytest.approx(losses[0], abs=1e-5)
    assert losses[0][-1] < losses[0][0]


def test_accumulated_gradients_are_the_mean_over_the_batches(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """One step of plain gradient descent from 3 batches of 16: against the 3 by hand."""
    settings = {"optimizer": "sgd", "lr": 0.1, "schedule": "constant", "warmup": 0, "clip": 0, "weight_decay": 0}
    plain = {"use": "mlp", "hidden": 16, "dropout": 0.0}
    made = recipe(heads=plain, fit={**settings, "epochs": 1, "accumulate": 3, "patience": 0})
    run = assemble(made, (data, []), tmp_path / "by-hand", cache=cache)
    module = training(run)
    (state, order) = [p.detach().clone() for p in run.network.parameters()], list(module.order)
    assert len(order) == 3
    run.network.train()
    for places in order:
        one = run.prepared.rows["train"][places]
        (run.objective(run.network(one), one, run.prepared.rows["train"].positives) / 3).backward()
    wanted = [before - 0.1 * p.grad for before, p in zip(state, run.network.parameters(), strict=True)]
    train(made, data, tmp_path / "run", cache=cache, exporting=False)
    held = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    names = [name for name, _ in run.network.named_parameters()]
    for name, value in zip(names, wanted, strict=True):
        assert torch.allclose(held["state_dict"][f"network.{name}"], value, atol=1e-6), name
    assert held["global_step"] == 1
    assert [row["step"] for row in history.read(tmp_path / "run") if "loss" in row] == [1]


def test_a_pass_is_filled_up_to_whole_steps(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """3 batches a pass are 2 steps of 2; 4 passes are 12 batches in 3 epochs; checks count steps."""
    run = assemble(recipe(fit={"accumulate": 2, "epochs": 4}), (data, []), tmp_path, cache=cache)
    module = training(run)
    assert (module.order.steps, module.order.epochs(4)) == (4, 3)
    checked = recipe(fit={"accumulate": 2, "check_steps": 5})
    assert training(assemble(checked, (data, []), tmp_path, cache=cache)).order.steps == 10


def test_numbers_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"fit\.accumulate is 0; it must be at least 1"):
        recipe(fit={"accumulate": 0})
    with pytest.raises(ConfigError, match=r"fit\.chunk is -1; it must be at least 0"):
        recipe(fit={"chunk": -1})
