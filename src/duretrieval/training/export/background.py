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
from duretrieval.training.data.batches import Rows
from duretrieval.training.fit.validation import BATCH, views_of
from duretrieval.training.recipe.films import ALIKE
from duretrieval.types import Array, Modality


def windows_of(network: Network, rows: Rows) -> dict[Modality, Array]:
    """Vectors of all windows in the shared space, before fusion, as an index has its parts: modality -> (w, dim)."""
    network.eval()
    rows = rows.plain()
    found: dict[Modality, list[Array]] = {}
    with torch.inference_mode():
        for batch in rows.batches(range(at, min(at + BATCH, len(rows))) for at in range(0, len(rows), BATCH)):
            for name, modality in network.columns.items():
                if modality in network.tokens:
                    vectors = network.aligned(batch, name)[batch.present[name]]
                else:
                    vectors = network.windows(batch, name)
                found.setdefault(modality, []).append(vectors.numpy())
    return {modality: np.concatenate(held) for modality, held in found.items()}


def backgrounds(vectors: Mapping[Modality, Array], prepared: Prepared, network: Network) -> dict[Modality, Array]:
    """Of training rows by modality, whose windows have these vectors, and of whole items where they are fused."""
    found = dict(vectors)
    if network.fusion is not None:
        views = views_of(network, prepared.rows["train"]).values()
        found[Modality.WHOLE] = np.concatenate([view.rows[view.present].numpy() for view in views])
    return background({modality: held for modality, held in found.items() if len(held)})


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
