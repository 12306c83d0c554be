"""Plain text and Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from duretrieval.media.charset import to_text
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.document import Document, chunks
from duretrieval.media.limits import Limits, check
from duretrieval.media.signature import Kind
from duretrieval.types import Reading

_HEADING = re.compile(r"\s*# +(.+)")


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Iterator[Chunk]:
    """Passages of a text file."""
    yield from chunks(open_document(path, limits), reading, limits, start)


def open_document(path: Path, limits: Limits) -> Document:
    """One page; its title is a Markdown heading on its first line.

    Raises:
        LimitExceeded: more characters than `limits` allows.
    """
    check("bytes of text", path.stat().st_size, 4 * limits.max_chars, "max_chars")
    text = to_text(path.read_bytes())
    heading = _HEADING.match(text)
    return Document(pages=1, page=lambda _: text, title=heading[1] if heading else "")
