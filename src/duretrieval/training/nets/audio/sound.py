"""What all encoders of sounds share: preparing parts, hearing long ones in pieces, and export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from duretrieval.encode.cutting import Cutting, heard
from duretrieval.encode.sound import options
from duretrieval.training.onnx import to_onnx
from duretrieval.types import Modality, Part


class SoundNet(nn.Module):
    """A `contracts.Net` of sounds. A subclass defines `rows`; the graph is samples (b, n) -> (b, dim).

    cutting: which n `rows` takes, and what happens to sounds of other lengths, in training as in the engine.
    """

    modalities = frozenset({Modality.AUDIO})

    def __init__(self, *, dim: int, sample_rate: int, cutting: Cutting) -> None:
        super().__init__()
        self.dim = dim
        self.sample_rate = sample_rate
        self.cutting = cutting

    @property
    def reading(self) -> Mapping[str, Any]:
        """Sounds arrive at this net's sample rate."""
        return {"sample_rate": self.sample_rate}

    def rows(self, samples: Tensor, lengths: Tensor | None) -> Tensor:
        """Rows of pieces: (b, n) -> (b, dim).

        lengths: (b,) how many samples of each row are real; the others are 0, and change nothing. None: all are.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no rows")

    def prepare(self, parts: Sequence[Part], /) -> dict[str, Tensor]:
        """Sounds cut into pieces: samples (b, p, n) float32 and lengths (b, p) int64, 0 where there is no piece.

        Raises:
            ShapeError: a part's content is not mono float32 samples, or there are none.
        """
        sounds = [self.cutting(heard(part, self.sample_rate)) for part in parts]
        most = max((len(pieces) for pieces in sounds), default=1)
        longest = max((len(piece) for pieces in sounds for piece in pieces), default=self.cutting.shortest)
        samples = torch.zeros(len(sounds), most, longest)
        lengths = torch.zeros(len(sounds), most, dtype=torch.int64)
        for i, pieces in enumerate(sounds):
            for j, piece in enumerate(pieces):
                samples[i, j, : len(piece)] = torch.from_numpy(piece)
                lengths[i, j] = len(piece)
        return {"samples": samples, "lengths": lengths}

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(b, dim): the mean of the rows of a sound's pieces, as `prepare` cut them; or of whole sounds (b, n)."""
        if lengths is None:
            return self.rows(samples, None)
        there = lengths > 0
        rows = self.rows(samples[there], lengths[there]).float()
        owner = there.nonzero()[:, 0]
        total = rows.new_zeros(len(there), self.dim).index_add(0, owner, rows)
        return total / there.sum(dim=1, keepdim=True)

    sequential = True

    def sequence(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """A row of each piece, and which are there: (b, p, dim), (b, p) bool."""
        there = lengths > 0
        rows = self.rows(samples[there], lengths[there]).float()
        return rows.new_zeros(*there.shape, self.dim).index_put(there.nonzero(as_tuple=True), rows), there

    def export(self, folder: str | Path, name: str, /, *, tokens: bool = False) -> dict[str, Any]:
        """Write the graph; its entry in model.toml names the engine's `OnnxSound`."""
        file = f"{name}.onnx"
        n = self.cutting.longest or max(self.cutting.shortest, self.sample_rate)
        example = torch.sin(0.1 * torch.arange(n, dtype=torch.float32)).expand(2, n)
        to_onnx(self, Path(folder) / file, {"samples": example}, free={"samples": [1]})
        return {"use": "onnx-sound", "options": {"file": file, **options(self.dim, self.sample_rate, self.cutting)}}
