"""Vectors of parts that have nothing to do with a query, for a model that is exported."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from duretrieval.fuse.background import background
from duretrieval.model.model import Model
from duretrieval.protocols import Encoder
from duretrieval.training.build.network import Network
from duretrieval.training.build.prepare import Prepared
from duretrieval.training.data.batch import View
from duretrieval.training.data.batches import Rows
from duretrieval.training.fit.validation import BATCH, views_of
from duretrieval.training.recipe.films import ALIKE
from duretrieval.types import Array, Modality


def aligned(network: Network, rows: Rows, modality: Modality, at: list[int] | None = None) -> Array:
    """The vectors of a modality's windows in the shared space, before fusion, as an index has its parts: (w, dim)."""
    network.eval()
    rows = rows.plain()
    found = [np.zeros((0, 1), np.float32)]
    places = list(range(len(rows))) if at is None else at
    with torch.inference_mode():
        for batch in rows.batches(places[start : start + BATCH] for start in range(0, len(places), BATCH)):
            for name, kind in network.columns.items():
                if kind is modality:
                    found.append(network.windows(batch, name).numpy())
    there = [rows for rows in found if len(rows)]
    return np.concatenate(there) if there else found[0]


def backgrounds(prepared: Prepared, network: Network) -> dict[Modality, Array]:
    """Vectors of training rows by modality, and of whole items where they are fused."""
    rows = prepared.rows["train"]
    found = {m: aligned(network, rows, m) for m in dict.fromkeys(prepared.columns.values())}
    if network.fusion is not None:
        views = views_of(network, rows)
        found[Modality.WHOLE] = np.concatenate([_there(view) for view in views.values()])
    return background({m: vectors for m, vectors in found.items() if len(vectors)})


def with_borrowed(
    found: dict[Modality, Array], encoders: Mapping[Modality, Encoder], columns: set[Modality]
) -> dict[Modality, Array]:
    """A background for what had no training rows, too: scores of a modality without one could not be compared.

    Films and pictures of one encoder have each other's; what is `kept` of the built-in model has the one it had there.
    """
    for lacking in sorted(set(encoders) - columns):
        other = ALIKE.get(lacking)
        if other in found and encoders.get(other) is encoders[lacking]:
            found[lacking] = found[other]
        elif lacking in (usual := Model.load().background):
            found[lacking] = usual[lacking]
    return found


def _there(view: View) -> Array:
    rows: Array = view.rows[view.present].numpy()
    return rows
