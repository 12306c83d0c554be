"""HTML to its visible text."""

from __future__ import annotations

import re
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

from duretrieval.media.charset import to_text
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.document import Document, chunk
from duretrieval.media.limits import Limits, check
from duretrieval.media.signature import Kind
from duretrieval.types import Reading

_UNSEEN = ("script", "style", "template", "noscript", "svg", "math", "iframe", "object", "head")
_BLOCKS = re.compile(
    "address|article|aside|blockquote|body|div|dl|fieldset|figcaption|figure|footer|form|h[1-6]|header|hr|html|main|nav|"
    "ol|p|pre|section|table|ul"
)
_LINES = re.compile("br|tr|li|dt|dd")
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.I)


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Chunk:
    """Passages of a web page."""
    return chunk(open_document(path, limits), reading, limits, start)


def open_document(path: Path, limits: Limits) -> Document:
    """One page of text without scripts and styles; blocks become paragraphs.

    Raises:
        LimitExceeded: more characters than `limits` allows, markup included.
    """
    check("characters", path.stat().st_size, limits.max_chars, "max_chars")
    soup = BeautifulSoup(_decoded(path.read_bytes()), "html.parser")
    title = soup.title.get_text() if soup.title else ""
    for tag in soup(_UNSEEN):
        tag.decompose()
    text = _visible(soup)
    return Document(pages=1, page=lambda _: text, title=title)


def _decoded(data: bytes) -> str:
    """By what the page says of itself if that fits, else as any text."""
    said = _CHARSET.search(data[:2048])
    if said and said[1].lower() != b"utf-8":
        name = said[1].decode().lower()
        try:
            return data.decode("gb18030" if name in ("gb2312", "gbk") else name).replace("\r\n", "\n")
        except (UnicodeDecodeError, LookupError):
            pass
    return to_text(data)


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
