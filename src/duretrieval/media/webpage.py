"""HTML to its visible text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

from duretrieval.media.charset import as_said
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.document import Document, chunks
from duretrieval.media.limits import Limits, check
from duretrieval.media.signature import Kind
from duretrieval.types import Reading

_UNSEEN = ("script", "style", "template", "noscript", "svg", "math", "iframe", "object", "head")
_BLOCKS = re.compile(
    "address|article|aside|blockquote|body|caption|center|details|dir|div|dl|fieldset|figcaption|figure|footer|form|"
    "h[1-6]|header|hr|html|legend|main|menu|nav|ol|p|pre|section|summary|table|title|ul"
)
_LINES = re.compile("br|tr|li|dt|dd|option")
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.I)


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Iterator[Chunk]:
    """Passages of a web page."""
    yield from chunks(open_document(path, limits), reading, limits, start)


def open_document(path: Path, limits: Limits) -> Document:
    """One page of text without scripts and styles; blocks become paragraphs.

    Raises:
        LimitExceeded: more characters than `limits` allows, markup included.
    """
    check("characters", path.stat().st_size, limits.max_chars, "max_chars")
    title, text = words(path.read_bytes())
    return Document(pages=1, page=lambda _: text, title=title)


def words(data: bytes, charset: str = "") -> tuple[str, str]:
    """Title and visible text; decoded as `charset` says, else by what the page says of itself, else as any text."""
    said = _CHARSET.search(data[:2048])
    charset = charset or (said[1].decode() if said else "")
    soup = BeautifulSoup(as_said(data, charset), "html.parser")
    title = soup.title.get_text() if soup.title else ""
    for tag in soup(_UNSEEN):
        tag.decompose()
    return title, _visible(soup)


def _visible(soup: BeautifulSoup) -> str:
    """Text in reading order: a blank line around blocks, a line end at <br> and rows, single spaces elsewhere."""
    out: list[str] = []
    for node in soup.descendants:
        if isinstance(node, Tag):
            if _BLOCKS.fullmatch(node.name):
                out.append("\n\n")
            elif _LINES.fullmatch(node.name):
                out.append("\n")
            elif node.name in ("td", "th"):
                out.append(" ")
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            out.append(re.sub(r"\s+", " ", node))
            if _ends_block(node):
                out.append("\n\n")
    text = re.sub(r"[^\S\n]*\n[^\S\n]*", "\n", re.sub(r"[^\S\n]+", " ", "".join(out)))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _ends_block(node: NavigableString) -> bool:
    """Whether the text is the last thing in a paragraph-like element, so that what follows begins anew."""
    here: Tag | NavigableString = node
    while here.next_sibling is None and here.parent is not None:
        here = here.parent
        if _BLOCKS.fullmatch(here.name):
            return True
    return False
