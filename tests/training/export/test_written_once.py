"""Modules with adapters as graphs: each its own, and one that modalities share once."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from duretrieval.training import parts
from duretrieval.training.build.lora import add_lora, merge_lora
from duretrieval.training.export.model import _head, _Written
from duretrieval.training.nets.heads import Identity
from duretrieval.types import Modality


class Small(nn.Module):
    """Writes down which it is."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.query = nn.Linear(4, 4)

    def forward(self, rows: Tensor) -> Tensor:
        found: Tensor = self.query(rows)
        return found

    def export(self, folder: Path, name: str) -> dict[str, Any]:
        return {"use": "small", "options": {"number": self.number}}


class Loaded:
    """What the engine would have."""

    def __init__(self, number: int) -> None:
        self.number = number

    @classmethod
    def load(cls, folder: Path, number: int) -> Loaded:
        return cls(number)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> _Written:
    monkeypatch.setattr(parts, "find", lambda kind, name: Loaded)
    return _Written(tmp_path)


def test_merged_copies_are_not_mistaken_for_one_another(written: _Written) -> None:
    """A merged copy is gone when it is written, and the next one may lie where it lay."""
    nets = [add_lora(Small(number), 2) for number in range(8)]
    found = []
    for number, net in enumerate(nets):
        gc.collect()
        found.append(written.part("encoders", net, f"encoder-{number}").number)
    assert found == list(range(8))


def test_modalities_that_share_a_net_with_adapters_share_the_part(written: _Written) -> None:
    net = add_lora(Small(3), 2)
    with torch.no_grad():
        before = merge_lora(net)(torch.ones(1, 4))
    image, video = (written.part("encoders", net, f"encoder-{modality}") for modality in ("image", "video"))
    assert image is video
    assert torch.equal(merge_lora(net)(torch.ones(1, 4)), before)  # what is exported goes on as it was


def test_a_head_without_parameters_is_no_identity(written: _Written) -> None:
    """A head of somebody's own may well do something without having learned it."""
    assert _head(Identity(4, 4), Modality.TEXT, written) == []
    (found,) = _head(Squared(), Modality.TEXT, written)  # type: ignore[misc]
    assert isinstance(found, Loaded)


class Squared(nn.Module):
    """Rows times themselves."""

    def forward(self, rows: Tensor) -> Tensor:
        return rows * rows

    def export(self, folder: Path, name: str) -> dict[str, Any]:
        return {"use": "small", "options": {"number": 1}}
