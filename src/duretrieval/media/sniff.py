"""What a file is, by its first bytes. Names lie: cameras, downloads and exports call anything `.jpg`."""

from __future__ import annotations

from enum import StrEnum

HEAD = 4096
"""Bytes that `sniff` wants to see."""


class Kind(StrEnum):
    """Which reader a file goes to."""

    TEXT = "text"
    HTML = "html"
    PDF = "pdf"
    OFFICE = "office"
    IMAGE = "image"
    SVG = "svg"
    AV = "film or sound"
    ARCHIVE = "archive"
    PROGRAM = "program"
    EMPTY = "empty"
    UNKNOWN = "unknown"


_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", Kind.IMAGE),
    (b"\x89PNG\r\n\x1a\n", Kind.IMAGE),
    (b"GIF87a", Kind.IMAGE),
    (b"GIF89a", Kind.IMAGE),
    (b"II*\0", Kind.IMAGE),
    (b"MM\0*", Kind.IMAGE),
    (b"II+\0", Kind.IMAGE),
    (b"MM\0+", Kind.IMAGE),
    (b"OggS", Kind.AV),
    (b"fLaC", Kind.AV),
    (b"ID3", Kind.AV),
    (b"\x1aE\xdf\xa3", Kind.AV),  # Matroska, WebM
    (b"FLV\x01", Kind.AV),
    (b"FORM", Kind.AV),  # AIFF
    (b".snd", Kind.AV),
    (b"caff", Kind.AV),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind.AV),  # ASF: WMA, WMV
    (b"\0\0\x01\xba", Kind.AV),  # MPEG program stream
    (b"\0\0\x01\xb3", Kind.AV),
    (b"#!AMR", Kind.AV),
    (b"MThd", Kind.UNKNOWN),  # MIDI holds notes, no sound
    (b"\x7fELF", Kind.PROGRAM),
    (b"\xcf\xfa\xed\xfe", Kind.PROGRAM),
    (b"\xca\xfe\xba\xbe", Kind.PROGRAM),
    (b"\x1f\x8b", Kind.ARCHIVE),
    (b"BZh", Kind.ARCHIVE),
    (b"\xfd7zXZ\0", Kind.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE),
    (b"Rar!", Kind.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", Kind.ARCHIVE),  # zstd
)
_PICTURE_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b\x0b"))
_OFFICE_PARTS = (b"word/", b"ppt/", b"xl/", b"[Content_Types].xml")


def sniff(head: bytes) -> Kind:
    """The kind of a file that begins with `head` (its first `HEAD` bytes, fewer if it is shorter)."""
    if not head:
        return Kind.EMPTY
    plain = looks_like_text(head)
    for start, kind in _STARTS:
        if head.startswith(start) and not (plain and start.isascii()):  # a letter may begin "FORM", "The free ..."
            return kind
    if _beginning(head).startswith(b"%PDF-"):
        return Kind.PDF
    if plain:
        return _markup(head) or Kind.TEXT
    return _container(head) or Kind.UNKNOWN


def looks_like_text(head: bytes) -> bool:
    """Whether bytes may be text: a byte order mark, or no zero bytes and few control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    control = len(head) - len(head.translate(None, _CONTROL))
    return b"\0" not in head and control <= len(head) // 200


def _container(head: bytes) -> Kind | None:
    if head[:4] == b"RIFF":
        return Kind.IMAGE if head[8:12] == b"WEBP" else Kind.AV
    if head[4:8] == b"ftyp":
        brands = {head[8:12], *(head[i : i + 4] for i in range(16, min(len(head), 64), 4))}
        return Kind.IMAGE if head[8:12] in _PICTURE_BRANDS and brands & _PICTURE_BRANDS else Kind.AV
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return Kind.AV
    if head[:4] == b"PK\x03\x04":
        return Kind.OFFICE if any(part in head for part in _OFFICE_PARTS) else Kind.ARCHIVE
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return Kind.IMAGE
    if head[:2] == b"MZ" and b"\0" in head[:64]:
        return Kind.PROGRAM
    if head[:1] == b"\x47" and len(head) > 376 and head[188] == head[376] == 0x47:
        return Kind.AV  # MPEG transport stream
    if head[0] == 0xFF and len(head) > 3 and head[1] & 0xE0 == 0xE0 and head[1] & 0x18 != 0x08 and head[2] != 0xFF:
        return Kind.AV  # MPEG audio or ADTS frame
    return None


def _markup(head: bytes) -> Kind | None:
    """The kind whose tag comes first: pages contain drawings, and drawings may contain pages."""
    start = _beginning(head)[:2048].lower()
    if not start.startswith(b"<"):
        return None
    tags = {b"<svg": Kind.SVG} | dict.fromkeys((b"<!doctype html", b"<html", b"<head", b"<body"), Kind.HTML)
    found = {at: kind for tag, kind in tags.items() if (at := start.find(tag)) >= 0}
    return found[min(found)] if found else None


def _beginning(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()
