"""Pages of text to chunks of passages, the same for every kind of document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from duretrieval.errors import EmptyMedia
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.limits import Limits, check
from duretrieval.media.passages import split
from duretrieval.types import Modality, Part, Reading, Scalar

BETWEEN_PAGES = "\n\n"
"""The text that `start_char` and `end_char` count in is the pages joined with this."""
PASSAGES_PER_CHUNK = 1_000
PAGES_PER_CHUNK = 50


@dataclass(frozen=True, slots=True)
class Document:
    """Text in pages, read one by one."""

    pages: int
    page: Callable[[int], str]
    """Text of a page, counted from 0."""
    title: str = ""
    numbered: bool = False
    """Whether the pages are ones a person would name: of a PDF, not of a web page."""
    empty: str = "it has no text"
    """What to say when no page has any text."""


def text_of(document: Document) -> str:
    """The whole text that the places of passages refer to."""
    return BETWEEN_PAGES.join(document.page(n) for n in range(document.pages))


def chunks(document: Document, reading: Reading, limits: Limits, start: Cursor | None) -> Iterator[Chunk]:
    """TEXT parts from `start` on: `text_of(document)[part.start_char:part.end_char] == part.content`.

    Raises:
        EmptyMedia: no page has any text.
        LimitExceeded: more pages or characters than `limits` allows.
    """
    check("pages", document.pages, limits.max_pages, "max_pages")
    at, fields = start or Cursor(0), {} if start else _fields(document)
    parts: list[Part] = []
    last = at.unit + PAGES_PER_CHUNK
    while at.unit < document.pages:
        text = document.page(at.unit)
        check("characters", at.char + len(text), limits.max_chars, "max_chars")
        for part in _passages(text, at, at.unit + 1 if document.numbered else None, reading.passage_chars):
            if len(parts) == PASSAGES_PER_CHUNK:
                at = Cursor(at.unit, at.char, (parts[-1].end_char or 0) - at.char)
                yield Chunk(tuple(parts), fields, at)
                parts, fields, last = [], {}, at.unit + PAGES_PER_CHUNK
            parts.append(part)
        at = Cursor(at.unit + 1, at.char + len(text) + len(BETWEEN_PAGES))
        if parts and last <= at.unit < document.pages:
            yield Chunk(tuple(parts), fields, at)
            parts, fields, last = [], {}, at.unit + PAGES_PER_CHUNK
    if not parts and fields:
        raise EmptyMedia(document.empty)
    yield Chunk(tuple(parts), fields)


def _passages(text: str, at: Cursor, page: int | None, limit: int) -> Iterator[Part]:
    """Those of a page from `at` on."""
    for start, end in split(text, limit, at.skip):
        yield Part(Modality.TEXT, text[start:end], page=page, start_char=at.char + start, end_char=at.char + end)


def _fields(document: Document) -> dict[str, Scalar]:
    fields: dict[str, Scalar] = {"kind": "text"}
    if document.numbered:
        fields["pages"] = document.pages
    if title := " ".join(document.title.split()):
        fields["title"] = title
    return fields
