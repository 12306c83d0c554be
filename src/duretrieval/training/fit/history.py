"""What happened in a run, step by step, as a file that grows: `history.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from duretrieval import whole

FILE = "history.jsonl"


def append(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows, each with its "step"."""
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read(folder: Path) -> list[dict[str, Any]]:
    """Every row, in order; a last line that a kill cut short is left out."""
    path = folder / FILE
    rows = []
    for line in path.read_bytes().split(b"\n") if path.is_file() else []:  # a kill may also cut a character in two
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def cut(folder: Path, step: int) -> None:
    """Forget what came after a step: a run that goes on from there does it again."""
    kept = [row for row in read(folder) if row["step"] <= step]
    whole.write(folder / FILE, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept))
