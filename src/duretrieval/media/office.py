"""Word, PowerPoint and Excel files, with the libraries of the extra `office`."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from duretrieval.errors import DamagedMedia, MissingExtra, UnsupportedMedia
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.document import Document, chunk
from duretrieval.media.limits import Limits, check
from duretrieval.media.signature import Kind
from duretrieval.types import Reading


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Chunk:
    """Passages of a document, a slide or a sheet, with the slide's or sheet's number as page."""
    return chunk(open_document(path, limits), reading, limits, start)


def open_document(path: Path, limits: Limits) -> Document:
    """A .docx is one page, a .pptx a page a slide, an .xlsx a page a sheet.

    Raises:
        MissingExtra: the libraries are not installed.
        DamagedMedia: it is not a whole zip file.
        UnsupportedMedia: it is another thing in an Office wrapper.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise DamagedMedia(f"it begins as an Office file does but is not whole: {error}") from error
    check("bytes when unpacked", unpacked, limits.memory_bytes / 8, "memory_bytes")
    openers: dict[str, Callable[[Path], Document]] = {"word/": _word, "ppt/": _slides, "xl/": _sheets}
    for folder, opener in openers.items():
        if any(name.startswith(folder) for name in names):
            try:
                return opener(path)
            except ModuleNotFoundError as error:
                raise MissingExtra(f"Office files need {error.name}: pip install 'duretrieval[office]'") from error
    raise UnsupportedMedia("it is wrapped as an Office file but holds no document, slides or sheets")


def _word(path: Path) -> Document:
    import docx
    from docx.table import Table

    document = docx.Document(str(path))
    blocks = []
    for block in document.iter_inner_content():
        blocks.append("\n".join(_rows(block)) if isinstance(block, Table) else block.text)
    text = "\n\n".join(block for block in blocks if block.strip())
    return Document(pages=1, page=lambda _: text, title=document.core_properties.title or "")


def _slides(path: Path) -> Document:
    import pptx

    deck = pptx.Presentation(str(path))
    slides = list(deck.slides)

    def page(n: int) -> str:
        texts = list(_shapes(slides[n].shapes))
        if slides[n].has_notes_slide:
            texts.append(slides[n].notes_slide.notes_text_frame.text)
        return "\n\n".join(text.replace("\v", "\n") for text in texts if text.strip())

    return Document(pages=len(slides), page=page, title=deck.core_properties.title or "", numbered=True)


def _sheets(path: Path) -> Document:
    import openpyxl  # type: ignore[import-untyped, unused-ignore]

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    pages = []
    for sheet in book.worksheets:
        rows = (" | ".join(str(c) for c in row if c is not None) for row in sheet.iter_rows(values_only=True))
        pages.append("\n".join([sheet.title, *(row for row in rows if row)]))
    title = book.properties.title or ""
    book.close()
    return Document(pages=len(pages), page=lambda n: pages[n], title=title, numbered=True)


def _shapes(shapes: Iterable[Any]) -> Iterator[str]:
    """Texts of shapes, of tables, and of shapes in groups."""
    for shape in shapes:
        if shape.has_text_frame:
            yield shape.text_frame.text
        elif getattr(shape, "has_table", False) and shape.has_table:
            yield "\n".join(_rows(shape.table))
        elif hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)


def _rows(table: Any) -> Iterator[str]:
    for row in table.rows:
        yield " | ".join(cell.text.strip() for cell in row.cells)
