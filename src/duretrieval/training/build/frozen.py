"""An encoder that does not learn: its rows are computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from duretrieval.encode.features import Features
from duretrieval.encode.sequences import tokens as tokens_of
from duretrieval.model.model import Model
from duretrieval.protocols import Aligner, Encoder
from duretrieval.similarity import unit
from duretrieval.training.contracts import Net
from duretrieval.training.nets.builtin_sequences import builtin_sequence
from duretrieval.types import Array, Modality, Part


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """An encoder of the engine, and what follows it there already; together they make unit rows.

    tokens: the most that a part hands on; 0: one row.
    """

    encoder: Encoder
    aligner: Aligner | None = None
    tokens: int = 0

    @property
    def dim(self) -> int:
        """Length of a row."""
        return self.encoder.dim if self.aligner is None else self.aligner.dim

    @property
    def modalities(self) -> frozenset[Modality]:
        """What it encodes."""
        return self.encoder.modalities

    def encode(self, parts: Sequence[Part]) -> Array:
        """Parts of one modality: (n, dim) unit rows."""
        vectors = self.encoder.encode(parts)
        return vectors if self.aligner is None or not parts else self.aligner(vectors, parts[0].modality)

    def sequences(self, parts: Sequence[Part]) -> list[Array]:
        """Parts of one modality: (t, dim) unit rows each, at most `tokens`."""
        found = tokens_of(self.encoder, parts, self.tokens)
        if self.aligner is None or not parts:
            return found
        flat = self.aligner(np.concatenate(found), parts[0].modality)
        return np.split(flat, np.cumsum([len(held) for held in found])[:-1])


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """A `Net` that does not learn, as an `Encoder`."""

    net: Net
    batch: int = 32

    @property
    def dim(self) -> int:
        """Length of a row."""
        return self.net.dim

    @property
    def modalities(self) -> frozenset[Modality]:
        """What it encodes."""
        return self.net.modalities

    def encode(self, batch: Sequence[Part], /) -> Array:
        """(len(batch), dim) unit rows, in evaluation mode."""
        self.net.eval()  # type: ignore[attr-defined]  # every net is an nn.Module
        rows = [torch.zeros((0, self.dim))]
        with torch.inference_mode():
            for start in range(0, len(batch), self.batch):
                rows.append(self.net(**self.net.prepare(batch[start : start + self.batch])))
        return unit(torch.cat(rows).float().numpy())

    @property
    def sequential(self) -> bool:
        """Whether the net hands on sequences."""
        return bool(getattr(self.net, "sequential", False))

    def sequence(self, batch: Sequence[Part], /) -> list[Array]:
        """(t, dim) of each part, in evaluation mode."""
        self.net.eval()  # type: ignore[attr-defined]
        found: list[Array] = []
        with torch.inference_mode():
            for start in range(0, len(batch), self.batch):
                rows, there = self.net.sequence(**self.net.prepare(batch[start : start + self.batch]))  # type: ignore[attr-defined]
                found += [row[mask].float().numpy() for row, mask in zip(rows, there, strict=True)]
        return found


def features(dim: int, modality: Modality, *, name: str = "", origin: str = "") -> Features:
    """Vectors of a modality that the data brings, computed elsewhere.

    dim: numbers in each.  name, origin: what they are and what made them; the exported model says so, and refuses a
    vector that says otherwise.

    Raises:
        ConfigError: dim is below 1.
    """
    return Features(dim, [modality], name=name, origin=origin)


def from_model(
    modality: Modality, model: str = "builtin", opened: dict[str, Model] | None = None, tokens: int = 0
) -> Frozen:
    """What a model folder does with a modality, the built-in one when no other is named.

    tokens: how many a part hands on; of the built-in model, what its graphs have before they end in one row.

    opened: models that are open already, by name, and this one from now on: what two modalities share there they share
    here, and in the model that is exported.

    Raises:
        ModelError: there is no such model, or it does not know the modality.
    """
    if tokens and model == "builtin":
        return Frozen(builtin_sequence(modality), tokens=tokens)
    opened = {} if opened is None else opened
    if model not in opened:
        opened[model] = Model.load(model)
    return Frozen(*opened[model].parts_for(modality), tokens=tokens)
