"""A look into a file, in a process that it may crash: what is there, and does it decode."""

from __future__ import annotations

from pathlib import Path

from duretrieval.errors import EmptyMedia, MediaError, UnsupportedMedia
from duretrieval.media import Chunk, Limits, container, decode
from duretrieval.media.chunk import Ask
from duretrieval.media.kinds import MODULES, kind_of
from duretrieval.media.window import clip
from duretrieval.types import Modality, Part, Reading, Scalar


def probe(path: Path, reading: Reading, limits: Limits, start: Ask) -> Chunk:
    """The first chunk of a text, picture or vector; of a film or sound the middle window of each stream, and `seconds`.

    A stream that does not decode is not among the parts; its reason is the field `video` or `audio`.

    Raises:
        MediaError: nothing of the file can be used.
    """
    kind = kind_of(path)
    if kind in MODULES:
        return decode(path, reading, limits, start)
    facts: dict[str, Scalar] = {}
    with container.opened(path, kind) as opened:
        facts |= container.describe(opened)
        streams = {Modality.VIDEO: container.picture_stream(opened), Modality.AUDIO: opened.streams.best("audio")}
    if not any(streams.values()):
        raise EmptyMedia("it holds neither sound nor pictures")
    parts: list[Part] = []
    for modality, stream in streams.items():
        try:
            if stream is None:
                missing = "a sound and has no pictures" if modality is Modality.VIDEO else "a film without sound"
                raise UnsupportedMedia(f"it is {missing}")
            parts.append(clip(Part(modality, path), path, reading, limits))
        except MediaError as error:
            facts[modality.value] = str(error)
    if not parts:
        raise MediaError("; ".join(str(facts[m.value]) for m, stream in streams.items() if stream is not None))
    return Chunk(tuple(parts), facts)
