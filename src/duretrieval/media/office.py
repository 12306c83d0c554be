"""Word, PowerPoint and Excel files: plain ones, with macros, templates and shows."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree.ElementTree import Element

from duretrieval.errors import DamagedMedia, UnsupportedMedia
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.document import Document, chunks
from duretrieval.media.limits import Limits, check
from duretrieval.media.markup import Markup
from duretrieval.media.package import Package, link, local
from duretrieval.media.sheets import workbook
from duretrieval.media.signature import Kind
from duretrieval.types import Reading

_REPEATED = ("sldImg", "sldNum", "hdr", "ftr", "dt")
"""Placeholders of a notes page that are not notes."""


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Iterator[Chunk]:
    """Passages of a document, a slide or a sheet, with the slide's or sheet's number as page."""
    with open_document(path, limits) as document:
        yield from chunks(document, reading, limits, start)


@contextmanager
def open_document(path: Path, limits: Limits) -> Iterator[Document]:
    """A .docx is one page, a .pptx a page a slide, an .xlsx a page a sheet, while the file is open.

    Raises:
        DamagedMedia: it is not a whole zip file.
        UnsupportedMedia: it is another thing in an Office wrapper.
    """
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise DamagedMedia(f"it begins as an Office file does but is not whole: {error}") from error
    with archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        check("bytes when unpacked", unpacked, limits.memory_bytes / 8, "memory_bytes")
        yield _document(Package(archive), limits)


def _document(package: Package, limits: Limits) -> Document:
    if package.main.endswith(".bin"):
        raise UnsupportedMedia("it is a binary Excel workbook; save it as .xlsx")
    root = package.xml(package.main)
    match local(root):
        case "document":
            return _word(package, root)
        case "presentation":
            return _slides(package, root)
        case "workbook":
            return workbook(package, root, limits)
    raise UnsupportedMedia("it is wrapped as an Office file but holds no document, slides or sheets")


def _word(package: Package, root: Element) -> Document:
    """Headers, the text, its notes, comments, footers; a header that is the same in many sections is there once."""
    around: dict[str, list[str]] = {"headerReference": [], "footerReference": []}
    targets = package.targets(package.main)
    for node in root.iter():
        if (name := local(node)) in around:
            around[name].append(targets.get(link(node), ""))
    notes = [part for kind in ("footnotes", "endnotes", "comments") for part in package.related(package.main, kind)]
    headers, footers, below = (
        dict.fromkeys(Markup(package, part).text(between="\n\n") for part in parts)
        for parts in (*around.values(), notes)
    )
    body = Markup(package, package.main).text(root, between="\n\n")
    text = "\n\n".join(filter(None, (*headers, body, *below, *footers)))
    return Document(pages=1, page=lambda _: text, title=package.title)


def _slides(package: Package, root: Element) -> Document:
    """In the order of the show, each with its notes and comments."""
    targets = package.targets(package.main)
    order = (link(node) for node in root.iter() if local(node) == "sldId")
    slides = [targets[name] for name in order if name in targets]

    def page(n: int) -> str:
        shapes = [*_shapes(package, slides[n])]
        for part in package.related(slides[n], "notesSlide"):
            shapes.extend(_shapes(package, part, _REPEATED))
        shapes.extend(Markup(package, part).text() for part in package.related(slides[n], "comments"))
        return "\n\n".join(filter(None, shapes))

    return Document(pages=len(slides), page=page, title=package.title, numbered=True)


def _shapes(package: Package, part: str, without: tuple[str, ...] = ()) -> Iterator[str]:
    """Texts of the shapes of a slide, those in groups one by one."""
    markup = Markup(package, part)
    waiting = list(reversed(package.xml(part)))
    while waiting:
        node = waiting.pop()
        if local(node) in ("cSld", "spTree", "grpSp"):
            waiting.extend(reversed(node))
        elif not any(local(held) == "ph" and held.get("type") in without for held in node.iter()):
            yield markup.text([node])
