"""Terms as they are typed: `words`, `2:words`, `-0.5:words`, `0.5:photo.jpg`, `image=2`.

A weight is a number of at most two digits before its point, a colon, and words that follow it at once. So these are
words: `2001: A Space Odyssey`, `1984:a novel`; and so is what begins as a time, a ratio or a verse: `16:9 screens`,
`3:10 to Yuma`. With a point a number is a weight whatever follows: `2.0:3:10 to Yuma`, `1.:16:9 screens`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path

from duretrieval.errors import MediaError, QueryError
from duretrieval.plugins import suggest
from duretrieval.types import MEDIA, Modality, Term

WEIGHTED = re.compile(r"(?P<weight>[+-]?(?:\d{1,2}(?:\.\d*)?|\.\d+)):(?P<content>\S.*)", re.DOTALL)
NUMBERED = re.compile(r"\d+:\d+(?!\d*:)|\d+:\d\d:\d\d(?!\d)")
"""The beginning of a time, a ratio or a verse; `1:3:10 to Yuma` is none, but 3:10 to Yuma with weight 1."""
LARGEST = 1e6
"""A weight above this is a slip, and scores with it are no numbers in the end."""
FILE = re.compile(r"\S+\.[A-Za-z0-9]{2,5}")


def text_term(typed: str, sign: float = 1.0) -> Term:
    """`2:words` has weight 2, `words` weight 1; see above for what is a weight.

    Raises:
        QueryError: there are no words, or their weight is 0.
    """
    weight, words = (1.0, typed) if NUMBERED.match(typed) else _split(typed)
    if not words.strip():
        raise QueryError("the query asks for nothing: a term is empty or blank; give words to look for")
    if weight == 0:
        raise QueryError(f"{typed!r} has weight 0, so it asks for nothing; give another weight, or leave it out")
    return Term(Modality.TEXT, words, sign * weight)


def note(typed: str) -> str | None:
    """How words are understood that may have been meant otherwise."""
    if NUMBERED.match(typed) and (read := WEIGHTED.fullmatch(typed)):
        weighted = f"{read['weight']}.0:{read['content']}"
        return f"{typed!r} is searched for as words; with a weight of {read['weight']} write {weighted!r}"
    if not FILE.fullmatch(typed):
        return None
    if Path(typed).is_file():
        return f"{typed!r} is searched for as words; a picture, sound or film is asked with --image, --audio or --video"
    slashed = "/" in typed or "\\" in typed
    return f"{typed!r} is searched for as words; there is no such file" if slashed and "://" not in typed else None


def file_term(modality: Modality, typed: str) -> Term:
    """As `text_term`, for a file; one whose name looks weighted is itself.

    Raises:
        QueryError: there is no such file, or its weight is 0.
    """
    weight, path = _weighted_file(modality.value, typed)
    return Term(modality, path, weight)


def vector_file(typed: str) -> tuple[float, Path]:
    """The weight and the file of `0.5:bus.npy`; what it is a vector of, the model says.

    Raises:
        QueryError: as `file_term`; or the file holds something else.
    """
    from duretrieval.media.kinds import kind_of
    from duretrieval.media.signature import Kind

    weight, path = _weighted_file("vector", typed)
    try:
        kind = kind_of(path)
    except MediaError as error:
        raise QueryError(f"--vector {typed}: {error}") from error
    if kind is not Kind.VECTORS:
        raise QueryError(f"--vector {typed}: it holds no vector, but {kind.value}; save one with numpy.save, as .npy")
    return weight, path


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
        QueryError: not of that form, or a weight is negative, too large or no number.
    """
    out: dict[Modality, float] = {}
    for pair in (pair for group in typed for pair in group.split(",")):
        name, _, number = pair.partition("=")
        kind = modality(name.strip())
        try:
            out[kind] = float(number)
        except ValueError:
            raise QueryError(f"--weight {pair}: expected a modality and a number, as in image=2") from None
        if math.isnan(out[kind]) or abs(out[kind]) > LARGEST:
            raise QueryError(f"--weight {pair}: a weight is a number of at most {LARGEST:g}, as in {kind.value}=2")
        if out[kind] < 0:
            raise QueryError(f"--weight {pair}: a modality's weight is 0 or more; for less of something use --not")
    return out or None


def _weighted_file(option: str, typed: str) -> tuple[float, Path]:
    weight, name = (1.0, typed) if Path(typed).exists() else _split(typed)
    if not Path(name).is_file():
        what = f"{name!r} is a folder, not a file" if Path(name).is_dir() else f"there is no file {name!r}"
        raise QueryError(f"--{option} {typed}: {what}")
    if weight == 0:
        raise QueryError(f"--{option} {typed}: with weight 0 it asks for nothing; leave it out")
    return weight, Path(name)


def _split(typed: str) -> tuple[float, str]:
    match = WEIGHTED.fullmatch(typed)
    return (float(match["weight"]), match["content"]) if match else (1.0, typed)
