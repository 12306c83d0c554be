"""Large batches in little memory: rows are encoded chunk by chunk, and the loss sees them all.

A loss of in-batch negatives wants thousands of rows; what the encoders keep of each for the way back fills the memory
long before.  The rows of a chunk are encoded and what led to them is forgotten; the loss is of the whole batch; on the
way back each chunk is encoded once more, with the same random numbers, and its gradients are added (Gao, Zhang, Han and
Callan 2021, "Scaling deep contrastive learning batch size under memory limited setup").  Gradients are those of the
whole batch, whatever the loss; a step costs one more forward pass.  Unlike there, autograd's own checkpoints do it,
so that mixed precision, several devices and clipping know nothing of it.

What normalises over a batch (batch norm in training) sees a chunk at a time, and so do its running figures, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from duretrieval.training.build.network import Network
from duretrieval.training.data.batch import Batch, View


def encoded(network: Network, batch: Batch, chunk: int) -> dict[str, View]:
    """The views of a batch, `chunk` rows at a time; 0: all at once, which a batch of no more rows is anyway."""
    total = len(batch.keys)
    if not 0 < chunk < total or not torch.is_grad_enabled():
        views: dict[str, View] = network(batch)
        return views

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _still(network)

    found: list[dict[str, View]] = [
        checkpoint(network, batch.take(rows), use_reentrant=False, context_fn=contexts)
        for rows in torch.split(torch.arange(total, device=batch.keys.device), chunk)
    ]
    return {
        name: View(torch.cat([v[name].rows for v in found]), torch.cat([v[name].present for v in found]))
        for name in found[0]
    }


@contextmanager
def _still(network: nn.Module) -> Iterator[None]:
    """Running figures of batch norms stay: the second forward pass is no further batch."""
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    held = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, held, strict=True):
            norm.momentum = momentum
