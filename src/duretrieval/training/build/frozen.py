"""An encoder that does not learn: its rows are computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from duretrieval.encode.features import Features
from duretrieval.model.model import Model
from duretrieval.protocols import Aligner, Encoder
from duretrieval.similarity import unit
from duretrieval.training.contracts import Net
from duretrieval.types import Array, Modality, Part


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """An encoder of the engine, and what follows it there already; together they make unit rows."""

    encoder: Encoder
    aligner: Aligner | None = None

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


def features(dim: int, modality: Modality, *, name: str = "", origin: str = "") -> Features:
    """Vectors of a modality that the data brings, computed elsewhere.

    dim: numbers in each.  name, origin: what they are and what made them; the exported model says so, and refuses a
    vector that says otherwise.

    Raises:
        ConfigError: dim is below 1.
    """
    return Features(dim, [modality], name=name, origin=origin)


def from_model(modality: Modality, model: str = "builtin", opened: dict[str, Model] | None = None) -> Frozen:
    """What a model folder does with a modality, the built-in one when no other is named.

    opened: models that are open already, by name, and this one from now on: what two modalities share there they share
    here, and in the model that is exported.

    Raises:
        ModelError: there is no such model, or it does not know the modality.
    """
    opened = {} if opened is None else opened
    if model not in opened:
        opened[model] = Model.load(model)
    return Frozen(*opened[model].parts_for(modality))
