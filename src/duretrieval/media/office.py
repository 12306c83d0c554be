"""Word, PowerPoint and Excel documents, with the extra `office`."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from duretrieval.errors import DamagedMedia, EmptyMedia, LimitExceeded, MissingExtra, UnsupportedMedia
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.limits import Limits
from duretrieval.media.passages import passages
from duretrieval.media.text import too_long
from duretrieval.types import Part, Reading, Scalar

UNPACKED = 500_000_000
"""Bytes of a document after unpacking, at most."""


def read(path: Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    """TEXT parts; slides and sheets are pages, counted from 1. A document comes in one chunk."""
    kind, pages = _opened(path)
    parts: list[Part] = []
    number = chars = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of features that do not matter to its words
            for number, words in enumerate(pages, start=1):
                chars += len(words)
                if chars > limits.max_chars:
                    raise too_long(chars, limits)
                parts.extend(passages(words, reading, page=None if kind == "docx" else number))
    except ModuleNotFoundError as error:
        raise MissingExtra(f"Office documents need {error.name}: pip install 'duretrieval[office]'") from error
    if not parts:
        raise EmptyMedia("the document holds no text")
    fields: dict[str, Scalar] = {"kind": "text"}
    if kind != "docx":
        fields["pages"] = number
    return Chunk(tuple(parts), fields)


def _opened(path: Path) -> tuple[str, Iterator[str]]:
    """Which kind of document it is, and its pages' words."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise DamagedMedia("the document is truncated or damaged") from error
    if size > UNPACKED:
        raise LimitExceeded(f"it unpacks to {size / 1e6:.0f} MB; the limit is {UNPACKED / 1e6:.0f}")
    if "word/document.xml" in names:
        return "docx", _word(path)
    if "ppt/presentation.xml" in names:
        return "pptx", _slides(path)
    if "xl/workbook.xml" in names:
        return "xlsx", _sheets(path)
    raise UnsupportedMedia("it is a package of parts, but no Word, PowerPoint or Excel document")


def _word(path: Path) -> Iterator[str]:
    import docx

    document = docx.Document(str(path))
    blocks = [block.text for block in document.paragraphs]
    blocks += [_row(cell.text for cell in row.cells) for table in document.tables for row in table.rows]
    yield "\n\n".join(blocks)


def _slides(path: Path) -> Iterator[str]:
    import pptx

    for slide in pptx.Presentation(str(path)).slides:
        shapes = list(_shapes(slide.shapes))
        words = [shape.text_frame.text for shape in shapes if shape.has_text_frame]
        tables = (shape.table for shape in shapes if getattr(shape, "has_table", False))
        words += [_row(cell.text for cell in row.cells) for table in tables for row in table.rows]
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            words.append(slide.notes_slide.notes_text_frame.text)
        yield "\n\n".join(words)


def _shapes(shapes: Any) -> Iterator[Any]:
    for shape in shapes:
        yield shape
        yield from _shapes(getattr(shape, "shapes", ()))  # a group


def _sheets(path: Path) -> Iterator[str]:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for sheet in book.worksheets:
            rows = (_row(row) for row in sheet.iter_rows(values_only=True))
            yield f"{sheet.title}\n" + "\n".join(row for row in rows if row)
    finally:
        book.close()


def _row(cells: Any) -> str:
    """A table's row as one line; a merged cell, which repeats, once."""
    return " | ".join(dict.fromkeys(str(cell).strip() for cell in cells if cell is not None and str(cell).strip()))
