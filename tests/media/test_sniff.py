"""A file is what its first bytes say."""

from collections.abc import Callable
from pathlib import Path

import media_files
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duretrieval.media.sniff import HEAD, Kind, looks_like_text, sniff

MADE: dict[str, tuple[Callable[[Path], Path], Kind]] = {
    ".jpg": (media_files.write_jpeg, Kind.IMAGE),
    ".png": (media_files.write_png, Kind.IMAGE),
    ".apng": (media_files.write_apng, Kind.IMAGE),
    ".gif": (media_files.write_gif, Kind.IMAGE),
    ".webp": (media_files.write_webp, Kind.IMAGE),
    ".tiff": (media_files.write_tiff, Kind.IMAGE),
    ".bmp": (media_files.write_bmp, Kind.IMAGE),
    ".heic": (media_files.write_heic, Kind.IMAGE),
    ".avif": (media_files.write_animation, Kind.IMAGE),
    ".svg": (media_files.write_svg, Kind.SVG),
    ".md": (media_files.write_markdown, Kind.TEXT),
    ".html": (media_files.write_html, Kind.HTML),
    ".pdf": (media_files.write_pdf, Kind.PDF),
    ".docx": (media_files.write_docx, Kind.OFFICE),
    ".pptx": (media_files.write_pptx, Kind.OFFICE),
    ".xlsx": (media_files.write_xlsx, Kind.OFFICE),
    **dict.fromkeys((".wav", ".flac", ".ogg", ".mp3", ".m4a"), (media_files.write_sound, Kind.AV)),
    **dict.fromkeys((".mp4", ".mov", ".mkv", ".webm", ".avi"), (media_files.write_film, Kind.AV)),
}


@pytest.mark.parametrize("suffix", MADE)
def test_what_encoders_write(suffix: str, tmp_path: Path) -> None:
    write, kind = MADE[suffix]
    assert sniff(write(tmp_path / f"file{suffix}").read_bytes()[:HEAD]) is kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", Kind.EMPTY),
        (b"hello", Kind.TEXT),
        ("狗是人类的好朋友".encode(), Kind.TEXT),
        ("狗是人类的好朋友".encode("gb18030"), Kind.TEXT),
        ("狗是人類的好朋友".encode("big5"), Kind.TEXT),
        ("dog".encode("utf-16"), Kind.TEXT),
        (b"BM is what a bitmap begins with, and this text", Kind.TEXT),
        (b"MZ is what a program begins with, and this text", Kind.TEXT),
        (b"Rare words", Kind.TEXT),
        (b"FORMS are filled in by hand", Kind.TEXT),
        (b"ID3 tags explained", Kind.TEXT),
        (b"GIF89a explained", Kind.TEXT),
        (b"The free press", Kind.TEXT),
        (b"RIFF, a kind of file", Kind.TEXT),
        (b"\xff\xd8\xff\xe0 not much of a picture", Kind.IMAGE),
        (b"\xef\xbb\xbf\n%PDF-1.7\n%\xe2\xe3", Kind.PDF),
        (b"  \n<!doctype HTML><p>words", Kind.HTML),
        (b"<html><body>", Kind.HTML),
        (b'<?xml version="1.0"?><!-- drawn by hand --><svg xmlns="http://www.w3.org/2000/svg">', Kind.SVG),
        (b"<html><body><svg></svg>", Kind.HTML),
        (b"<note>no page</note>", Kind.TEXT),
        (b"PK\x03\x04" + b"\0" * 26 + b"holiday.jpg", Kind.ARCHIVE),
        (b"\x1f\x8b\x08\0", Kind.ARCHIVE),
        (b"\x7fELF\x02\x01\x01", Kind.PROGRAM),
        (b"MZ\x90\0\x03\0\0\0", Kind.PROGRAM),
        (b"\0" * 100, Kind.UNKNOWN),
        (b"MThd\0\0\0\x06", Kind.UNKNOWN),
        (b"\0\0\0\x18ftypqt  \0\0\0\0qt  ", Kind.AV),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", Kind.IMAGE),
        (b"\xff\xfb\x90\x64" + b"\0" * 100, Kind.AV),
        (b"\xff\xfe\x41\0", Kind.TEXT),
    ],
)
def test_first_bytes(head: bytes, kind: Kind) -> None:
    assert sniff(head) is kind


@given(st.binary(max_size=200))
def test_any_bytes_have_a_kind(head: bytes) -> None:
    assert sniff(head) in Kind


@given(st.text(st.characters(codec="utf-8", min_codepoint=32), min_size=1))
def test_text_in_utf8_may_be_text(text: str) -> None:
    assert looks_like_text(text.encode())
