"""The exported model held against torch: vectors of parts and of whole items, and scores of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch

from duretrieval.collection.reading import read_parts
from duretrieval.errors import ModelError
from duretrieval.fuse.means import means
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import TotalLoss
from duretrieval.training.build.prepare import Prepared
from duretrieval.training.data.batches import Rows
from duretrieval.training.data.sample import Sample
from duretrieval.types import Array, Modality, Part

TOLERANCE = 1e-4
"""How far the engine's numbers may be from torch's."""
COMPARED = 16
"""Rows that are compared."""
SCORES = "scores"


def compare(model: Model, prepared: Prepared, network: Network, objective: TotalLoss) -> dict[str, float]:
    """The largest difference between the engine and torch on a few training rows, by modality; "whole" is that of
    fused items, "scores" that of the learned score of pairs, as a share of the largest score where that is above 1.

    Raises:
        ModelError: one is above `TOLERANCE`.
    """
    network.eval()
    objective.eval()
    samples, rows = prepared.samples["train"][:COMPARED], prepared.rows["train"].plain()
    encoded = [_engine_rows(model, prepared, network, sample, rows, place) for place, sample in enumerate(samples)]
    found = _parts(network, rows, encoded)
    if model.fusion is not None:
        found |= _wholes(model, network, rows, encoded)
    if model.scorer is not None:
        found |= _scores(model, network, objective, rows, len(samples))
    for what, difference in found.items():
        if not difference <= TOLERANCE:
            raise ModelError(
                f"the exported model's {_named(what)} differ from torch's by {difference:.1e}, more than {TOLERANCE}; "
                f"an operation of its {_made_by(what)} means something else as a graph"
            )
    return found


def _named(what: str) -> str:
    return {SCORES: "scores of pairs", Modality.WHOLE: "vectors of whole items"}.get(what, f"{what} vectors")


def _made_by(what: str) -> str:
    return {SCORES: "score", Modality.WHOLE: "fusion"}.get(what, "encoder or head")


def _engine_rows(
    model: Model, prepared: Prepared, network: Network, sample: Sample, rows: Rows, place: int
) -> dict[str, Array | None]:
    """column -> (dim,) by the engine, of the columns that the row has; None: it cannot be compared."""
    there = rows[[place]].present
    names = [name for name in network.columns if name in sample.columns and bool(there[name])]
    return {name: engine_row(model, prepared, sample.columns[name]) for name in names}


def _parts(network: Network, rows: Rows, encoded: Sequence[Mapping[str, Array | None]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for place, columns in enumerate(encoded):
        for name, theirs in columns.items():
            if theirs is not None:
                ours = network_row(network, rows, place, name)
                _widen(found, network.columns[name], ours, theirs)
    return found


def _wholes(
    model: Model, network: Network, rows: Rows, encoded: Sequence[Mapping[str, Array | None]]
) -> dict[str, float]:
    """What the engine's fusion makes of the engine's parts, as it does of an item."""
    found: dict[str, float] = {}
    for place, columns in enumerate(encoded):
        with torch.inference_mode():
            views = network(rows[[place]])
        for view, names in network.views.items():
            parts = {name: columns[name] for name in names if name in columns}
            held = [part for part in parts.values() if part is not None]
            if not held or len(held) < len(parts):
                continue
            mean = means([network.columns[name] for name in parts], np.stack(held))
            _widen(found, Modality.WHOLE, views[view].rows[0].numpy(), model.fuse(mean)[0])
    return found


def _scores(model: Model, network: Network, objective: TotalLoss, rows: Rows, n: int) -> dict[str, float]:
    """Torch's score of all pairs of rows of two views against the engine's of each pair, on the same rows."""
    assert model.scorer is not None
    with torch.inference_mode():
        views = [view.rows[view.present] for view in network(rows[list(range(n))]).values()]
        found: dict[str, float] = {}
        for a, b in _pairs(views):
            ours = objective.score(a, b).numpy()
            theirs = model.scorer(a.repeat_interleave(len(b), 0).numpy(), b.repeat(len(a), 1).numpy())
            scale = max(1.0, float(np.abs(ours).max()))
            _widen(found, SCORES, ours.ravel() / scale, theirs / scale)
    return found


def _pairs(views: Sequence[torch.Tensor]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Each view with the next; a single one with itself."""
    for a, b in zip(views, [*views[1:], views[0]], strict=True):
        if len(a) and len(b):
            yield a, b


def _widen(found: dict[str, float], what: str, ours: Array, theirs: Array) -> None:
    """Not a number on one side is as far apart as can be."""
    difference = float(np.abs(ours - theirs).max())
    found[what] = max(found.get(what, 0.0), float("inf") if np.isnan(difference) else difference)


def network_row(network: Network, rows: Rows, place: int, column: str) -> Array:
    """(dim,): a column of one row in the shared space."""
    with torch.inference_mode():
        row: Array = network.aligned(rows[[place]], column)[0].numpy()
    return row


def engine_row(model: Model, prepared: Prepared, part: Part) -> Array | None:
    """(dim,): the same by the engine, from the encoder's mean over what the file holds; None where it holds several.

    A file of several windows is averaged before the head in training and after it in the engine: the same only where
    there is one.
    """
    (read,) = read_parts([part], prepared.encoders.reading, Limits(), workers=1)
    if not isinstance(read, list) or len(read) != 1:
        return None
    row: Array = model.encode(read)[0]
    return row
