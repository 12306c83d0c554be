"""What a file holds, by its content and not by its name."""

from __future__ import annotations

from pathlib import Path

from duretrieval.errors import MediaError, UnsupportedMedia
from duretrieval.media.decoder import MODULES
from duretrieval.media.signature import HEAD_BYTES, Kind, sniff
from duretrieval.types import Modality

PICTURES = frozenset(kind for kind, module in MODULES.items() if module in ("image", "svg"))
TEXTS = frozenset(MODULES) - PICTURES


def kind_of(path: Path) -> Kind:
    """The format of a file.

    Raises:
        MediaError: it cannot be opened, is empty, or nothing here reads it.
    """
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEAD_BYTES), path.suffix)
    except OSError as error:
        raise MediaError(f"it cannot be opened: {(error.strerror or str(error)).lower()}") from error


def modality_of(path: Path) -> Modality:
    """What a file holds; an animated picture counts as a picture, a song with a cover as a sound.

    Raises:
        MediaError: as `kind_of`; or it holds neither pictures nor sound.
    """
    kind = kind_of(path)
    if kind in TEXTS:
        return Modality.TEXT
    if kind in PICTURES:
        return Modality.IMAGE
    from duretrieval.media import container

    with container.opened(path, kind) as opened:
        if container.picture_stream(opened) is not None:
            return Modality.VIDEO
        if opened.streams.audio:
            return Modality.AUDIO
    raise UnsupportedMedia("it holds neither pictures nor sound")
