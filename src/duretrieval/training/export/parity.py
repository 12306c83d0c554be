"""The exported model held against torch: vectors of parts and of whole items, and scores of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

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
            read = {name: _read(prepared, road, sample.columns[name]) for name in there}
            engine = {name: model.sequences(parts) if parts else None for name, parts in read.items()}
            around = {name: _neighbours(model, prepared, road, batch, network.views[name]) for name in network.looking}
            _compare_row(found, model, network, _precise(batch, prepared, network, read), engine, around)
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
    engine: Mapping[str, list[Array] | None],
    around: Mapping[str, Beside | None],
) -> None:
    """engine: column -> (t, dim) of each of its parts, of the columns that the row has; None: it cannot be compared.

    around: view that looks at neighbours -> what the engine has of them, or None likewise.
    """
    with torch.inference_mode():
        for name, theirs in engine.items():
            if theirs is not None:
                kind = network.columns[name]
                if kind in network.tokens:
                    _widen(found, kind, network.token_rows(batch, name)[0].numpy(), np.concatenate(theirs))
                else:
                    _widen(found, kind, network.aligned(batch, name)[0].numpy(), mean(np.concatenate(theirs)))
        views = network(batch) if model.fusion is not None else {}
    for view, row in views.items():
        parts = {name: engine[name] for name in network.views[view] if name in engine}
        held = [part for part in parts.values() if part is not None]
        seen = around.get(view)
        readable = len(held) == len(parts) and (view not in around or seen is not None)
        if held and readable:  # what the engine's fusion makes of the engine's parts, as of an item
            kinds = [network.columns[name] for name, rows in zip(parts, held, strict=True) for _ in rows]
            sequences = [sequence for part in held for sequence in part]
            if seen is None:
                fused = model.whole(kinds, sequences)
            else:
                fused = model.fuse(means(kinds, np.concatenate(sequences)), seen)[0]
            _widen(found, Modality.WHOLE, row.rows[0].numpy(), fused)


def _neighbours(model: Model, prepared: Prepared, road: Road, batch: Batch, columns: Sequence[str]) -> Beside | None:
    """Those of the batch's one row, each as the engine reads its columns; None where it does not read them all."""
    found: list[tuple[Array, int]] = []
    around = batch.around
    for at, kind in [] if around is None else zip(around.places[0].tolist(), around.kinds[0].tolist(), strict=True):
        assert around is not None
        sample = prepared.samples["train"][int(around.batch.rows[at])]
        there = [name for name in columns if name in sample.columns and bool(around.batch.present[name][at])]
        read = [_read(prepared, road, sample.columns[name]) for name in there]
        if not all(read):
            return None
        parts = [part for held in read for part in held]
        if parts:
            kinds = [part.modality for part in parts]
            found.append((middle(means(kinds, np.concatenate(model.sequences(parts)))), kind))
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


def _read(prepared: Prepared, road: Road, part: Part) -> list[Part]:
    """What the file holds, or what a net read of it; none where the engine reads nothing."""
    if part.modality in prepared.encoders.nets:
        return _windows(road, part)
    (found,) = road.read_all([part])
    return found if isinstance(found, list) else []


def _precise(batch: Batch, prepared: Prepared, network: Network, read: Mapping[str, list[Part]]) -> Batch:
    """The batch of one row with the tokens of frozen encoders as these give them: they are kept in half precision."""
    inputs, owners = dict(batch.inputs), dict(batch.owners)
    for name, parts in read.items():
        modality = network.columns[name]
        if parts and modality in network.tokens and modality in prepared.encoders.frozen:
            rows = torch.from_numpy(np.concatenate(prepared.encoders.frozen[modality].sequences(parts)))
            inputs[name], owners[name] = {"rows": rows}, torch.zeros(len(rows), dtype=torch.int64)
    return replace(batch, inputs=inputs, owners=owners)
