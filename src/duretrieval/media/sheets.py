"""The cells of a workbook as text, a line a row (ECMA-376, part 1, 18).

Rows are taken as they come: what a sheet says of its own size, in `dimension`, is often wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from duretrieval.media.document import Document
from duretrieval.media.limits import Limits, check
from duretrieval.media.markup import Markup
from duretrieval.media.package import Package, link, local

_DATES = frozenset((*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)))
"""Numbers of the formats every program knows that show days or hours (18.8.30)."""
_DATE = re.compile("^(?!.*\\[[hms])[^dmyhs]*[dmyhs]", re.S)
_NOT_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^hms][^]]*\]')
_PAGE_CODE = re.compile(r'&("[^"]*"|K[\dA-F]{6}|K\d\d[+-]\d{3}|\d+|[A-Za-z&])')
"""In headers and footers: places, fonts, numbers of pages (18.3.1.46)."""
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True, slots=True)
class _Book:
    """What the cells of all sheets refer to."""

    strings: list[str]
    dated: frozenset[str]
    """Styles that show a number as a date."""
    day_0: datetime


def workbook(package: Package, root: Element, limits: Limits) -> Document:
    """A page a sheet, hidden ones too: its name, rows, header and footer, what is drawn on it, and comments."""
    targets = package.targets(package.main)
    named = ((node.get("name", ""), targets.get(link(node), "")) for node in root.iter() if local(node) == "sheet")
    sheets = [(name, part) for name, part in named if part]
    old_mac = any(local(node) == "workbookPr" and node.get("date1904") in ("1", "true") for node in root)
    day_0 = datetime(1904, 1, 1) if old_mac else datetime(1899, 12, 30)
    book = _Book(_strings(package), frozenset(_dated(package)), day_0)

    def page(n: int) -> str:
        name, part = sheets[n]
        lines, chars = [name], 0
        for line in filter(None, _lines(package, part, book)):
            check("characters", chars := chars + len(line), limits.max_chars, "max_chars")
            lines.append(line)
        return "\n".join(filter(None, (*lines, *_beside(package, part))))

    return Document(pages=len(sheets), page=page, title=package.title, numbered=True)


def _lines(package: Package, part: str, book: _Book) -> Iterator[str]:
    for node in package.stream(part, "row", "headerFooter"):
        if local(node) == "row":
            yield " | ".join(filter(None, (_shown(cell, book).strip() for cell in node)))
        else:  # the same on all pages, or one for the first, one for even ones, one for odd ones
            yield from dict.fromkeys(" ".join(_PAGE_CODE.sub(_page_code, said).split()) for said in node.itertext())


def _page_code(code: re.Match[str]) -> str:
    return "&" if code[0] == "&&" else " "


def _beside(package: Package, part: str) -> Iterator[str]:
    """Texts of a sheet's drawings, then its comments; of a conversation itself, not the copy for older programs."""
    for kind in ("drawing", "threadedComment"):
        yield from (Markup(package, beside).text() for beside in package.related(part, kind))
    for beside in package.related(part, "comments"):
        nodes = list(package.xml(beside).iter())
        authors = [node.text or "" for node in nodes if local(node) == "author"]
        copies = {str(n) for n, author in enumerate(authors) if author.startswith("tc=")}
        comments = (node for node in nodes if local(node) == "comment" and node.get("authorId") not in copies)
        yield from (_text(said) for comment in comments for said in comment if local(said) == "text")


def _shown(cell: Element, book: _Book) -> str:
    """What a cell shows; of a formula, the result that was saved with it."""
    held = {local(node): node for node in cell}
    said = held["v"].text or "" if "v" in held else ""
    match cell.get("t", "n"):
        case "s":
            return book.strings[int(said)] if said.strip().isdecimal() and int(said) < len(book.strings) else ""
        case "inlineStr":
            return _text(held["is"]) if "is" in held else said
        case "b":
            return {"1": "TRUE", "0": "FALSE"}.get(said, said)
        case "n" if said:
            return _number(said, cell.get("s", "0") in book.dated, book.day_0)
    return _plain(said)


def _number(said: str, dated: bool, day_0: datetime) -> str:
    """ "0.10000000000000001" -> "0.1"; as a date, "45292" -> "2024-01-01" and "0.5" -> "12:00:00"."""
    try:
        number = float(said)
        if not dated:
            return str(int(number)) if number.is_integer() and abs(number) < 1e15 else str(number)
        moment = day_0 + timedelta(seconds=round(number * 86_400))
    except (ValueError, OverflowError):  # no number, or no day that there is
        return said
    return str(moment.time() if 0 <= number < 1 else moment).removesuffix(" 00:00:00")


def _strings(package: Package) -> list[str]:
    return [
        _text(node) for part in package.related(package.main, "sharedStrings") for node in package.stream(part, "si")
    ]


def _dated(package: Package) -> Iterator[str]:
    """The numbers of the styles whose format has a day, month, year, hour or second in it."""
    for part in package.related(package.main, "styles"):
        root = package.xml(part)
        codes = {node.get("numFmtId"): node.get("formatCode", "") for node in root.iter() if local(node) == "numFmt"}
        dates = {str(number) for number in _DATES if str(number) not in codes}
        dates |= {str(name) for name, code in codes.items() if _DATE.search(_NOT_CODE.sub("", code.lower()))}
        for styles in root:
            if local(styles) == "cellXfs":
                yield from (str(n) for n, style in enumerate(styles) if style.get("numFmtId") in dates)


def _text(node: Element) -> str:
    """A string without the readings that Japanese writes above it."""
    runs = (part for held in node if local(held) != "rPh" for part in held.iter() if local(part) == "t")
    return _plain("".join(run.text or "" for run in runs))


def _plain(said: str) -> str:
    """Characters that XML cannot hold come as _x000D_, and those beyond 16 bits as two halves."""
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), said).replace("\r", "")
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
