"""What programs read: one JSON object a line with `--json`."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from duretrieval.cli.terminal import escaped

if TYPE_CHECKING:
    from duretrieval.types import Evidence, Hit, Item, Part


def print_json(objects: Iterable[dict[str, Any]]) -> None:
    """One object a line on standard output, valid whatever strings and numbers hold."""
    unicode = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    for thing in objects:
        line = json.dumps(_finite(thing), ensure_ascii=not unicode, default=_plain)
        print(escaped(line, json_form))


def json_form(character: str) -> str:
    """A character as JSON writes what is not to be sent as it is."""
    return json.dumps(character)[1:-1]


def hit_dict(rank: int, hit: Hit) -> dict[str, Any]:
    """A hit as plain values: the machine's view of a row of `rows.print_hits`."""
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


def _finite(value: Any) -> Any:
    """JSON has no word for what is not a finite number: None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(held) for key, held in value.items()}
    return [_finite(held) for held in value] if isinstance(value, list | tuple) else value


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no plain form")
