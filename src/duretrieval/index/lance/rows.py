"""Items to rows of the Lance table, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.index.lance.schema import user_fields, utc
from duretrieval.types import Array, Item, Modality, Part

Row = dict[str, Any]

UNIT_TOLERANCE = 1e-3
"""How far from 1 the length of a stored vector may be: half precision passes, a vector nobody scaled does not."""


def checked(item: Item, vectors: Array, dim: int) -> Array:
    """The vectors of one item as the store keeps them, (parts, dim) float32 unit rows.

    Raises:
        ShapeError: another shape, or a row that is not finite or not of length 1.
    """
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    expected = (len(item.parts), dim)
    if rows.shape != expected and not (rows.size == 0 and not item.parts):
        raise ShapeError(f"item {item.id!r} has {expected[0]} parts, so expected vectors {expected}; got {rows.shape}")
    lengths = np.linalg.norm(rows.reshape(expected), axis=1)
    bad = np.flatnonzero(~(np.abs(lengths - 1) <= UNIT_TOLERANCE))
    if len(bad):
        what = f"has length {lengths[bad[0]]:.4g}" if np.isfinite(lengths[bad[0]]) else "is not finite"
        raise ShapeError(f"item {item.id!r}: the vector of part {bad[0]} {what}; an encoder must give unit rows")
    return rows.reshape(expected)


def table(items: Sequence[Item], vectors: Sequence[Array], model: str, schema: pa.Schema) -> pa.Table:
    """One row a part, in order; a single row without modality and vector for an item without parts.

    vectors[i]: (parts of item i, dim) float32 unit rows.  schema: with every field of the items in it.
    """
    owners = [item for item in items for _ in range(max(1, len(item.parts)))]
    parts = [part for item in items for part in (item.parts or (None,))]
    numbers = [n for item in items for n in range(max(1, len(item.parts)))]
    columns: dict[str, Any] = {
        "_id": [f"{item.id}/{n}" for item, n in zip(owners, numbers, strict=True)],
        "_item": [item.id for item in owners],
        "_n": numbers,
        "_parts": [len(item.parts) for item in owners],
        "_vector": _vector_column(vectors, [part is not None for part in parts], schema.field("_vector").type),
        "_model": [model if part else None for part in parts],
        "_text": [_text(part) for part in parts],
        "_stamp": [item.stamp for item in owners],
        "_digest": [item.digest for item in owners],
        "modality": [part.modality.value if part else None for part in parts],
        "source": [item.source for item in owners],
        "problem": [item.problem for item in owners],
    }
    for name in ("page", "start_s", "end_s", "start_char", "end_char", "file"):
        columns[name] = [getattr(part, name) if part else None for part in parts]
    for name, kind in user_fields(schema).items():
        columns[name] = [_value(item.fields.get(name), kind) for item in owners]
    try:
        arrays = [_array(columns.get(field.name), len(owners), field.type) for field in schema]
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"{error.object!r} is not valid Unicode, so no store can keep it; rename the file, or correct the field"
        ) from error
    return pa.Table.from_arrays(arrays, schema=schema)


def items(rows: Iterable[Row], fields: Mapping[str, pa.DataType]) -> Iterator[Item]:
    """Whole items from their rows; rows of different items may alternate, and those of one come in any order.

    Each item is given out with its last row, so memory holds the unfinished ones only.
    """
    for group in groups(rows):
        yield item(group, fields)


def groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """All rows of one item after another, by part, told by `_item`, `_n` and `_parts`; the unfinished ones last."""
    pending: dict[str, list[Row]] = {}
    for row in rows:
        group = pending.setdefault(row["_item"], [])
        group.append(row)
        if len(group) >= row["_parts"]:
            yield sorted(pending.pop(row["_item"]), key=lambda row: row["_n"])
    yield from pending.values()


def item(group: Sequence[Row], fields: Mapping[str, pa.DataType]) -> Item:
    """The item whose rows these are."""
    first = group[0]
    return Item(
        id=first["_item"],
        source=first["source"],
        parts=tuple(_part(row) for row in group if row["modality"] is not None),
        fields={name: _moment(first[name]) for name in fields if first[name] is not None},
        stamp=first["_stamp"],
        digest=first["_digest"],
        problem=first["problem"],
    )


def _part(row: Row) -> Part:
    return Part(
        modality=Modality(row["modality"]),
        content=row["_text"],
        start_s=row["start_s"],
        end_s=row["end_s"],
        page=row["page"],
        start_char=row["start_char"],
        end_char=row["end_char"],
        file=row["file"],
    )


def _text(part: Part | None) -> str | None:
    if part is None or part.modality is not Modality.TEXT or not isinstance(part.content, str):
        return None
    return part.content


def _value(value: Any, kind: pa.DataType) -> Any:
    """A field's value as its column holds it."""
    if isinstance(value, datetime):
        return utc(value)
    return float(value) if value is not None and kind == pa.float64() else value


def _moment(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _array(values: Any, n: int, kind: Any) -> Any:
    if values is None:
        return pa.nulls(n, kind)
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _vector_column(vectors: Sequence[Array], present: Sequence[bool], kind: Any) -> Any:
    """(rows, dim) as one fixed-size-list column, null where there is no part."""
    flat = np.zeros((len(present), kind.list_size), dtype=np.float32)
    if any(present):
        flat[np.asarray(present)] = np.concatenate([rows for rows in vectors if len(rows)])
    missing: Any = pa.array(~np.asarray(present, dtype=bool))
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), type=kind, mask=missing)
