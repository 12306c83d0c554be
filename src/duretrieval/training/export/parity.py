"""The exported model held against torch: vectors of parts and of whole items, and scores of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch

from duretrieval.collection.reading import Road
from duretrieval.errors import ModelError
from duretrieval.fuse.graph import Beside, beside, middle
from duretrieval.fuse.means import mean, means
from duretrieval.model.model import Model
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import TotalLoss
from duretrieval.training.build.prepare import Prepared
from duretrieval.training.data.batch import Batch
from duretrieval.training.data.batches import Rows
from duretrieval.training.data.content import load
from duretrieval.types import Array, Modality, Part

TOLERANCE = 1e-4
"""How far the engine's numbers may be from torch's."""
COMPARED = 16
"""Rows that are compared."""
WINDOWS = 8
"""Of a file that an encoder that learns reads; of others, all that a row of training has."""
SCORES = "scores"


def compare(model: Model, prepared: Prepared, network: Network, objective: TotalLoss) -> dict[str, float]:
    """The largest difference between the engine and torch on a few training rows, by modality.

    A row of several windows has their mean in both (`fuse.means`).  "whole" is that of fused items, "scores" that of
    the learned score of pairs, as a share of the largest score where that is above 1.

    Raises:
        ModelError: one is above `TOLERANCE`.
    """
    network.eval()
    objective.eval()
    samples, rows = prepared.samples["train"][:COMPARED], prepared.rows["train"]
    reading, limits = prepared.encoders.reading, prepared.limits
    found: dict[str, float] = {}
    with Road(reading, limits, workers=1) as road:
        whole = rows.plain(lambda part: _windows(road, part) or [load(part, road.pool)])
        for place, sample in enumerate(samples):
            batch = whole[[place]]
            there = [name for name in network.columns if name in sample.columns and bool(batch.present[name])]
            engine = {name: _engine_rows(model, prepared, road, sample.columns[name]) for name in there}
            around = {name: _neighbours(model, prepared, road, batch, network.views[name]) for name in network.looking}
            _compare_row(found, model, network, batch, engine, around)
    if model.scorer is not None:
        found |= _scores(model, network, objective, rows.plain(), len(samples))
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


def _compare_row(
    found: dict[str, float],
    model: Model,
    network: Network,
    batch: Batch,
    engine: Mapping[str, Array | None],
    around: Mapping[str, Beside | None],
) -> None:
    """engine: column -> (w, dim) by the engine, of the columns that the row has; None: it cannot be compared.

    around: view that looks at neighbours -> what the engine has of them, or None likewise.
    """
    with torch.inference_mode():
        for name, theirs in engine.items():
            if theirs is not None:
                _widen(found, network.columns[name], network.aligned(batch, name)[0].numpy(), mean(theirs))
        views = network(batch) if model.fusion is not None else {}
    for view, row in views.items():
        parts = {name: engine[name] for name in network.views[view] if name in engine}
        held = [part for part in parts.values() if part is not None]
        seen = around.get(view)
        readable = len(held) == len(parts) and (view not in around or seen is not None)
        if held and readable:  # what the engine's fusion makes of the engine's parts, as of an item
            kinds = [network.columns[name] for name, rows in zip(parts, held, strict=True) for _ in rows]
            mixed = means(kinds, np.concatenate(held))
            _widen(found, Modality.WHOLE, row.rows[0].numpy(), model.fuse(mixed, seen)[0])


def _neighbours(model: Model, prepared: Prepared, road: Road, batch: Batch, columns: Sequence[str]) -> Beside | None:
    """Those of the batch's one row, each as the engine reads its columns; None where it does not read them all."""
    found: list[tuple[Array, int]] = []
    around = batch.around
    for at, kind in [] if around is None else zip(around.places[0].tolist(), around.kinds[0].tolist(), strict=True):
        assert around is not None
        sample = prepared.samples["train"][int(around.batch.rows[at])]
        there = [name for name in columns if name in sample.columns and bool(around.batch.present[name][at])]
        read = [(prepared.columns[name], _engine_rows(model, prepared, road, sample.columns[name])) for name in there]
        rows = [(kind_of, part) for kind_of, part in read if part is not None]
        if len(rows) < len(there):
            return None
        kinds = [modality for modality, part in rows for _ in part]
        if kinds:
            found.append((middle(means(kinds, np.concatenate([part for _, part in rows]))), kind))
    return beside([found], model.dim)


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


def _windows(road: Road, part: Part) -> list[Part]:
    """What the engine reads of a part, `WINDOWS` of it at most.

    Nothing of an animated picture in a column of pictures, of which training takes the first frame.
    """
    (read,) = road.read_all([part])
    return read[:WINDOWS] if isinstance(read, list) else []


def _engine_rows(model: Model, prepared: Prepared, road: Road, part: Part) -> Array | None:
    """(w, dim): the engine's rows of what the file holds, or of what a net read of it; None where it reads nothing."""
    if part.modality in prepared.encoders.nets:
        read = _windows(road, part)
    else:
        (found,) = road.read_all([part])
        read = found if isinstance(found, list) else []
    return model.encode(read) if read else None
