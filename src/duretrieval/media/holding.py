"""What many files hold, films and sounds asked in processes that they may crash."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from duretrieval.errors import DamagedMedia, MediaError
from duretrieval.media.chunk import Ask, Chunk
from duretrieval.media.kinds import MODULES, kind_of, modality_by, modality_of
from duretrieval.media.limits import Limits
from duretrieval.media.pool import DecoderPool
from duretrieval.types import MEDIA, Modality, Reading


def modalities_of(paths: Iterable[Path], limits: Limits | None = None) -> dict[Path, Modality | MediaError]:
    """Of each file what it holds, as `kinds.modality_of` says; or why that cannot be said.

    The first bytes tell texts and pictures; the streams of what may be a film or a sound are looked up by decoders,
    several files at a time.
    """
    limits = limits or Limits()
    found: dict[Path, Modality | MediaError] = {}
    unsaid: list[Path] = []
    for path in dict.fromkeys(paths):
        try:
            kind = kind_of(path, limits)
            if kind in MODULES:
                found[path] = modality_by(kind)
            else:
                unsaid.append(path)
        except MediaError as error:
            found[path] = error
    with DecoderPool(Reading(), limits, decode=tell) as pool:
        for path, answer in [(path, pool.submit(path)) for path in unsaid]:
            try:
                found[path] = _said(answer.result())
            except MediaError as error:
                found[path] = error
    return found


def tell(path: Path, reading: Reading, limits: Limits, start: Ask) -> Chunk:
    """In the place of `decode`: what the file holds, as a field."""
    return Chunk((), {"kind": modality_of(path, limits).value})


def _said(chunk: Chunk) -> Modality:
    said = chunk.fields.get("kind")
    if said not in MEDIA:
        raise DamagedMedia("its decoder was taken over or is broken: it answered what is no modality")
    return Modality(str(said))
