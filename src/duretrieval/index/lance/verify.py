"""Read a whole Lance dataset and say what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from duretrieval.index.lance import rows as lance_rows
from duretrieval.index.lance import scan, schema
from duretrieval.index.lance.damage import files_of
from duretrieval.index.lance.failures import is_failure, reason
from duretrieval.index.lance.fault import Fault

_BATCH = 1024


def faults(data: Any, model: str | None, damaged: Collection[str] = ()) -> Iterator[Fault]:
    """What is wrong, as it is read; memory holds a batch of rows, incomplete items, and a number for every item.

    model: the fingerprint every vector should carry; None: that of the first vector.  damaged: files that are known to
    be, from which nothing is read.
    """
    unreadable: list[Fault] = []
    rows = _checked_rows(data, unreadable, model, damaged)
    fields = list(schema.user_fields(data.schema))
    seen: set[int] = set()
    for group in lance_rows.groups(rows):
        if (known := hash(group[0]["_item"])) in seen:
            yield Fault(group[0]["_item"], "is there more than once")
        seen.add(known)
        if not unreadable and not damaged:  # else parts may be missing for no other reason
            yield from _incomplete(group)
        yield from _differing(group, [*schema.ITEM_COLUMNS, "_parts", "_stamp", "_digest", *fields])
        yield from (Fault(group[0]["_item"], sentence) for row in group for sentence in row["faults"])
    yield from unreadable


def _checked_rows(
    data: Any, unreadable: list[Fault], model: str | None, damaged: Collection[str]
) -> Iterator[lance_rows.Row]:
    """Every row that can be read, without its vector but with what is wrong with it under "faults"."""
    for batch in readable(data, unreadable, damaged):
        lengths = _lengths(batch.column("_vector"))
        for row, length in zip(batch.drop_columns(["_vector"]).to_pylist(), lengths, strict=True):
            if model is None:
                model = row["_model"]
            row["faults"] = [f"part {row['_n']} {what}" for what in _row_faults(row, length, model)]
            yield row


def readable(
    data: Any, unreadable: list[Fault], damaged: Collection[str], columns: list[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Every batch that can be read without the damaged files; what else cannot goes to `unreadable`."""
    for fragment in data.get_fragments():
        files = files_of(fragment)
        if any(name in damaged for name in files):
            continue
        try:
            batches = iter(fragment.scanner(columns=columns, batch_size=_BATCH).to_batches())
            while (batch := next(batches, None)) is not None:
                yield batch
        except BaseException as error:
            if not is_failure(error):
                raise
            unreadable.append(Fault(", ".join(files), reason(error)))


def _lengths(column: Any) -> list[float | None]:
    """The length of each vector, None where there is none."""
    norms = np.linalg.norm(scan.matrix(column, column.type.list_size), axis=1).tolist()
    return [norm if valid else None for norm, valid in zip(norms, column.is_valid().to_pylist(), strict=True)]


def _row_faults(row: lance_rows.Row, length: float | None, model: str | None) -> Iterator[str]:
    if row["modality"] is None:
        if length is not None:
            yield "has a vector but no modality"
        return
    if length is None:
        yield f"is {row['modality']} but has no vector"
    elif not np.isfinite(length):
        yield "has a vector that is not finite"
    elif abs(length - 1) > lance_rows.UNIT_TOLERANCE:
        yield f"has a vector of length {length:.4g} instead of 1"
    if row["_model"] != model:
        yield f"has a vector of model {row['_model']}, not {model}"


def _incomplete(group: Sequence[lance_rows.Row]) -> Iterator[Fault]:
    wanted = list(range(max(1, group[0]["_parts"])))
    found = sorted(row["_n"] for row in group)
    if found != wanted:
        yield Fault(group[0]["_item"], f"should have {len(wanted)} rows, and has those numbered {found}")


def _differing(group: Sequence[lance_rows.Row], columns: Sequence[str]) -> Iterator[Fault]:
    for name in columns:
        if not all(schema.same(row[name], group[0][name]) for row in group[1:]):
            yield Fault(group[0]["_item"], f"has parts that differ in {name!r}, which belongs to the whole item")
