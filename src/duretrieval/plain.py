"""Hits as plain values: one form for the command line, and for every program that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duretrieval.types import Evidence, Hit, Item, Part


def hit_dict(rank: int, hit: Hit) -> dict[str, Any]:
    """A hit as plain values: what `--json` prints."""
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
