"""PDF to the text of its pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped, unused-ignore]

from duretrieval.errors import DamagedMedia, UnsupportedMedia
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.document import Document, chunk
from duretrieval.media.limits import Limits
from duretrieval.media.signature import Kind
from duretrieval.types import Reading

# PDFium marks hyphens at line ends with U+0002 or U+FFFE, and ends lines with \r\n.
_CLEAN = {0x00: None, 0x02: None, 0xFFFE: None, 0xFFFF: None, 0x0D: None}
_WRONG_PASSWORD, _UNKNOWN_SECURITY = 4, 5


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Chunk:
    """Passages with their page."""
    with open_document(path) as document:
        return chunk(document, reading, limits, start)


@contextmanager
def open_document(path: Path) -> Iterator[Document]:
    """The text layer of each page, while the file is open.

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
    """Text of one page; nothing where the page itself is damaged."""
    try:
        page = pdf[number]
    except pypdfium2.PdfiumError:
        return ""
    try:
        text: str = page.get_textpage().get_text_bounded()
        return text.translate(_CLEAN)
    finally:
        page.close()
