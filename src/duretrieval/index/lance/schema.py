"""How items lie in a Lance table: one row a part, the item's fields repeated on each of its rows.

So a filter is applied before the vectors are compared, and keeps full recall. An item without parts (a file that cannot
be used) is one row without modality and vector. The store's own columns start with an underscore, so that users may
call their fields `id`, `text` or `type`; what a filter may name has its plain name.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from duretrieval.errors import ConfigError, UnfitFields
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
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 80
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
        UnfitFields: names that cannot be a field's, values that no field holds, or of another type than the field has;
            all of them.
    """
    types = dict(known)
    unfit: dict[str, dict[str, str]] = {}
    for item in items:
        for name, value in item.fields.items():
            try:
                if value is not None:
                    types[name] = _widened(types.get(name), name, value, item)
            except ConfigError as error:
                unfit.setdefault(item.id, {})[name] = str(error)
    if unfit:
        raise UnfitFields(unfit)
    return types


def _widened(held: pa.DataType | None, name: str, value: Any, item: Item) -> pa.DataType:
    """The type of a field that also holds `value`."""
    if held is None:
        _check_name(name, item)
    brought = _kind(name, value, item)
    if held in (None, brought) or (held, brought) == (pa.int64(), pa.float64()):
        return brought
    if (held, brought) == (pa.float64(), pa.int64()):
        return held
    raise ConfigError(
        f"field {name!r} holds {_PLURALS[_WORDS[held]]} here; item {_short(item.id)} brings "
        f"{_WORDS[brought]} {_short(value)}. Convert the value, or give it a field of its own."
    )


def _check_name(name: str, item: Item) -> None:
    if name in PLAIN:
        raise ConfigError(
            f"item {_short(item.id)} has a field {name!r}, a name the store needs itself; rename it. "
            f"Such names are: {', '.join(PLAIN)}"
        )
    if not name or name.startswith("_") or not name.isprintable() or any(sign in name for sign in ".`"):
        raise ConfigError(
            f"item {_short(item.id)} has a field {_short(name)}; rename it: a name has at least one character, all of "
            "them printable, no dot and no backtick, and does not start with an underscore"
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
            try:
                utc(value)
            except (OverflowError, ValueError) as error:
                raise ConfigError(
                    f"field {name!r} of item {_short(item.id)} is {value}, which no calendar holds in UTC; correct it"
                ) from error
            return pa.timestamp("us", "UTC")
        case int():
            raise ConfigError(
                f"field {name!r} of item {_short(item.id)} is {_short(value)}, past 64 bits; bring it as text"
            )
    raise ConfigError(
        f"field {name!r} of item {_short(item.id)} is a {type(value).__name__}; a field holds text, a number, "
        "true or false, or a date and time"
    )


def utc(when: datetime) -> datetime:
    """The same moment in UTC; a date without a zone counts as UTC."""
    return when.replace(tzinfo=UTC) if when.utcoffset() is None else when.astimezone(UTC)


def _short(value: object) -> str:
    """As Python writes it, where that is short."""
    if isinstance(value, int) and value.bit_length() > 1000:  # Python refuses to write long ones
        return f"a number of {value.bit_length():,} bits"
    return _SHORT.repr(value)


def same(a: Any, b: Any) -> bool:
    """Equality in which a NaN equals itself."""
    return bool(a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b)))
