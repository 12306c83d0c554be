"""What the vectors in a file are of: its column says so, or else the model, by the vectors it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from duretrieval.errors import UnsupportedMedia
from duretrieval.media.chunk import Chunk
from duretrieval.media.vectors import KIND, ORIGIN
from duretrieval.types import Modality
from duretrieval.vectors import Given

Takes = Callable[[], Mapping[Modality, Given]]
"""Modality -> the vectors that a model takes for it; asked only where there is a vector."""


def placed(chunk: Chunk, wanted: Modality | None, takes: Takes | None = None) -> Chunk:
    """The chunk with its vectors as parts of a modality; any other chunk as it is.

    wanted: what they are to be.  takes: None takes any.

    Raises:
        UnsupportedMedia: nothing says what they are of, or the model does not take such.
    """
    if chunk.fields.get("kind") != KIND:
        return chunk
    (part,) = chunk.parts
    assert isinstance(part.content, np.ndarray)
    dim, known = part.content.shape[1], takes() if takes else None
    if wanted is None:
        fitting = [modality for modality, given in (known or {}).items() if given.dim == dim]
        if len(fitting) != 1:
            raise UnsupportedMedia(f"it holds a vector of {dim:,} numbers; {_unplaced(fitting, known)}")
        wanted = fitting[0]
    if known is not None:
        _check(known, wanted, dim, str(chunk.fields.get(ORIGIN, "")))
    return replace(chunk, parts=(replace(part, modality=wanted),), fields={**chunk.fields, "kind": wanted.value})


def _unplaced(fitting: list[Modality], known: Mapping[Modality, Given] | None) -> str:
    if fitting:
        return f"the model takes such for {' and '.join(fitting)}, so say of which it is"
    return f"the model takes {_said(known)}" if known is not None else "say of what it is, by the column it stands in"


def _check(known: Mapping[Modality, Given], wanted: Modality, dim: int, origin: str) -> None:
    given = known.get(wanted)
    if given is None or given.dim != dim:
        raise UnsupportedMedia(f"it holds a vector of {dim:,} numbers, for {wanted}; the model takes {_said(known)}")
    if origin and given.origin and origin != given.origin:
        raise UnsupportedMedia(
            f"its vector was made by {origin!r}, and the model takes those of {given.origin!r}; "
            "vectors of two origins mean nothing to one another"
        )


def _said(known: Mapping[Modality, Given]) -> str:
    return "vectors of " + ", ".join(f"{given} for {m}" for m, given in known.items()) if known else "no vectors"
