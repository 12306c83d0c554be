"""Tables of a TOML file as frozen dataclasses, and single settings from the command line."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from duretrieval import plugins
from duretrieval.errors import ConfigError

T = TypeVar("T")
QUOTES = """. Words need quotes, and so do names with other letters than a to z: { "文字" = "text" }"""


def build(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    """`cls(**table)`, lists as tuples, with each value checked against the field's type.

    Raises:
        ConfigError: a key is no field, or a value has the wrong kind; the message names `where`.
    """
    hints = get_type_hints(cls)
    check_keys(table, [f.name for f in fields(cls)], where)  # type: ignore[arg-type]
    return cls(**{key: fitting(value, hints[key], f"{where}: {key}") for key, value in table.items()})


def as_table(value: Any, where: str) -> Mapping[str, Any]:
    """The value. Raises ConfigError where it is no table."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} is {value!r}; it must be a table")
    return value


def check_keys(table: Any, known: Iterable[str], where: str) -> None:
    """Raises ConfigError for a key that is not known, with the nearest that is; or where there is no table."""
    names = list(known)
    for key in as_table(table, where):
        if key not in names:
            hint = plugins.suggest(key, names)
            raise ConfigError(f"{where} has no setting {key!r}.{hint} There are: {', '.join(names)}")


def parse(change: str) -> tuple[tuple[str, ...], Any]:
    """`fit.lr=1e-4` -> (("fit", "lr"), 0.0001); the value is TOML, or else a string, or None where there is nothing.

    Raises:
        ConfigError: there is no "=" in it, or a list or table that is not TOML.
    """
    key, equals, value = change.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"{change!r} is not a setting; write KEY=VALUE, such as fit.lr=1e-4")
    if not value.strip():
        return tuple(part.strip() for part in key.split(".")), None
    try:
        parsed = tomllib.loads(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError as error:
        if value.strip()[0] in "[{":
            raise ConfigError(
                f"{key.strip()} is set to {value.strip()!r}, which is not TOML: {error}{QUOTES}"
            ) from error
        parsed = value
    return tuple(part.strip() for part in key.split(".")), parsed


def merge(table: Mapping[str, Any], changes: Sequence[tuple[Sequence[str], Any]]) -> dict[str, Any]:
    """The table with values replaced or added at paths of keys, or taken out (None); it itself stays as it is."""
    out = {key: dict(value) if isinstance(value, Mapping) else value for key, value in table.items()}
    for path, value in changes:
        first, *rest = path
        if not rest:
            out[first] = value
            if value is None:
                del out[first]
            continue
        inner = out.get(first, {})
        if not isinstance(inner, Mapping):
            raise ConfigError(f"{'.'.join(path)} cannot be set: {first} is {inner!r}, not a table")
        out[first] = merge(inner, [(rest, value)])
    return out


def fitting(value: Any, hint: Any, where: str) -> Any:
    """The value as the type wants it: whole numbers serve as fractions, lists as tuples.

    Raises:
        ConfigError: it has another kind, or is a number that is not finite; the message names `where`.
    """
    if isinstance(value, list):
        value = tuple(value)
    kinds = _kinds(hint)
    for kind in kinds:
        if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        if kind is not float and _is(value, kind):
            return value
    wanted = " or ".join(_wanted(kind) for kind in kinds if kind is not NoneType)
    raise ConfigError(f"{where} is {value!r}; it must be {wanted}")


def is_plain(hint: Any) -> bool:
    """Whether a type is one of TOML's single values, or a choice of them."""
    return all(kind in (int, float, str, bool, NoneType) or get_origin(kind) is Literal for kind in _kinds(hint))


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)


def _is(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    plain = get_origin(kind) or kind
    if not isinstance(plain, type) or not isinstance(value, plain):
        return False
    if isinstance(value, tuple) and get_args(kind):
        return all(_is(v, get_args(kind)[0]) for v in value)
    return plain is bool or not isinstance(value, bool)


def _wanted(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(repr(choice) for choice in get_args(kind))
    if kind in (tuple[str, ...], tuple[str, str]):
        return "a list of strings"
    if get_origin(kind) is tuple and get_origin(get_args(kind)[0]) is Literal:
        return f"a list of {_wanted(get_args(kind)[0])}"
    names = {int: "a whole number", float: "a number", str: "a string", bool: "true or false", tuple: "a list"}
    plain = get_origin(kind) or kind
    return names.get(plain, "a table")
