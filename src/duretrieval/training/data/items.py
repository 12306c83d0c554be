"""What a reader gives, as items to index: a data set is searched as it is trained with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from duretrieval.errors import MediaError
from duretrieval.media.relations import RELATED, written
from duretrieval.training.data.feature_cache import content_digest
from duretrieval.training.data.sample import Sample
from duretrieval.types import Item, Part


def items_of(samples: Iterable[Sample], path: str | Path) -> Iterator[Item]:
    """An item a row, in their order: the parts of all samples that are choices of it, and its facts and relations.

    path: of the data; a source is `path#id`.  A stamp changes with the content, so what is unchanged is skipped.
    """
    rows: dict[str, list[Sample]] = {}
    for sample in samples:
        rows.setdefault(sample.row or sample.id, []).append(sample)
    for id_, choices in rows.items():
        parts: dict[bytes, Part] = {}
        for part in (part for sample in choices for part in sample.columns.values()):
            parts.setdefault(_known(part), part)
        first = choices[0]
        facts = {"label": first.label, "group": first.group, "split": first.split}
        fields = {name: value for name, value in facts.items() if value}
        if first.related:
            fields[RELATED] = written(first.related)
        stamp = hashlib.blake2b(b"".join(parts) + repr(fields).encode(), digest_size=8).hexdigest()
        yield Item(id_, f"{Path(path).absolute()}#{id_}", tuple(parts.values()), fields, stamp=stamp)


def _known(part: Part) -> bytes:
    """By what a part is known again; a file that is gone, by its name."""
    try:
        return content_digest(part)
    except MediaError:
        return str(part.content).encode("utf-8", "surrogateescape")
