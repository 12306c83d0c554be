"""A part that names a file to the part that holds what is in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from duretrieval.errors import EmptyMedia, MediaError, MissingExtra, UnsupportedMedia
from duretrieval.media import Limits, decode
from duretrieval.media.expected import NOUNS
from duretrieval.media.kinds import PICTURES, TEXTS, kind_of
from duretrieval.media.window import MIDDLE, clip
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part, Reading


def load(part: Part, reading: Reading, limits: Limits, rng: np.random.Generator | None = None) -> Part:
    """The part with its content as `types.Part` says; what is no path stays as it is.

    rng: takes a window of a film or sound, or a passage of a text file, at random; None: the middle window, the first
    passage.  Of an animated picture a picture column takes the first frame, of a document with pages the first page.

    Raises:
        MediaError: the file cannot be used, or holds something else than the part's modality; a sentence about the
            file that does not repeat its path.
        MissingExtra: an Office document, and the extra that reads them is not installed.
    """
    path = part.content
    if not isinstance(path, Path):
        return part
    kind = kind_of(path)
    if kind not in TEXTS and kind not in PICTURES:
        if part.modality in (Modality.VIDEO, Modality.AUDIO):
            return clip(part, path, reading, limits, MIDDLE if rng is None else float(rng.random()))
        raise UnsupportedMedia(f"it is a film or a sound; the column holds {NOUNS[part.modality]}")
    return _piece(part, path, reading, limits, rng)


def load_sample(sample: Sample, reading: Reading, limits: Limits, rng: np.random.Generator | None = None) -> Sample:
    """The sample with the content of every column.

    Raises:
        MediaError: a column's file cannot be used; the message names sample, column, file and reason.
    """
    columns = {}
    for column, part in sample.columns.items():
        try:
            columns[column] = load(part, reading, limits, rng)
        except (MediaError, MissingExtra) as error:
            raise MediaError(
                f"row '{sample.id}', column '{column}', {part.content}: {error}. Validate the data before training "
                "with it, and leave such rows out"
            ) from error
    return replace(sample, columns=columns)


def _piece(part: Part, path: Path, reading: Reading, limits: Limits, rng: np.random.Generator | None) -> Part:
    """A part of the file's first chunk."""
    parts = decode(path, reading, limits).parts
    if part.modality is Modality.IMAGE and parts and parts[0].modality is Modality.VIDEO:
        frames = parts[0].content
        return replace(part, content=frames[0] if isinstance(frames, np.ndarray) else None, file=str(path))
    mine = [found for found in parts if found.modality is part.modality]
    if not mine:
        if not parts:
            raise EmptyMedia("it holds no text")
        raise UnsupportedMedia(f"it is {NOUNS[parts[0].modality]}; the column holds {NOUNS[part.modality]}")
    place = 0
    if part.modality is not Modality.IMAGE and rng is not None:
        place = int(rng.integers(len(mine)))
    elif part.modality is Modality.VIDEO:
        place = len(mine) // 2
    return replace(mine[place], file=str(path))
