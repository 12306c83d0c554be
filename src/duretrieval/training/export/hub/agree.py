"""The written folder, opened again by its own library, held against the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import normalize

from duretrieval.collection.reading import Road
from duretrieval.errors import ModelError
from duretrieval.model.model import Model
from duretrieval.training.build.frozen import Still
from duretrieval.training.build.prepare import Prepared
from duretrieval.training.export.hub.towers import SENTENCE, WITHOUT, Layout, Tower
from duretrieval.training.export.parity import COMPARED, TOLERANCE
from duretrieval.training.nets.text.transformer import TextTransformer, transformer
from duretrieval.types import Array, Modality, Part

Encode = Callable[[Sequence[Part]], Array]


def agree(place: Path, layout: Layout, towers: Sequence[Tower], prepared: Prepared) -> dict[Modality, float]:
    """The largest difference of vectors of a few training rows' parts, by modality; a modality without any is not here.

    Raises:
        ModelError: one is above `TOLERANCE`.
    """
    theirs = _opened(place, layout, towers[0])
    found: dict[Modality, float] = {}
    with Road(prepared.encoders.reading, prepared.limits, workers=1) as road:
        for tower in towers:
            parts = _parts(road, prepared, tower.modality)
            if parts:
                found[tower.modality] = float(np.abs(theirs(parts) - rows_of(tower, parts)).max())
    for modality, difference in found.items():
        if not difference <= TOLERANCE:
            raise ModelError(
                f"the {modality} vectors of {layout} differ from the run's by {difference:.1e}, more than {TOLERANCE}: "
                f"the library reads this model otherwise; {WITHOUT}"
            )
    return found


def rows_of(tower: Tower, parts: Sequence[Part]) -> Array:
    """The run's own vectors of parts: (n, dim) unit rows."""
    with torch.inference_mode():
        encoded = torch.cat([normalize(tower.net(**tower.net.prepare([part])), dim=1) for part in parts])
        rows = normalize(tower.head(encoded), dim=1)
        turned = rows if tower.canonical is None else tower.canonical(rows, tower.modality)
    found: Array = turned.numpy()
    return found


def _opened(place: Path, layout: Layout, first: Tower) -> Encode:
    if layout == SENTENCE:
        return Model.load(f"st:{place}").encode
    if isinstance(first.net, TextTransformer):
        net = transformer(
            str(place), pooling=first.net.pooling, max_tokens=first.net.max_tokens, prefix=first.net.prefix
        )
        return Still(net).encode
    return Model.load(f"{first.use}:{place}").encode


def _parts(road: Road, prepared: Prepared, modality: Modality) -> list[Part]:
    columns = [name for name, kind in prepared.columns.items() if kind is modality]
    samples = prepared.samples["train"]
    held = (sample.columns[name] for sample in samples for name in columns if name in sample.columns)
    found = road.read_all(islice(held, COMPARED))
    return [part for parts in found if isinstance(parts, list) for part in parts[:1]]
