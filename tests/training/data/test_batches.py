"""Batches: which rows, in which order, with which further ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.data.batches import Column, Rows, keys_of
from duretrieval.training.data.examples import Examples
from duretrieval.training.data.sample import Sample
from duretrieval.training.samplers.order import Order
from duretrieval.types import Modality, Part


def frozen(n: int = 6) -> Rows:
    text = np.arange(n * 2, dtype=np.float32).reshape(n, 2)
    there = np.arange(n) != 2
    columns = {
        "text": Column(Modality.TEXT, np.ones(n, bool), text),
        "image": Column(Modality.IMAGE, there, -text * there[:, None]),
    }
    return Rows(columns, np.arange(n) // 2, np.full(n, -1))


def test_three_rows() -> None:
    batch = frozen()[[4, 2, 0]]
    assert batch.anchors == 3
    assert batch.rows.tolist() == [4, 2, 0]
    assert batch.keys.tolist() == [2, 1, 0]
    assert batch.inputs["text"]["rows"].tolist() == [[8, 9], [4, 5], [0, 1]]
    assert batch.present["image"].tolist() == [True, False, True]


def test_mined_rows_follow_the_anchors_once() -> None:
    rows = frozen()
    rows.mined = np.array([[3, 4], [0, -1], [5, 5], [1, 0], [2, 0], [-1, -1]])
    batch = rows[[0, 3, 2]]
    assert batch.anchors == 3
    assert batch.rows.tolist() == [0, 3, 2, 4, 1, 5]  # 3 and 0 are there already, 5 comes once
    assert rows[[5]].rows.tolist() == [5]
    assert rows.plain()[[0, 3]].rows.tolist() == [0, 3]


@given(
    n=st.integers(2, 40),
    batch=st.integers(2, 50),
    steps=st.integers(0, 9),
    seed=st.integers(0, 5),
    epoch=st.integers(0, 4),
)
@settings(max_examples=60, deadline=None)
def test_order_is_a_function_of_seed_and_step(n: int, batch: int, steps: int, seed: int, epoch: int) -> None:
    one = Order(n, batch, seed, steps)
    straight = []
    for number in range(epoch + 1):
        one.set_epoch(number)
        straight.append(list(one))
    other = Order(n, batch, seed, steps)
    other.set_epoch(epoch)
    assert list(other) == straight[-1]
    assert len(straight[-1]) == len(other) == other.steps
    flat = [row for found in straight for rows in found for row in rows]
    per_pass = other.per_pass * other.batch
    for start in range(0, len(flat) - per_pass + 1, per_pass):
        assert len(set(flat[start : start + per_pass])) == per_pass  # no row twice in a pass


@given(n=st.integers(4, 40), share=st.integers(1, 6), world=st.integers(1, 4), steps=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_shares_of_devices_make_the_whole(n: int, share: int, world: int, steps: int) -> None:
    whole = list(Order(n // world * world, share * world, 3, steps))
    parts = [list(Order(n // world * world, share * world, 3, steps, rank=rank, world=world)) for rank in range(world)]
    for step, rows in enumerate(whole):
        taken = [part[step] for part in parts]
        assert sorted(row for share in taken for row in share) == sorted(rows)
        assert len({len(rows) for rows in taken}) == 1


def test_devices_share_evenly_what_is_no_multiple() -> None:
    orders = [Order(7, 100, 0, rank=rank, world=2) for rank in range(2)]
    assert [len(next(iter(order))) for order in orders] == [3, 3]


def test_epochs_and_passes() -> None:
    order = Order(100, 10, 0, 4)  # 10 steps a pass, 4 an epoch
    assert order.epochs(2) == 5
    assert order.epochs(1) == 3
    assert [order.passes(e) for e in range(6)] == [0, 0, 0, 1, 1, 2]
    assert Order(100, 10, 0).epochs(7) == 7


def test_keys() -> None:
    samples = [Sample("a", {}), Sample("b", {}, key="k"), Sample("c", {}, key="k"), Sample("k", {})]
    assert keys_of(samples).tolist() == [0, 1, 1, 2]


class Lengths(nn.Module):
    """Reads how long a text is, and remembers which it was given."""

    dim = 1
    modalities = frozenset({Modality.TEXT})
    reading: Mapping[str, Any] = {}

    def prepare(self, parts: Sequence[Part], /) -> dict[str, Tensor]:
        return {"length": torch.tensor([[float(len(str(part.content)))] for part in parts])}

    def forward(self, length: Tensor) -> Tensor:
        return length


def test_a_net_gets_the_rows_that_are_there_in_order() -> None:
    words = ["a", "bb", None, "dddd", "eeeee"]
    samples = [
        Sample(str(i), {} if word is None else {"text": Part(Modality.TEXT, word)}) for i, word in enumerate(words)
    ]
    there = np.array([word is not None for word in words])
    net: Any = Lengths()
    columns = {"text": Column(Modality.TEXT, there, net=net)}
    rows = Rows(columns, np.arange(5), np.full(5, -1), Examples(samples))
    batch = rows[[4, 2, 0, 3]]
    assert batch.inputs["text"]["length"].flatten().tolist() == [5, 1, 4]
    assert batch.present["text"].tolist() == [True, False, True, True]
    assert rows[[2]].inputs["text"] == {}
    with pytest.raises(ConfigError, match="the columns text have encoders that learn, and nothing reads them"):
        Rows(columns, np.arange(5), np.full(5, -1))[[0]]


def test_batches_move(tmp_path: Path) -> None:
    moved = frozen()[[1, 0]].to(torch.device("meta"))
    assert moved.inputs["image"]["rows"].is_meta
    assert moved.present["text"].is_meta
    assert (moved.keys.is_meta, moved.labels.is_meta, moved.rows.is_meta, moved.anchors) == (True, True, True, 2)
