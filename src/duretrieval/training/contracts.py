"""What the pieces of a trainable model promise one another. b: rows of a batch; d: width of a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from duretrieval.types import Modality, Part

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Net(Protocol):
    """A trainable encoder: an `nn.Module` that turns parts of the modalities it names into one row each.

    The rows need not be unit: what uses them makes them so, and so does the encoder that `export` writes. Laws: row i
    of forward(**prepare(parts)) is part i's, whoever is beside it (1e-4, in evaluation mode); the exported encoder
    gives unit(forward(...)) to 1e-4.
    """

    @property
    def dim(self) -> int: ...

    @property
    def modalities(self) -> frozenset[Modality]: ...

    @property
    def reading(self) -> Mapping[str, Any]:
        """The fields of `types.Reading` that this encoder needs otherwise than they are: {"image_side": 224}."""
        ...

    def prepare(self, parts: Sequence[Part], /) -> dict[str, Tensor]:
        """Parts with decoded content as the tensors that `forward` takes, each with len(parts) rows; runs on the CPU.

        Raises:
            ShapeError: a part's content is not what this encoder reads.
        """
        ...

    def __call__(self, **inputs: Tensor) -> Tensor:
        """(b, dim) float32."""
        ...

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """Write what the engine's encoder needs into a model folder, in files that begin with `name`.

        Returns its entry in model.toml: {"use": "onnx-image", "options": {...}}, which `parts.find("encoders", use)`
        `.load(folder, **options)` turns back into an `Encoder` without torch.
        """
        ...


@runtime_checkable
class TokenNet(Net, Protocol):
    """A `Net` that hands on what a row is made of, for fusions that ask for it: words, cells, frames, pieces.

    Laws: the tokens of a part do not depend on what is beside it (1e-4, in evaluation mode); `sequence` of the encoder
    that `export(..., tokens=True)` writes gives the same, without those that are not there.
    """

    @property
    def sequential(self) -> bool:
        """Whether it does, as it was made."""
        ...

    def sequence(self, **inputs: Tensor) -> tuple[Tensor, Tensor]:
        """(b, t, dim) float32, and which are there, (b, t) bool, one at least of each."""
        ...


class Score(Protocol):
    """Scores between rows: (n, d), (m, d) -> (n, m); a larger score is better."""

    def __call__(self, a: Tensor, b: Tensor, /) -> Tensor: ...


class Loss(Protocol):
    """A number to make small, from the scores of n anchors with m >= n candidates.

    scores: (n, m), a larger score is better.  same: (n, m) bool, whether a pair belongs together; the partner of
    anchor i is candidate i, so same[i, i] is True; columns from n on are further negatives (mined, remembered).  A pair
    that belongs together without being partners is never pushed apart.  Laws: permuting anchors and partners together
    changes nothing; perfect pairs score better than shuffled ones; the result is a finite scalar that can be derived.
    """

    def __call__(self, scores: Tensor, same: Tensor, /) -> Tensor: ...


class RowLoss(Protocol):
    """A number to make small, from the rows of two views, of which row i of one belongs to row i of the other.

    `reads` tells it from a `Loss`, which has no such attribute or one that is "scores".
    """

    @property
    def reads(self) -> str:
        """`rows`."""
        ...

    def __call__(self, a: Tensor, b: Tensor, /) -> Tensor:
        """(n, d_a), (n, d_b) -> scalar."""
        ...


class FusionNet(Protocol):
    """An `nn.Module` that turns the rows of several modalities into one row.

    rows: modality -> (b, d).  present: modality -> (b,) bool; None: all are there.  What is absent may hold any number
    and changes nothing (1e-5); a modality that is not in `rows` is absent. Nothing depends on the order of the mapping.
    Result: (b, dim), not necessarily unit.  One with `takes_tokens` also takes rows (b, t, d) with present (b, t), and
    is made with `tokens`, the modalities that come so (`nets.fusion.sequenced`).
    """

    @property
    def dim(self) -> int: ...

    @property
    def modalities(self) -> tuple[Modality, ...]: ...

    def __call__(
        self, rows: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor] | None = None, /
    ) -> Tensor: ...

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """Write the engine's fusion into a model folder: {"use": "onnx-fusion", "options": {...}}."""
        ...
