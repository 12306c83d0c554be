"""Which rows a run learned from, and which it was judged by: as names in a file, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from duretrieval.errors import MediaError
from duretrieval.training.data.feature_cache import content_digest
from duretrieval.training.data.read import SPLITS
from duretrieval.training.data.sample import Sample
from duretrieval.training.data.splits import Splits
from duretrieval.types import Part


def ids_of(parts: Splits) -> dict[str, list[str]]:
    """split -> ids of its rows, in order."""
    return {name: [sample.id for sample in parts[name]] for name in SPLITS}


def divided(samples: Sequence[Sample], ids: Mapping[str, Sequence[str]]) -> Splits:
    """Samples divided as `ids_of` says; those that it does not name are left out, and so is what is not there.

    Rows of one id are taken in their order.  That they are the rows they were, `digest_of` says.
    """
    known: dict[str, list[Sample]] = {}
    for sample in reversed(samples):
        known.setdefault(sample.id, []).append(sample)
    train, val, test = (
        tuple(replace(known[one].pop(), split=name) for one in ids[name] if known.get(one)) for name in SPLITS
    )
    return Splits(train, val, test)


def digest_of(parts: Splits) -> str:
    """Changes when the rows, their split, or the files they name do."""
    held = hashlib.sha256()
    for name in SPLITS:
        for sample in parts[name]:
            held.update(f"{name}\0{sample.id}\0{sample.key}\0{sample.label}\0".encode())
            if sample.score is not None:
                held.update(f"{sample.score}\0".encode())
            for kind, other in sample.related:
                held.update(f"{kind}\0{other}\0".encode())
            for column, part in sample.parts():
                held.update(column.encode() + _known(part))
    return held.hexdigest()[:16]


def _known(part: Part) -> bytes:
    try:
        return content_digest(part)
    except MediaError:
        return b"missing"
