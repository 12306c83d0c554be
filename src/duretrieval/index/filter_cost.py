"""What a filter may cost: a row at a time, a few plain functions and a bounded number of operators.

The SQL engine beneath also knows `repeat` and `rpad`, which take gigabytes for a row, and ends the whole process by a
stack overflow where some hundreds of operators follow one another. A filter that keeps to these bounds costs at most
some microseconds a row, so that no clock is needed to stop it: no clock could, once it runs in native code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import pairwise

from duretrieval.errors import QueryError

CHARACTERS = 50_000
OPERATORS = 100
"""Comparisons, sums, casts, NOT, IS, LIKE, IN, BETWEEN; the engine's stack ends at 600 or so."""
PIECES = 1_000
"""Words, signs and values outside lists."""
DEPTH = 30
"""Brackets in brackets; the engine's parser ends at 50."""

FUNCTIONS = frozenset(
    [
        *("lower", "upper", "initcap", "btrim", "ltrim", "rtrim", "length", "char_length"),
        *("character_length", "left", "right", "strpos", "contains", "starts_with", "ends_with", "coalesce"),
        *("ifnull", "nvl", "nullif", "abs", "round", "sqrt", "isnan", "now", "current_date", "date_part"),
        *("date_trunc", "cast", "try_cast"),
    ]
)
"""None gives more than it is given, or takes longer than to read it."""
TYPES = frozenset(
    [
        *("boolean", "int", "integer", "bigint", "smallint", "tinyint", "float", "double", "decimal"),
        *("string", "date", "timestamp"),
    ]
)
_OPERATORS = frozenset(["not", "is", "like", "ilike", "in", "between"])
_CLAUSES = frozenset([*_OPERATORS, "and", "or", "as", "escape"])
_PLAIN = frozenset(["null", "true", "false", "timestamp", "date"])

Piece = tuple[str, str]
"""Kind ("text", "field", "number", "name", "word", "sign") and text."""


def check_length(where: str) -> None:
    """Before it is read at all.

    Raises:
        QueryError: it is too long.
    """
    if len(where) > CHARACTERS:
        raise QueryError(
            f"the filter has {len(where):,} characters, above {CHARACTERS:,}; ask for fewer values at a time"
        )


def check_cost(pieces: Sequence[Piece], where: str) -> None:
    """pieces: those of the filter, names told apart, without white space.

    Raises:
        QueryError: it calls what is not in `FUNCTIONS`, casts to what is not in `TYPES`, joins texts, holds a comment,
            or is too large or too deep.
    """
    for piece in pieces:
        if piece[1] in ("||", "--", "/*"):
            raise QueryError(f"{piece[1]!r} cannot be used in a filter (in {short(where)}); {_REMEDIES[piece[1]]}")
    for i, piece in enumerate(pieces):
        _check_name(piece, pieces[i - 1] if i else ("", ""), pieces[i + 1] if i + 1 < len(pieces) else ("", ""), where)
    loose = list(_loose(pieces))
    operators = sum(_is_operator(piece) for piece in loose)
    for amount, most, what in ((operators, OPERATORS, "operators"), (len(loose), PIECES, "words, signs and values")):
        if amount > most:
            raise QueryError(
                f"the filter {short(where)} has {amount:,} {what}, above {most:,}; "
                "write field IN ('a', 'b', ...) instead of many comparisons"
            )
    if (deepest := _deepest(pieces)) > DEPTH:
        raise QueryError(
            f"the filter {short(where)} has brackets {deepest} deep, above {DEPTH}; leave out some of them"
        )


def short(where: str) -> str:
    """A filter as messages quote it."""
    return repr(where if len(where) <= 200 else where[:200] + "...")


_REMEDIES = {
    "||": "compare each of the texts by itself",
    "--": "it would begin a comment; put a space between the signs",
    "/*": "it would begin a comment; put a space between the signs",
}


def _check_name(piece: Piece, before: Piece, after: Piece, where: str) -> None:
    kind, text = piece
    name = text.lower()
    if before[1] == "::" or (before[0] == "word" and before[1].lower() == "as"):
        if name not in TYPES:
            raise _unknown("type", name, TYPES, where)
    elif after[1] == "(" and kind == "field":
        raise QueryError(
            f"`{text}` is a field and cannot be called (in the filter {short(where)}); leave out the bracket"
        )
    elif after[1] == "(" and kind == "word" and name not in _CLAUSES and name not in FUNCTIONS:
        raise _unknown("function", name, FUNCTIONS, where)


def _unknown(what: str, name: str, known: frozenset[str], where: str) -> QueryError:
    near = get_close_matches(name, sorted(known), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    there = ", ".join(sorted(known))
    return QueryError(f"no {what} {name[:50]!r} in filters (in {short(where)}).{hint} There are: {there}")


def _is_operator(piece: Piece) -> bool:
    return piece[1] not in (",", "(", ")") if piece[0] == "sign" else piece[1].lower() in _OPERATORS


def _loose(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """All but the plain values in IN (...), of which there may be many: the engine looks them up in a table."""
    listed = False
    for (before, now), after in zip(pairwise([("", ""), *pieces]), [*pieces[1:], ("", "")], strict=True):
        if now[1] == "(":
            listed = before[0] == "word" and before[1].lower() == "in"
        elif now[1] == ")":
            listed = False
        negative = now[1] == "-" and before[1] in ("(", ",") and after[0] == "number"
        value = now[0] in ("text", "number") or now[1] == "," or now[1].lower() in _PLAIN or negative
        if not (listed and value):
            yield now


def _deepest(pieces: Sequence[Piece]) -> int:
    depth = deepest = 0
    for _, text in pieces:
        depth += (text == "(") - (text == ")")
        deepest = max(deepest, depth)
    return deepest
