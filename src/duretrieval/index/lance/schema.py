"""How items lie in a Lance table: one row a part, the item's fields repeated on each of its rows.

So a filter is applied before the vectors are compared, and keeps full recall. An item without parts (a file that cannot
be used) is one row without modality and vector. The store's own columns start with an underscore, so that users may
call their fields `id`, `text` or `type`; what a filter may name has its plain name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from duretrieval.errors import BadField
from duretrieval.types import Item

FORMAT = "1"
FORMAT_KEY = "duretrieval.store"

PART_COLUMNS = {
    "modality": pa.string(),
    "page": pa.int64(),
    "start_s": pa.float64(),
    "end_s": pa.float64(),
    "start_char": pa.int64(),
    "end_char": pa.int64(),
    "file": pa.string(),
}
ITEM_COLUMNS = {"source": pa.string(), "problem": pa.string()}
PLAIN = {**PART_COLUMNS, **ITEM_COLUMNS}

_WORDS = {
    pa.string(): "text",
    pa.int64(): "integer",
    pa.float64(): "number",
    pa.bool_(): "boolean",
    pa.timestamp("us", "UTC"): "date",
}
_PLURALS = {"text": "text", "integer": "integers", "number": "numbers", "boolean": "true or false", "date": "dates"}


def schema(dim: int, metadata: Mapping[str, str]) -> pa.Schema:
    """The columns of an empty store for vectors of `dim` components.

    `_id` is not nullable and marked as primary key: without that, two processes that merge the same new rows at the
    same time both succeed, and double them.
    """
    key = {"lance-schema:unenforced-primary-key": "true"}
    columns = [
        pa.field("_id", pa.string(), nullable=False, metadata=key),
        pa.field("_item", pa.string(), nullable=False),
        pa.field("_n", pa.int32(), nullable=False),
        pa.field("_parts", pa.int32(), nullable=False),
        pa.field("_vector", pa.list_(pa.float32(), dim)),
        pa.field("_model", pa.string()),
        pa.field("_text", pa.string()),
        pa.field("_stamp", pa.string()),
        pa.field("_digest", pa.string()),
        *(pa.field(name, kind) for name, kind in PLAIN.items()),
    ]
    stored: Any = {FORMAT_KEY: FORMAT, **metadata}
    return pa.schema(columns, metadata=stored)


def user_fields(table: pa.Schema) -> dict[str, pa.DataType]:
    """The fields that items brought, with their types."""
    return {field.name: field.type for field in table if field.name not in PLAIN and not field.name.startswith("_")}


def words(table: pa.Schema) -> dict[str, str]:
    """What a filter may name, and what each holds: name -> "text", "integer", "number", "boolean" or "date"."""
    return {name: _WORDS[kind] for name, kind in {**PLAIN, **user_fields(table)}.items()}


def grown(known: Mapping[str, pa.DataType], items: Iterable[Item]) -> dict[str, pa.DataType]:
    """The user fields with what `items` bring: new ones, and integers widened to numbers where a fraction arrives.

    Raises:
        BadField: a name that cannot be a field's, a value that no field holds, or one of another type than the
            field has.
    """
    types = dict(known)
    for item in items:
        for name, value in item.fields.items():
            if value is None:
                continue
            if name not in types:
                _check_name(name, item)
            brought = _kind(name, value, item)
            held = types.setdefault(name, brought)
            if held == brought or (held, brought) == (pa.float64(), pa.int64()):
                continue
            if (held, brought) != (pa.int64(), pa.float64()):
                raise BadField(
                    f"field {name!r} holds {_PLURALS[_WORDS[held]]} here; item {item.id!r} brings "
                    f"{_WORDS[brought]} {value!r}. Convert the value, or give it a field of its own.",
                    item.id,
                    name,
                )
            types[name] = brought
    return types


def _check_name(name: str, item: Item) -> None:
    if name in PLAIN:
        raise BadField(
            f"item {item.id!r} has a field {name!r}, a name the store needs itself; rename it. "
            f"Such names are: {', '.join(PLAIN)}",
            item.id,
            name,
        )
    if not name or name.startswith("_") or not name.isprintable() or any(sign in name for sign in ".`"):
        raise BadField(
            f"item {item.id!r} has a field {name!r}; rename it: a name has at least one character, all of them "
            "printable, no dot and no backtick, and does not start with an underscore",
            item.id,
            name,
        )


def _kind(name: str, value: Any, item: Item) -> pa.DataType:
    match value:
        case bool():
            return pa.bool_()
        case int() if -(2**63) <= value < 2**63:
            return pa.int64()
        case float():
            return pa.float64()
        case str():
            return pa.string()
        case datetime():
            return pa.timestamp("us", "UTC")
        case int():
            raise BadField(
                f"field {name!r} of item {item.id!r} is {value}, past 64 bits; bring it as text", item.id, name
            )
    raise BadField(
        f"field {name!r} of item {item.id!r} is a {type(value).__name__}; a field holds text, a number, "
        "true or false, or a date and time",
        item.id,
        name,
    )


def same(a: Any, b: Any) -> bool:
    """Equality in which a NaN equals itself."""
    return bool(a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b)))
