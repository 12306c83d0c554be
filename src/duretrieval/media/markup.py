"""What a person sees of Office XML (ECMA-376, part 1): paragraphs, tables and drawings, in reading order.

python-docx and python-pptx give no text in content controls, insertions, boxes and diagrams, so the XML is read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from duretrieval.media.package import Package, link, local
from duretrieval.media.signature import HEAD_BYTES
from duretrieval.media.tagged import is_mail

_UNSEEN = frozenset({"del", "moveFrom", "delText", "instrText", "delInstrText"})
_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_CACHES = {"strCache": "v", "multiLvlStrCache": "v", "strDim": "pt"}


@dataclass(frozen=True, slots=True)
class Markup:
    """Reads one part of a package, and the charts and diagrams that it shows."""

    package: Package
    part: str

    def text(self, nodes: Iterable[Element] | None = None, between: str = "\n") -> str:
        """All that can be seen of some elements, or below one, else of the whole part."""
        found = self.blocks(self.package.xml(self.part) if nodes is None else nodes)
        return between.join(block for block in found if block.strip())

    def blocks(self, nodes: Iterable[Element]) -> Iterator[str]:
        """Paragraphs and tables in order, tables a line a row; a box comes after the paragraph that holds it."""
        for child in seen(nodes):
            match local(child):
                case "p":
                    yield from self._paragraph(child)
                case "tbl":
                    yield "\n".join(self._rows(child))
                case "AlternateContent":
                    yield from self._alternative(child)
                case "chart" | "relIds" if child.attrib:
                    yield from self._drawn(child)
                case "altChunk":
                    yield self._foreign(child)
                case "textpath":
                    yield child.get("string", "")
                case "text":  # of a comment that knows no paragraphs
                    yield "".join(child.itertext())
                case _:
                    yield from self.blocks(child)

    def _paragraph(self, node: Element) -> Iterator[str]:
        boxes: list[str] = []
        yield "".join(self._runs(node, boxes))
        yield from boxes

    def _runs(self, node: Element, boxes: list[str]) -> Iterator[str]:
        """The words of a paragraph; what floats beside them goes to `boxes`."""
        for child in seen(node):
            match local(child):
                case "t":
                    yield child.text or ""
                case "tab" | "ptab" | "br" | "cr" | "noBreakHyphen" as sign:
                    yield _SIGNS[sign]
                case "AlternateContent":
                    yield from self._alternative_runs(child, boxes)
                case "ruby":
                    above, below = ([n for n in child if local(n) == name] for name in ("rt", "rubyBase"))
                    yield "".join(text for n in below for text in self._runs(n, boxes))
                    yield "".join(f"({''.join(self._runs(n, boxes))})" for n in above)
                case "p" | "tbl" | "txbxContent" | "chart" | "relIds" | "textpath":
                    boxes.extend(self.blocks([child]))
                case _:
                    yield from self._runs(child, boxes)

    def _alternative(self, node: Element) -> list[str]:
        """The first way to show the same thing in which there is any text."""
        ways = ([block for block in self.blocks(way) if block.strip()] for way in node)
        return next(filter(None, ways), [])

    def _alternative_runs(self, node: Element, boxes: list[str]) -> list[str]:
        for way in node:
            beside: list[str] = []
            words = list(self._runs(way, beside))
            if "".join((*words, *beside)).strip():
                boxes.extend(beside)
                return words
        return []

    def _rows(self, table: Element) -> Iterator[str]:
        for row in _under(table, "tr"):
            cells = (self.text(cell).strip() for cell in _under(row, "tc"))
            if line := " | ".join(cell for cell in cells if cell):
                yield line

    def _foreign(self, node: Element) -> str:
        """A page or a web archive that was put in as it is, for Word to turn into paragraphs when it opens the file."""
        from duretrieval.media.mail import message_text  # loads what few documents need
        from duretrieval.media.webpage import words

        data = self.package.read(self.package.targets(self.part).get(link(node), ""))
        return message_text(data) if is_mail(data[:HEAD_BYTES]) else words(data)[1]

    def _drawn(self, node: Element) -> Iterator[str]:
        """Titles, labels and categories of a chart, the texts of a diagram: they are parts of their own."""
        wanted = link(node, "dm" if local(node) == "relIds" else "id")
        if (part := self.package.targets(self.part).get(wanted)) is not None:
            root = self.package.xml(part)
            yield from dict.fromkeys((*Markup(self.package, part).blocks(root), *_cached(root)))


def seen(nodes: Iterable[Element]) -> Iterator[Element]:
    """Those that are shown: no properties, nothing deleted or moved away, no instructions of fields."""
    for child in nodes:
        if (name := local(child)) not in _UNSEEN and not name.endswith(("Pr", "PrChange")):
            yield child


def _under(node: Element, name: str) -> Iterator[Element]:
    """Rows of a table or cells of a row, in content controls and insertions too, but for deleted ones."""
    for child in seen(node):
        if local(child) != name:
            yield from _under(child, name)
        elif not any(
            local(mark) in ("del", "cellDel") for said in child for mark in said if local(said).endswith("Pr")
        ):
            yield child


def _cached(root: Element) -> Iterator[str]:
    """The names of series and categories as a chart keeps them."""
    for node in root.iter():
        if name := _CACHES.get(local(node)):
            yield " | ".join(said.text or "" for said in node.iter() if local(said) == name)
