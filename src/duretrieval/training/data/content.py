"""A part that names a file to the part that holds what is in it; files are decoded in processes of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from duretrieval.collection.reading import passages
from duretrieval.errors import DamagedMedia, EmptyMedia, MediaError, MissingExtra, UnsupportedMedia
from duretrieval.media import DecoderPool
from duretrieval.media.chunk import Clip
from duretrieval.media.expected import NOUNS
from duretrieval.media.kinds import MODULES, kind_of
from duretrieval.media.window import MIDDLE
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part, Reading


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read of a sample."""

    sample: Sample
    """With the content of its columns, but for those that could not be read."""
    faults: Mapping[str, MediaError | MissingExtra]
    """column -> why it could not be; a sentence about the file that does not repeat its path."""


def load(part: Part, pool: DecoderPool, rng: np.random.Generator | None = None) -> Part:
    """The part with its content as `types.Part` says, decoded by `pool` as its reading says; an array stays as it is.

    rng: takes a window of a film or sound, or a passage of a text, at random; None: the middle window, the first
    passage.  Of an animated picture a picture column takes the first frame, of a document with pages the first page.

    Raises:
        MediaError: the file cannot be used, or holds something else than the part's modality; a sentence about the
            file that does not repeat its path.
        MissingExtra: what reads the file is not installed.
    """
    path = part.content
    if not isinstance(path, Path):
        found = passages(part, pool.reading)
        return found[0 if rng is None or len(found) == 1 else int(rng.integers(len(found)))]
    if kind_of(path, pool.limits) in MODULES:  # by its first bytes, which nothing foreign reads
        return _piece(part, path, pool, rng)
    if part.modality not in (Modality.VIDEO, Modality.AUDIO):
        raise UnsupportedMedia(f"it is a film or a sound; the column holds {NOUNS[part.modality]}")
    at = MIDDLE if rng is None else float(rng.random())
    pieces = pool.submit(path, Clip(part.modality, at, part.start_s, part.end_s)).result().parts
    mine = _belonging(part, pieces)
    return replace(part, content=mine[0].content, start_s=mine[0].start_s, end_s=mine[0].end_s, file=str(path))


def load_sample(sample: Sample, pool: DecoderPool, rng: np.random.Generator | None = None) -> Loaded:
    """The sample with the content of every column that can be read, and why others cannot."""
    columns: dict[str, Part] = {}
    faults: dict[str, MediaError | MissingExtra] = {}
    for column, part in sample.columns.items():
        try:
            columns[column] = load(part, pool, rng)
            if isinstance(part.content, Path):
                _check(columns[column], pool.reading)
        except (MediaError, MissingExtra) as error:
            faults[column] = error
    return Loaded(replace(sample, columns=columns), faults)


def _piece(part: Part, path: Path, pool: DecoderPool, rng: np.random.Generator | None) -> Part:
    """A part of the file's first chunk."""
    pieces = pool.submit(path).result().parts
    if part.modality is Modality.IMAGE and pieces and pieces[0].modality is Modality.VIDEO:
        frames = pieces[0].content
        return replace(part, content=frames[0] if isinstance(frames, np.ndarray) else None, file=str(path))
    mine = _belonging(part, pieces)
    place = 0
    if part.modality is not Modality.IMAGE and rng is not None:
        place = int(rng.integers(len(mine)))
    elif part.modality is Modality.VIDEO:
        place = len(mine) // 2
    return replace(mine[place], file=str(path))


def _belonging(part: Part, pieces: Sequence[Part]) -> list[Part]:
    """Those of the part's modality."""
    if not pieces:
        raise EmptyMedia(
            f"it does not hold {NOUNS[part.modality]}" if part.modality is not Modality.TEXT else "it holds no text"
        )
    mine = [piece for piece in pieces if piece.modality is part.modality]
    if not mine:
        raise UnsupportedMedia(f"it is {NOUNS[pieces[0].modality]}; the column holds {NOUNS[part.modality]}")
    return mine


def _check(part: Part, reading: Reading) -> None:
    """Raises DamagedMedia where no honest decoder answers so: encoders take shapes and numbers on trust."""
    content, side = part.content, reading.image_side
    if not isinstance(content, np.ndarray):
        return
    if part.modality is Modality.AUDIO:
        fits = len(content) <= (reading.window_s + 1) * reading.sample_rate and bool(np.isfinite(content).all())
    else:
        fits = content.shape[-3:] == (side, side, 3) and content.size <= reading.frames_per_window * side * side * 3
    if not fits:
        what = f"{NOUNS[part.modality]} of shape {content.shape}, or of numbers that are not finite"
        raise DamagedMedia(f"its decoder was taken over or is broken: it answered {what}")
