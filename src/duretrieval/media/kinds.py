"""What a file holds, by its content and not by its name."""

from __future__ import annotations

import stat
from pathlib import Path

from duretrieval.errors import MediaError, UnsupportedMedia
from duretrieval.media.folders import no_file
from duretrieval.media.limits import Limits, check
from duretrieval.media.signature import HEAD_BYTES, Kind, sniff, undecided
from duretrieval.types import Modality

MODULES = {
    Kind.TEXT: "plain",
    Kind.HTML: "webpage",
    Kind.MAIL: "mail",
    Kind.PDF: "pdf",
    Kind.OFFICE: "office",
    Kind.SVG: "svg",
    Kind.VECTORS: "vectors",
    **dict.fromkeys((Kind.JPEG, Kind.PNG, Kind.GIF, Kind.WEBP, Kind.TIFF, Kind.BMP, Kind.AVIF, Kind.HEIF), "image"),
    **dict.fromkeys((Kind.JPEG2000, Kind.NETPBM, Kind.ICON, Kind.PHOTOSHOP, Kind.PICTURE), "image"),
}
"""What reads each, imported on first use: reading pictures never loads FFmpeg, which reads the others (`ffmpeg`)."""
PICTURES = frozenset(kind for kind, module in MODULES.items() if module in ("image", "svg"))


def kind_of(path: Path, limits: Limits | None = None) -> Kind:
    """The format of a file.

    Raises:
        MediaError: it cannot be opened, is larger than the limits allow, is empty, or nothing here reads it.
    """
    return sniff(_head(path, limits or Limits()), path.suffix)


def modality_of(path: Path, limits: Limits | None = None) -> Modality:
    """What a file holds; an animated picture counts as a picture, a song with a cover as a sound.

    FFmpeg opens what may be a film or a sound: `holding.modalities_of` has that done elsewhere.

    Raises:
        MediaError: as `kind_of`; or it holds neither pictures nor sound.
    """
    kind = kind_of(path, limits)
    if kind in MODULES:
        return modality_by(kind)
    from duretrieval.media import container

    with container.opened(path, kind) as opened:
        if container.picture_stream(opened) is not None:
            return Modality.VIDEO
        if opened.streams.audio:
            return Modality.AUDIO
    raise UnsupportedMedia("it holds neither pictures nor sound")


def modality_by(kind: Kind) -> Modality:
    """What files of a kind in `MODULES` hold.

    Raises:
        UnsupportedMedia: vectors, which may be of anything.
    """
    if kind is Kind.VECTORS:
        raise UnsupportedMedia("it holds a vector, and does not say of what; name it in a column image, video or audio")
    return Modality.IMAGE if kind in PICTURES else Modality.TEXT


def _head(path: Path, limits: Limits) -> bytes:
    """The first bytes of what is a file, and not too large."""
    try:
        facts = path.stat()
        if not stat.S_ISDIR(facts.st_mode) and (problem := no_file(facts)):
            raise MediaError(problem)
        check("bytes", facts.st_size, limits.max_bytes, "max_bytes")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            return head + file.read(limits.max_chars) if undecided(head) else head
    except OSError as error:
        raise MediaError(f"it cannot be opened: {(error.strerror or str(error)).lower()}") from error
    except ValueError as error:
        if isinstance(error, MediaError):
            raise
        raise MediaError(f"no file can have the name {str(path)!r}") from error
