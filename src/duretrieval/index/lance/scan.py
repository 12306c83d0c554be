"""Reading rows of a Lance dataset a batch at a time, and the clauses that choose them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from duretrieval.index.filters import quoted
from duretrieval.index.lance.rows import Row
from duretrieval.types import Array

_CHUNK = 1000  # values in one IN list
_BATCH = 1024  # rows read at a time


def batches(data: Any, columns: Any, clause: str | None) -> Iterator[pa.RecordBatch]:
    """The rows that `clause` fits, in batches; columns: names, or name -> SQL expression."""
    yield from data.scanner(columns=columns, filter=clause, batch_size=_BATCH).to_batches()


def rows(data: Any, columns: Any, clause: str | None) -> Iterator[Row]:
    """The same, row by row."""
    for batch in batches(data, columns, clause):
        yield from batch.to_pylist()


def matrix(column: Any, dim: int) -> Array:
    """A column of vectors as (n, dim) float32; zeros where it is null."""
    if column.null_count:
        out = np.zeros((len(column), dim), dtype=np.float32)
        out[column.is_valid().to_numpy(zero_copy_only=False)] = matrix(column.drop_null(), dim)
        return out
    return np.array(column.flatten(), dtype=np.float32).reshape(-1, dim)


def one_of(column: str, values: Iterable[str]) -> str:
    """The clause for rows whose column holds one of `values`; an empty list is no SQL."""
    return f"{column} IN ({', '.join(quoted(value) for value in values)})"


def both(a: str | None, b: str | None) -> str | None:
    """The clause for rows that fit both, where None fits all."""
    return f"({a}) AND ({b})" if a and b else a or b


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """Lists short enough for one IN."""
    held = list(values)
    for at in range(0, len(held), _CHUNK):
        yield held[at : at + _CHUNK]


def ids(data: Any, column: str, values: Iterable[str]) -> list[str]:
    """The items of which a column that belongs to the whole item holds one of `values`."""
    return [
        row["_item"]
        for chunk in chunks(dict.fromkeys(values))
        for row in rows(data, ["_item"], f"_n = 0 AND {one_of(column, chunk)}")
    ]
