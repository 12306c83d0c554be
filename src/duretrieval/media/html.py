"""Web pages: their words, without scripts and styles."""

from __future__ import annotations

import warnings
from pathlib import Path

from duretrieval.media import text
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.limits import Limits
from duretrieval.types import Reading

_NOT_READ = ("script", "style", "noscript", "template", "svg")
_BLOCKS = ("p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "blockquote", "pre")


def read(path: Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    """TEXT parts; character places are those in the extracted text."""
    from bs4 import BeautifulSoup

    if path.stat().st_size > 4 * limits.max_chars:
        raise text.too_long(path.stat().st_size, limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # markup that resembles a path or XML is no news to an indexer
        page = BeautifulSoup(path.read_bytes(), "html.parser")
    fields = {"kind": "text"}
    if page.title and (title := " ".join(page.title.get_text().split())):
        fields["title"] = title
    for tag in page.find_all([*_NOT_READ, "title"]):
        tag.decompose()
    for tag in page.find_all(_BLOCKS):
        tag.insert_before("\n\n")
        tag.insert_after("\n\n")
    for tag in page.find_all(("td", "th", "option")):
        tag.insert_after(" ")
    return text.chunk(page.get_text(), reading, limits, start, fields)
