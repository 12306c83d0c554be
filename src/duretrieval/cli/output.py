"""What people and programs read: tables on a terminal, one JSON object a line with `--json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from duretrieval import plugins
from duretrieval.types import Evidence, Hit, Item, Modality, Part

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

WORDS_SHOWN = 90
"""Characters of a passage in a table."""
MATCHED = {
    Modality.TEXT: "text",
    Modality.IMAGE: "picture",
    Modality.VIDEO: "frames",
    Modality.AUDIO: "sound",
    Modality.WHOLE: "whole",
}


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


@contextmanager
def trusting(trust: bool) -> Iterator[None]:
    """For `--trust`: follow paths to code in stored files, and say so."""
    if trust:
        err.print("--trust: Python code that the model's or run's files name is run, with all your rights.")
    with plugins.trusting(trust):
        yield


def print_hits(hits: list[Hit]) -> None:
    """One item a line with its best part; below it its words, its source and its id."""
    if not hits:
        out.print("Nothing found.")
        return
    if hits[0].measure != "deviations":
        out.print(Text(f"Scores: {hits[0].measure}.", style="dim"))
    shown = max(len(place(hit.evidence[0].part)) for hit in hits)
    for rank, hit in enumerate(hits, start=1):
        best = hit.evidence[0].part
        line = Text(f"{rank:>3}  ", style="dim")
        line.append(f"{hit.score:5.1f}  ", style="bold not dim")
        line.append(f"{MATCHED[best.modality]:<8} {place(best):<{shown}}  ", style="cyan not dim")
        line.append(str(hit.item.fields.get("name", hit.item.id)), style="bold not dim")
        if best.file:
            line.append(f" ({Path(best.file).name})", style="not dim")
        out.print(line)
        for text, style in _below(hit):
            out.print(Text(" " * 12 + text, style=style))


def print_json(objects: Iterable[dict[str, Any]]) -> None:
    """One object a line on standard output."""
    for thing in objects:
        print(json.dumps(thing, ensure_ascii=False, default=_plain))


def hit_dict(rank: int, hit: Hit) -> dict[str, Any]:
    """A hit as plain values: the machine's view of a row of `print_hits`."""
    said = {} if hit.measure == "deviations" else {"measure": hit.measure}
    return {
        "rank": rank,
        "score": round(hit.score, 4),
        **said,
        **item_dict(hit.item),
        "evidence": [evidence_dict(e) for e in hit.evidence],
    }


def item_dict(item: Item) -> dict[str, Any]:
    """An item's identity and fields; None where there is no problem."""
    return {"id": item.id, "source": item.source, "fields": dict(item.fields), "problem": item.problem}


def evidence_dict(evidence: Evidence) -> dict[str, Any]:
    """A part that matched: only what it has."""
    values = {"score": round(evidence.score, 4), "similarity": round(evidence.similarity, 4)}
    return {**part_dict(evidence.part), **values}


def part_dict(part: Part) -> dict[str, Any]:
    """A part's modality and place; its words if it is text."""
    names = ("start_s", "end_s", "page", "start_char", "end_char", "file")
    placed = {name: value for name in names if (value := getattr(part, name)) is not None}
    words = {"text": part.content} if isinstance(part.content, str) else {}
    return {"modality": part.modality.value, **placed, **words}


def _below(hit: Hit) -> Iterator[tuple[str, str]]:
    content, item = hit.evidence[0].part.content, hit.item
    if isinstance(content, str):
        words = " ".join(content.split())
        yield (words if len(words) <= WORDS_SHOWN else words[: WORDS_SHOWN - 1] + "…"), "italic"
    if also := [
        f"{MATCHED[e.part.modality]} {where}" for e in hit.evidence[1:] if (where := place(e.part)) and e.score > 0
    ]:
        yield f"also {', '.join(also)}", "cyan dim"
    yield f"{item.source}  {item.id}", "dim"
    if item.problem:
        yield item.problem, "yellow"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no plain form")
