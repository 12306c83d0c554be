"""PDF documents, page by page."""

from __future__ import annotations

from pathlib import Path

from duretrieval.errors import DamagedMedia, EmptyMedia, LimitExceeded
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.limits import Limits
from duretrieval.media.passages import passages
from duretrieval.types import Part, Reading, Scalar

PAGES = 50
"""Pages in one chunk."""


def read(path: Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    """TEXT parts with their page, counted from 1; character places are the page's. `start` counts pages from 0."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise DamagedMedia("it is locked with a password" if locked else f"it cannot be opened: {error}") from error
    with document:
        pages = len(document)
        if pages > limits.max_pages:
            raise LimitExceeded(f"it has {pages} pages; the limit is {limits.max_pages} (Limits.max_pages)")
        fields: dict[str, Scalar] = {"kind": "text", "pages": pages}
        if title := document.get_metadata_dict().get("Title", "").strip():
            fields["title"] = title
        begin = int(start or 0)
        parts: list[Part] = []
        while begin < pages and len(parts) < 10 * PAGES:
            stop = min(begin + PAGES, pages)
            for number in range(begin, stop):
                words = _words(document, number)
                parts.extend(passages(words, reading, page=number + 1))
            begin = stop
    if not parts and start is None:
        raise EmptyMedia(f"none of its {pages} pages holds text; a scan has to be read by a person or an OCR program")
    return Chunk(tuple(parts), fields, float(begin) if begin < pages else None)


def _words(document: object, number: int) -> str:
    """The words of a page; none where the page is damaged, which costs the others nothing."""
    import pypdfium2

    try:
        page = document[number]  # type: ignore[index]
        try:
            words: str = page.get_textpage().get_text_bounded()
        finally:
            page.close()
    except pypdfium2.PdfiumError:
        return ""
    return words.replace("\r\n", "\n").replace("\ufffe", "")
