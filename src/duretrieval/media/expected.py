"""What the files of a column are to hold, and what one of them holds."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from duretrieval.errors import MediaError
from duretrieval.media.kinds import PICTURES, kind_of
from duretrieval.types import Modality

NOUNS = {
    Modality.TEXT: "a text",
    Modality.IMAGE: "a picture",
    Modality.VIDEO: "a film",
    Modality.AUDIO: "a sound",
}


def belonging(wanted: Modality | None, path: Path, there: Collection[Modality]) -> frozenset[Modality]:
    """Which of the modalities in a file are meant by a column of `wanted`: a film comes with its sound.

    An animated picture is a picture, though it is decoded as a film.  None: everything.
    """
    if wanted is None:
        return frozenset(there)
    if wanted is Modality.IMAGE and wanted not in there and Modality.VIDEO in there and _is_picture(path):
        return frozenset({Modality.VIDEO})
    if wanted not in there:
        return frozenset()
    return frozenset({wanted, Modality.AUDIO} & set(there)) if wanted is Modality.VIDEO else frozenset({wanted})


def misfit(wanted: Modality, there: Collection[Modality]) -> str:
    """Why a file with these modalities is none of the column's."""
    if not there:
        return f"it does not hold {NOUNS[wanted]}"
    return f"it is {NOUNS[min(there, key=list(Modality).index)]}; the column holds {NOUNS[wanted]}"


def _is_picture(path: Path) -> bool:
    try:
        return kind_of(path) in PICTURES
    except MediaError:  # it has gone or changed since it was decoded
        return False
