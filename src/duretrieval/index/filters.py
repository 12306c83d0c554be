"""Filters over fields, written in SQL: read just far enough to name a typo and to say what the store wants to hear.

    check("taken > '2024-05' AND widht > 1000", fields)   UnknownField: no field 'widht'. Did you mean 'width'? ...

What a person may write and the store would refuse or misread is rewritten: names get backticks and their exact case,
ISO dates next to a date field become timestamps (UTC where they name no zone), and integer fields compare with 2.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Literal

from duretrieval.errors import DuretrievalError, QueryError, UnknownField
from duretrieval.index.filter_cost import check_cost, check_length, short

_TOKEN = re.compile(
    r"""(?P<space>\s+) | (?P<text>'(?:[^']|'')*') | (?P<field>`[^`]+`)
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?) | (?P<name>[^\W\d]\w*)
      | (?P<sign>--|/\*|<=|>=|<>|!=|==|::|\|\||[=<>+\-*/%(),])""",
    re.VERBOSE,
)
_KEYWORDS = frozenset(
    ["and", "or", "not", "in", "is", "null", "like", "ilike", "between", "true", "false", "as", "escape"]
)
_STAGES = (
    r"Invalid user input|LanceError\([^)]*\)|Error resolving filter expression .*?|External error|Arrow error|"
    r"Query Execution error|Error applying filter expression to batch"
)
"""Of the store's work, which it names before each complaint."""
_COMPARISONS = frozenset(["=", "==", "!=", "<>", "<", "<=", ">", ">="])
_TEMPORAL = frozenset(["timestamp", "date"])

Kind = Literal["space", "text", "field", "number", "name", "sign", "word"]


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that names only what there is: `sql` for the store, and the fields it reads."""

    sql: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Kind
    text: str


def check(where: str, fields: Mapping[str, str]) -> Filter:
    """Resolve the names in `where`; fields: name -> "text", "integer", "number", "boolean" or "date".

    Raises:
        UnknownField: it names a field that is not in `fields`; the message suggests and lists.
        QueryError: it is empty, holds something that is no filter, compares a date field with what is no date, or could
            cost more than a filter may.
    """
    check_length(where)
    tokens = list(_resolve(list(_tokens(where)), fields, where))
    check_cost([(token.kind, token.text) for token in tokens if token.kind != "space"], where)
    _balanced(tokens, where)
    names = frozenset(token.text for token in tokens if token.kind == "field")
    _dates(tokens, fields)
    return Filter("".join(_sql(condition, fields) for condition in _conditions(tokens)), names)


def quoted(text: str) -> str:
    """A value as SQL writes it: it's -> 'it''s'."""
    return "'" + text.replace("'", "''") + "'"


def named(field: str) -> str:
    """A field as a filter names it: width, `my field`."""
    plain = field.isidentifier() and field.isascii() and field.lower() not in _KEYWORDS
    return field if plain else f"`{field}`"


def unusable(where: str, complaint: str) -> QueryError:
    """The error for a filter that the store itself refuses, without the places in its source code."""
    plain = re.sub(r",? ?/\S+\.rs:\d+:\d+", "", complaint)
    plain = re.sub(rf"^(({_STAGES}): )+", "", plain)
    plain = plain.replace("SELECT 1 FROM t WHERE ", "").replace("`", "").replace("Utf8(", "(").strip()
    return QueryError(f"the filter {short(where)} cannot be used: {plain}")


@contextmanager
def answering(where: str | None) -> Iterator[None]:
    """While rows are read: what only then turns out not to work, such as a division by 0, is the filter's fault too.

    Raises:
        QueryError: there is a filter, and what failed is its arithmetic or a conversion, not the store.
    """
    try:
        yield
    except (ValueError, OSError, RuntimeError) as error:
        if where is None or isinstance(error, DuretrievalError) or not _COMPUTING.search(str(error)):
            raise
        raise unusable(where, str(error)) from error


_COMPUTING = re.compile(r"by zero|cast|\boverflow\b|out of range|arithmetic|convert|compute|invalid argument", re.I)
"""What DataFusion says where a value cannot be computed."""


def _tokens(where: str) -> Iterator[_Token]:
    at = 0
    while at < len(where):
        match = _TOKEN.match(where, at)
        if match is None:
            raise QueryError(
                f"the filter {short(where)} cannot be read from {short(where[at:])} on; {_remedy(where[at])}"
            )
        yield _Token(match.lastgroup, match.group())  # type: ignore[arg-type]
        at = match.end()


def _remedy(character: str) -> str:
    if character == "'":
        return "the quote is never closed (a quote inside text is written '')"
    if character == '"':
        return "write text in single quotes, 'jpg', and names as they are or in backticks"
    if character == "`":
        return "the backtick is never closed"
    return f"{character!r} has no meaning here; text goes in single quotes, names with signs in backticks"


def _resolve(tokens: list[_Token], fields: Mapping[str, str], where: str) -> Iterator[_Token]:
    """Tell names of fields from words of the language."""
    solid = [i for i, token in enumerate(tokens) if token.kind != "space"]
    if not solid:
        raise QueryError("the filter is empty; leave it out, or write one such as \"ext = 'jpg'\"")
    before: dict[int, _Token | None] = {}
    after: dict[int, _Token | None] = {}
    for place, i in enumerate(solid):
        before[i] = tokens[solid[place - 1]] if place else None
        after[i] = tokens[solid[place + 1]] if place + 1 < len(solid) else None
    for i, token in enumerate(tokens):
        if token.kind == "field":
            yield _Token("field", known(token.text[1:-1], fields, where))
        elif token.kind == "name" and not _is_word(token.text.lower(), before[i], after[i]):
            yield _Token("field", known(token.text, fields, where))
        else:
            yield replace(token, kind="word") if token.kind == "name" else token


def _is_word(name: str, before: _Token | None, after: _Token | None) -> bool:
    """Whether a bare name is a keyword, a function, a type after AS or ::, or the start of timestamp '...'."""
    if name in _KEYWORDS or (after is not None and after.text == "("):
        return True
    if before is not None and (before.text == "::" or (before.kind == "name" and before.text.lower() == "as")):
        return True
    return name in _TEMPORAL and after is not None and after.kind == "text"


def known(name: str, fields: Mapping[str, str], where: str | None = None) -> str:
    """The field meant by `name`: exactly, or else the only one that differs in case alone.

    where: the filter that names it.

    Raises:
        UnknownField: there is none; the message suggests and lists.
    """
    if name in fields:
        return name
    alike = [field for field in fields if field.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    near = get_close_matches(name, list(fields), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    there = ", ".join(field if _TOKEN.fullmatch(field) else f"`{field}`" for field in sorted(fields))
    within = f" (in the filter {short(where)})" if where else ""
    raise UnknownField(f"no field {short(name)}{within}.{hint} There are: {there}")


def _balanced(tokens: list[_Token], where: str) -> None:
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")") if token.kind == "sign" else 0
        if depth < 0:
            break
    if depth:
        raise QueryError(f"the brackets of the filter {short(where)} do not match; add or remove one")


def _dates(tokens: list[_Token], fields: Mapping[str, str]) -> None:
    """Turn text that is compared with a date field into a timestamp, in place: =, <, BETWEEN ... AND ..., IN (...)."""
    solid = [i for i, token in enumerate(tokens) if token.kind != "space"]
    for place, i in enumerate(solid):
        if tokens[i].kind != "field" or fields[tokens[i].text] != "date":
            continue
        back = solid[:place][::-1]
        for j in [*_operand_before(tokens, back), *_operands(tokens, solid[place + 1 :])]:
            tokens[j] = _moment(tokens[j], tokens[i].text)


def _operand_before(tokens: list[_Token], back: list[int]) -> list[int]:
    """The place of the text in `'2024-05-01' < taken`, where back[0] is the sign; none where it is typed already."""
    if len(back) < 2 or tokens[back[0]].text not in _COMPARISONS or tokens[back[1]].kind != "text":
        return []
    typed = len(back) > 2 and tokens[back[2]].text.lower() in _TEMPORAL
    return [] if typed else [back[1]]


def _operands(tokens: list[_Token], rest: list[int]) -> Iterator[int]:
    """Places of the texts that the comparison starting at rest[0] reads."""
    words = [tokens[j].text.lower() for j in rest]
    if words[:1] == ["not"]:
        rest, words = rest[1:], words[1:]
    if words[:1] and words[0] in _COMPARISONS:
        candidates = rest[1:2]
    elif words[:1] == ["between"]:
        candidates = [*rest[1:2], *(rest[3:4] if words[2:3] == ["and"] else [])]
    elif words[:2] == ["in", "("]:
        candidates = rest[2 : words.index(")") if ")" in words else None]
    else:
        return
    yield from (j for j in candidates if tokens[j].kind == "text")


def _moment(token: _Token, field: str) -> _Token:
    text = token.text[1:-1].strip()
    if re.fullmatch(r"\d{4}(-\d\d)?", text):
        text += "-01" if "-" in text else "-01-01"
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(
            f"{token.text} is no date{' in UTC' * isinstance(error, OverflowError)}, and field {field!r} holds dates; "
            "write '2024-05-31' or '2024-05-31T18:30:00+08:00'"
        ) from error
    return _Token("word", f"timestamp '{moment.isoformat(timespec='microseconds')}'")


def _conditions(tokens: Iterable[_Token]) -> Iterator[list[_Token]]:
    """What AND and OR join, each after the first with that word; the AND of BETWEEN joins nothing."""
    held: list[_Token] = []
    between = False
    for token in tokens:
        word = token.text.lower() if token.kind == "word" else ""
        if word == "or" or (word == "and" and not between):
            yield held
            held = []
        between = word == "between" or (between and word != "and")
        held.append(token)
    yield held


def _sql(condition: Sequence[_Token], fields: Mapping[str, str]) -> str:
    """A condition as the store reads it; one with a fraction compares its integer fields as fractions.

    Others keep theirs: past 2^53 a fraction cannot tell one integer from the next.
    """
    fractional = any(token.kind == "number" and not token.text.isdecimal() for token in condition)
    said = []
    for token in condition:
        if token.kind == "field":
            name = f"`{token.text}`"
            said.append(f"CAST({name} AS DOUBLE)" if fractional and fields[token.text] == "integer" else name)
        else:
            said.append(" " if token.kind == "space" else token.text)
    return "".join(said)
