"""A result on a terminal: what it is called, then why it was found; cut to the terminal's width, never wrapped.

1   7.9  stuff/Pictures/…/notes.txt                          aed4df
         text · The red bus stops in front of the station. The red…
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from duretrieval.cli.paths import near
from duretrieval.cli.terminal import out, shown

if TYPE_CHECKING:
    from duretrieval.types import Evidence, Hit, Item, Part, Scalar

MATCHED = {"text": "text", "image": "picture", "video": "frames", "audio": "sound", "whole": "whole"}
PRICED = re.compile(r"price|cost|amount|currency|价|價|金额|金額|货币|貨幣", re.IGNORECASE)
"""Fields that a row of products shows."""
SNIPPET = 160
"""Columns of a passage where lines have no width."""
GAP = "  "


def print_hits(hits: Sequence[Hit], short: Callable[[str], str] = str) -> None:
    """Two lines a hit; short: an id as it is shown."""
    if not hits:
        out.print("Nothing found.")
        return
    if hits[0].measure != "deviations":
        out.print(Text(f"Scores: {shown(hits[0].measure)}.", style="dim"))
    for rank, hit in enumerate(hits, start=1):
        lead = Text(f"{rank:>3}{GAP}", style="dim").append(f"{hit.score:4.1f}{GAP}", style="bold not dim")
        for line in hit_lines(hit, short(hit.item.id), lead, out.columns):
            out.print(line)


def hit_lines(hit: Hit, id: str, lead: Text, width: int | None) -> Iterator[Text]:
    """The lines of a hit, the first behind `lead`, the others below it; width: columns, or None for no end."""
    room = None if width is None else max(width - lead.cell_len, 12)
    about = Text(" " * lead.cell_len)
    id = shown(id)
    beside = room is None or cell_len(id) <= room // 3
    yield _headed(lead, _title(hit.item, room and room - (cell_len(id) + 2) * beside), id if beside else "", width)
    yield about + _why(hit, room)
    if not beside:
        yield about + Text(f"id {cut(id, room and room - 3)}", style="dim")
    if hit.item.problem:
        yield about + Text(cut(shown(hit.item.problem), room), style="yellow")


def clock(seconds: float) -> str:
    """65.4 -> "1:05", 3661 -> "1:01:01"."""
    minutes, s = divmod(int(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02d}:{s:02d}" if hours else f"{m}:{s:02d}"


def place(part: Part) -> str:
    """Where in its item a part sits: "0:05-0:10", "page 3", or nothing when it is the whole item."""
    if part.start_s is not None and part.end_s is not None:
        return f"{clock(part.start_s)}-{clock(part.end_s)}"
    if part.page is not None:
        return f"page {part.page}"
    return ""


def cut(text: str, width: int | None) -> str:
    """A text of at most `width` columns, which ends in an ellipsis if it was longer; a Chinese character has two."""
    if width is None or cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)).rstrip() + "…"


def cut_path(path: str, width: int | None) -> str:
    """A path of at most `width` columns: folders go first, then the middle of the name, whose ending says what it is.

    cut_path("stuff/Pictures/2019/bus.png", 18) == "stuff/Pic…/bus.png"
    """
    if width is None or cell_len(path) <= width:
        return path
    folder, name = _split(path)
    if folder and (left := width - cell_len(name) - 2) >= 0:
        return set_cell_size(folder[:-1], left).rstrip() + "…" + folder[-1] + name
    end = next(name[i:] for i in range(len(name) + 1) if cell_len(name[i:]) <= width // 3)
    return set_cell_size(name, width - 1 - cell_len(end)).rstrip() + "…" + end


def one_line(words: str) -> str:
    """A passage on one line: spaces for breaks, and no places where a word may be broken."""
    return shown(" ".join(words.replace("\xad", "").split()))


def _headed(lead: Text, title: Text, id: str, width: int | None) -> Text:
    filled = 0 if width is None else width - lead.cell_len - title.cell_len - cell_len(id)
    return lead + title + Text((" " * max(filled, 2) + id) if id else "", style="dim")


def _title(item: Item, room: int | None) -> Text:
    """A file is its path, with its name in bold; anything else its name, and what it costs."""
    if path := _file(item):
        folder, name = _split(cut_path(shown(near(path)), room))
        return Text(folder, style="dim").append(name, style="bold not dim")
    name = cut(one_line(str(item.fields.get("name") or item.id)), room)
    costs = ", ".join(f"{key} {_number(value)}" for key, value in item.fields.items() if PRICED.search(key))
    left = None if room is None else room - cell_len(name) - 2
    if not costs or (left is not None and left < 4):
        return Text(name, style="bold")
    return Text(name, style="bold").append(GAP + cut(one_line(costs), left), style="not bold")


def _number(value: Scalar) -> str:
    """A store holds 20 as 20.0 where another price is 19.5."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _why(hit: Hit, room: int | None) -> Text:
    """What matched and where, then its words and its picture in what room is left."""
    best = hit.evidence[0].part
    line = Text().append(", ".join([_moment(best), *_also(hit.evidence)]), style="cyan")
    if (path := _file(hit.item)) and "\\udc" not in path and not os.path.lexists(path):  # a name that is no Unicode
        line.append(" · gone", style="yellow")
    words = one_line(best.content) if isinstance(best.content, str) else ""
    if words == one_line(str(hit.item.fields.get("name", ""))):
        words = ""
    picture = best.file or next((part.file for part in hit.item.parts if part.file), None)
    named = shown(near(picture)) if picture else ""
    left = None if room is None else room - line.cell_len
    if named:
        named = cut_path(named, left and max(left - 3 if not words else left * 2 // 5, 8))
    if words:
        words = cut(words, SNIPPET if left is None else max(left - 3 - (cell_len(named) + 3) * bool(named), 8))
    for text, style in ((words, "italic"), (named, "")):
        if text:
            line.append(" · ", style="dim").append(text, style=style)
    if room is not None:
        line.truncate(room, overflow="ellipsis")
    return line


def _split(path: str) -> tuple[str, str]:
    """A path's folders, with the separator at their end, and its name."""
    name = os.path.basename(path)  # noqa: PTH119  (text that is shown)
    return path[: len(path) - len(name)], name


def _moment(part: Part) -> str:
    return f"{MATCHED[part.modality]} {place(part)}".strip()


def _also(evidence: Sequence[Evidence]) -> Iterator[str]:
    """The other places that matched; the modality where it changes."""
    before = evidence[0].part.modality
    for n, e in enumerate([e for e in evidence[1:] if e.score > 0 and place(e.part)]):
        moment = place(e.part) if e.part.modality is before else _moment(e.part)
        yield moment if n else f"also {moment}"
        before = e.part.modality


def _file(item: Item) -> str | None:
    """The path of an item that is a file."""
    return item.source if item.digest or (Path(item.source).is_absolute() and "#" not in item.source) else None
