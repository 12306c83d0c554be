"""Values in the cells of a table to the types that fields have."""

from __future__ import annotations

import math
import re
import shlex
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from duretrieval.types import Scalar

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?")
_NO_DAY = re.compile(r"0000|\d{4}-00|\d{4}-\d\d-00")
"""How databases and cameras write that there is no date; as text it would make a text of the whole column."""
_LARGEST = 2**63
BLANK = " \t\r\n\v\f\0\x85\xa0\u2028\u2029\u3000\u200b\u200e\u200f\u2060\ufeff"
"""Characters that say nothing at either end of a name: blanks, byte order marks, directions."""


class BadCell(ValueError):
    """A cell that cannot be used; the message names the column. Never leaves `read_manifest`."""


def scalar(value: Any, column: str, typed: bool) -> Scalar | None:
    """A field's value; None where the cell is empty, or holds a date that no calendar has.

    typed: whether the table knows numbers from strings (JSON, Parquet). In CSV everything is a string and what looks
    like a number, true or false becomes one; "007" stays a string.

    Raises:
        BadCell: a list, an object, bytes, or a whole number beyond 64 bits.
    """
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        if not -_LARGEST <= value < _LARGEST:
            raise BadCell(f"column '{column}' holds {value}, beyond 64 bits; write it as a string")
        return value
    if isinstance(value, str):
        return _from_text(clean(value), typed)
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, list) and value and all(isinstance(number, int | float) for number in value):
        raise BadCell(
            f"column '{column}' holds a list of numbers; if it is a vector of a picture, say --column "
            f"{shlex.quote(f'{column}=vector:image')} (or :text, :video, :audio), else give each number a column"
        )
    raise BadCell(f"column '{column}' holds a nested value ({type(value).__name__}); give each of its values a column")


def listed(value: Any) -> list[Any]:
    """What a cell holds: a list in it is several values, nothing is none, and neither is "not a number"."""
    values = value if isinstance(value, list | tuple) else [value]
    return [entry for entry in values if entry is not None and entry != "" and entry == entry]  # NaN is not itself


def string(value: Any, column: str) -> str:
    """One value of a cell of text or paths.

    Raises:
        BadCell: it is something else than a string or a number.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadCell(f"column '{column}' holds {type(value).__name__}, not text")
    return clean(str(value))


def one(value: Any, column: str) -> Any:
    """The only value of a cell; None where there is none.

    Raises:
        BadCell: there are several.
    """
    found = listed(value)
    if len(found) > 1:
        raise BadCell(f"column '{column}' holds {len(found)} values; give one")
    return found[0] if found else None


def clean(text: str) -> str:
    """Without NULs, and without half characters (lone surrogates): JSON can hold both, and a store neither."""
    text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def normal(name: str) -> str:
    """The name of a column as names are compared: letters of full width, capitals and blanks make no difference."""
    return unicodedata.normalize("NFKC", clean(name)).strip(BLANK).casefold()


def _from_text(text: str, typed: bool) -> Scalar | None:
    if not typed:
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        if found := _NUMBER.fullmatch(text):
            whole = found[2] is None and found[3] is None
            if whole and abs(int(text)) < _LARGEST:
                return int(text)
            if not whole and math.isfinite(float(text)):
                return float(text)
    if _DATE.fullmatch(text):
        if _NO_DAY.match(text):
            return None
        try:
            return _utc(datetime.fromisoformat(text))
        except ValueError:
            return text
    return text


def _utc(when: datetime) -> datetime | None:
    """A time without a zone is taken for UTC, since nothing says better; None where the calendar ends before."""
    try:
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except OverflowError:
        return None
