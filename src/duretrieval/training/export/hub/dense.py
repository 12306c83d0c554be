"""What stands behind an encoder as modules of sentence-transformers, where they can say exactly the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from duretrieval.align.affine import Affine
from duretrieval.align.cca import Cca
from duretrieval.align.procrustes import Procrustes
from duretrieval.align.ridge import Ridge
from duretrieval.errors import ConfigError
from duretrieval.training.align.canonical import Canonical
from duretrieval.training.align.closed_form import Fitted
from duretrieval.training.export.hub.towers import WITHOUT, Tower
from duretrieval.training.nets.heads import Identity, Linear, Mlp
from duretrieval.types import Floats, Modality


def behind(tower: Tower) -> list[Any]:
    """Head and turn of a tower, from unit rows to rows of unit length; none where they change nothing.

    Raises:
        ConfigError: the modules cannot say what the head computes; the message names it.
    """
    from sentence_transformers.sentence_transformer.modules import Normalize

    head = _head(tower)
    turn = _turn(tower)
    return [module for part in (head, turn) if part for module in (*part, Normalize())]


def changes_nothing(tower: Tower) -> bool:
    """Whether the encoder's rows are the run's vectors."""
    same = isinstance(tower.head, Identity) or (isinstance(tower.head, Fitted) and _is_still(tower.head))
    return same and not _turns(tower)


def _is_still(head: Fitted) -> bool:
    """The space that others are carried into."""
    return not hasattr(head.aligner, "save")


def _turns(tower: Tower) -> bool:
    return isinstance(tower.canonical, Canonical) and bool(tower.canonical.fitted)


def _turn(tower: Tower) -> list[Any]:
    if not _turns(tower):
        return []
    assert isinstance(tower.canonical, Canonical)
    return _aligned(tower.canonical.aligner, tower)


def _head(tower: Tower) -> list[Any]:
    head = tower.head
    if isinstance(head, Identity):
        return []
    if isinstance(head, Linear):
        return [dense(head.linear.weight, head.linear.bias)]
    if isinstance(head, Mlp):
        return _perceptron(head, tower)
    if isinstance(head, Fitted):
        return [] if _is_still(head) else _aligned(head.aligner, tower)
    raise _cannot(tower, "")


def _perceptron(head: Mlp, tower: Tower) -> list[Any]:
    """Each layer as a Dense; one with a norm as two, for a Dense has its activation right behind its matrix."""
    from sentence_transformers.sentence_transformer.modules import LayerNorm

    found: list[Any] = []
    for depth, block in enumerate(head.blocks):
        linear, norm = block[0], block[1]  # type: ignore[index]
        across = head.residual and depth > 0
        if isinstance(norm, nn.Identity):
            found.append(dense(linear.weight, linear.bias, nn.GELU(), across=across))
        elif across:
            raise _cannot(tower, " of several layers with norm and residual")
        else:
            layer = LayerNorm(linear.out_features)
            layer.norm.load_state_dict(norm.state_dict())
            found += [dense(linear.weight, linear.bias), layer, dense(torch.eye(linear.out_features), None, nn.GELU())]
    return [*found, dense(head.out.weight, head.out.bias)]


def _aligned(aligner: Any, tower: Tower) -> list[Any]:
    if isinstance(aligner, Ridge | Procrustes):
        return [_affine(aligner.affine, np.ones(aligner.dim))]
    if isinstance(aligner, Cca):
        return [_affine(_side(aligner, tower.modality), aligner.correlations**aligner.power)]
    raise _cannot(tower, "")


def _side(aligner: Cca, modality: Modality) -> Affine:
    return aligner.x if modality in aligner.x_modalities else aligner.y


def _affine(found: Affine, scale: Floats) -> Any:
    """x -> ((x - mean) weights + shift) scale."""
    weight, bias = found.weights * scale, (found.shift - found.mean @ found.weights) * scale
    return dense(torch.from_numpy(weight.T.copy()), torch.from_numpy(bias.copy()))


def dense(weight: Tensor, bias: Tensor | None, activation: nn.Module | None = None, *, across: bool = False) -> Any:
    """Dense of a matrix (out, in) and what is added.  across: its input is added to what comes out."""
    from sentence_transformers.sentence_transformer.modules import Dense

    held = [None if tensor is None else tensor.detach().float().clone() for tensor in (weight, bias)]
    wide, narrow = weight.shape[1], weight.shape[0]
    return Dense(wide, narrow, bias is not None, activation or nn.Identity(), *held, use_residual=across)


def _cannot(tower: Tower, more: str) -> ConfigError:
    return ConfigError(
        f"the head of {tower.modality} is {tower.head_name!r}{more}, which modules of sentence-transformers cannot say "
        f"exactly; train with identity, linear or mlp (of one layer, or with norm or residual = false), or {WITHOUT}"
    )
