"""An Office file as a package: XML parts in a zip that name one another by relations (ECMA-376, part 2)."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element


class Relation(NamedTuple):
    """What one part is to another."""

    id: str
    kind: str
    """The last word of its type, the same in all editions of the standard: "footnotes", "slide"."""
    target: str
    """Name of a part."""


class Package:
    """Looks up parts by name and relation; what a part is called, and which type it claims, does not matter."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._relations: dict[str, list[Relation]] = {}
        self._targets: dict[str, dict[str, str]] = {}

    @cached_property
    def _names(self) -> dict[str, str]:
        """As the zip has them, by how parts name one another: some writers differ in case and slashes."""
        return {_plain(name): name for name in self._archive.namelist()}

    def xml(self, part: str) -> Element:
        """Its root; an empty element where there is no such part.

        Raises:
            ParseError: it is not XML.
        """
        data = self.read(part)
        return ElementTree.fromstring(data) if data else Element("nothing")

    def read(self, part: str) -> bytes:
        """Its bytes; none where there is no such part."""
        name = self._names.get(_plain(part))
        return b"" if name is None else self._archive.read(name)

    def stream(self, part: str, *wanted: str) -> Iterator[Element]:
        """Elements of some names in a part that may be too large to hold; each is let go when the next is asked for.

        Raises:
            ParseError: it is not XML.
        """
        name = self._names.get(_plain(part))
        if name is None:
            return
        above: list[Element] = []
        with self._archive.open(name) as file:
            for event, node in ElementTree.iterparse(file, ("start", "end")):
                if event == "start":
                    above.append(node)
                    continue
                above.pop()
                if local(node) in wanted:
                    yield node
                    above[-1].clear()

    def relations(self, part: str) -> list[Relation]:
        """Those of a part to others in the package; of the package itself where `part` is ""."""
        if part not in self._relations:
            self._relations[part] = list(self._read_relations(part))
        return self._relations[part]

    def _read_relations(self, part: str) -> Iterator[Relation]:
        folder, name = posixpath.split(part)
        for relation in self.xml(f"{folder}/_rels/{name}.rels"):
            if relation.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, relation.get("Target", "").replace("\\", "/")))
                kind = relation.get("Type", "").rpartition("/")[2]
                yield Relation(relation.get("Id", ""), kind, target)

    def targets(self, part: str) -> dict[str, str]:
        """The parts that a part names, by the ids it calls them."""
        if part not in self._targets:
            self._targets[part] = {relation.id: relation.target for relation in self.relations(part)}
        return self._targets[part]

    def related(self, part: str, kind: str) -> list[str]:
        """Names of the parts that are a `kind` of this part, in order."""
        return [relation.target for relation in self.relations(part) if relation.kind == kind]

    @property
    def main(self) -> str:
        """Name of the part that a reader opens first; "" where there is none."""
        return next(iter(self.related("", "officeDocument")), "")

    @property
    def title(self) -> str:
        """What its properties say; "" where they say nothing."""
        for part in self.related("", "core-properties"):
            for node in self.xml(part):
                if local(node) == "title":
                    return node.text or ""
        return ""


def local(node: Element) -> str:
    """Name of an element without its namespace, of which every edition of the standard has its own."""
    return node.tag.rpartition("}")[2]


def link(node: Element, name: str = "id") -> str:
    """The id of the relation that an element names, r:id unless called otherwise; "" where it names none."""
    return next((said for key, said in node.attrib.items() if key.startswith("{") and key.endswith("}" + name)), "")


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()
