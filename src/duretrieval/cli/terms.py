"""Terms as they are typed: `words`, `2:words`, `-0.5:words`, `0.5:photo.jpg`, `image=2`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from duretrieval.errors import QueryError
from duretrieval.plugins import suggest
from duretrieval.types import MEDIA, Modality, Term

WEIGHTED = re.compile(r"(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+)):(?P<content>.+)", re.DOTALL)


def text_term(typed: str, sign: float = 1.0) -> Term:
    """`2:words` has weight 2, `words` weight 1. Words that begin like "3:10 to Yuma" need `1:` before them."""
    weight, words = _split(typed)
    return Term(Modality.TEXT, words, sign * weight)


def file_term(modality: Modality, typed: str) -> Term:
    """As `text_term`, for a file.

    Raises:
        QueryError: there is no such file.
    """
    weight, name = (1.0, typed) if Path(typed).exists() else _split(typed)
    if not Path(name).is_file():
        raise QueryError(f"--{modality.value} {typed}: there is no file {name!r}")
    return Term(modality, Path(name), weight)


def modality(name: str) -> Modality:
    """A modality by its name.

    Raises:
        QueryError: there is none of that name; the message lists them.
    """
    known = [m.value for m in MEDIA]
    if name not in known:
        raise QueryError(f"no modality {name!r}.{suggest(name, known)} There are: {', '.join(known)}")
    return Modality(name)


def modalities(typed: str | None) -> frozenset[Modality]:
    """`image,audio` as a set; nothing typed means all."""
    if typed is None:
        return frozenset(Modality)
    return frozenset(modality(name.strip()) for name in typed.split(","))


def weights(typed: Iterable[str]) -> dict[Modality, float] | None:
    """`image=2,text=0.5` (or several such) as a mapping; nothing typed means None.

    Raises:
        QueryError: not of that form, or a weight is negative.
    """
    out: dict[Modality, float] = {}
    for pair in (pair for group in typed for pair in group.split(",")):
        name, _, number = pair.partition("=")
        try:
            out[modality(name.strip())] = float(number)
        except ValueError as error:
            if isinstance(error, QueryError):
                raise
            raise QueryError(f"--weight {pair}: expected a modality and a number, as in image=2") from None
        if out[modality(name.strip())] < 0:
            raise QueryError(f"--weight {pair}: a modality's weight is 0 or more; for less of something use --not")
    return out or None


def _split(typed: str) -> tuple[float, str]:
    match = WEIGHTED.fullmatch(typed)
    return (float(match["weight"]), match["content"]) if match else (1.0, typed)
