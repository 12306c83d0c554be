"""PDF to the text of its pages, with what was typed into their fields and noted on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped, unused-ignore]

from duretrieval.errors import DamagedMedia, UnsupportedMedia
from duretrieval.media.annotations import annotated
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.document import Document, chunks
from duretrieval.media.limits import Limits
from duretrieval.media.signature import Kind
from duretrieval.types import Reading

# PDFium marks hyphens at line ends with U+0002 or U+FFFE, and ends lines with \r\n.
_CLEAN = {0x00: None, 0x02: None, 0xFFFE: None, 0xFFFF: None}
_WRONG_PASSWORD, _UNKNOWN_SECURITY = 4, 5


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Iterator[Chunk]:
    """Passages with their page."""
    with open_document(path) as document:
        yield from chunks(document, reading, limits, start)


@contextmanager
def open_document(path: Path) -> Iterator[Document]:
    """The text of each page, while the file is open.

    Raises:
        UnsupportedMedia: a password is needed.
        DamagedMedia: PDFium cannot open it.
    """
    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in (_WRONG_PASSWORD, _UNKNOWN_SECURITY):
            raise UnsupportedMedia("it is locked with a password; save a copy without one") from error
        raise DamagedMedia(f"it begins as a PDF does but cannot be opened: {error}") from error
    try:
        pdf.init_forms()
        yield Document(
            pages=len(pdf),
            page=lambda n: _text(pdf, n),
            title=pdf.get_metadata_dict().get("Title", ""),
            numbered=True,
            empty="its pages hold no text; if it was scanned, run text recognition on it first (such as OCRmyPDF)",
        )
    finally:
        pdf.close()


def _text(pdf: pypdfium2.PdfDocument, number: int) -> str:
    """Text of one page, then of its fields and notes that do not repeat it; nothing where the page is damaged."""
    try:
        page = pdf[number]
    except pypdfium2.PdfiumError:
        return ""
    try:
        text = _cleaned(page.get_textpage().get_text_bounded())
        words = f" {' '.join(text.split())} "
        notes = dict.fromkeys(_cleaned(note).strip() for note in annotated(pdf, page))
        new = (note for note in notes if f" {' '.join(note.split())} " not in words)
        return "\n\n".join(filter(None, (text, *new)))
    finally:
        page.close()


def _cleaned(text: str) -> str:
    return text.translate(_CLEAN).replace("\r\n", "\n").replace("\r", "\n")
