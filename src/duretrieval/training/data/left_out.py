"""Files that did harm, or could not be read, in the middle of a run."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from duretrieval.training.data.sample import Sample
from duretrieval.types import Part

KEPT = "left_out"


class LeftOut:
    """What is not read again in this run: each file's stretch with its reason, said once.

    It belongs to the checkpoint, so that a run that goes on leaves out the same.
    """

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        self.reasons: dict[str, str] = {}
        """What -> the row that met it, its column, file and reason."""
        self._tell = tell or logging.getLogger("duretrieval").warning

    def __contains__(self, part: Part) -> bool:
        return bool(self.reasons) and _key(part) in self.reasons

    def add(self, sample: Sample, column: str, why: Exception) -> None:
        """Leave the column of this sample out from now on, and whatever else names the same stretch of the file."""
        part = sample.columns[column]
        if part not in self:
            said = f"{sample.id}, {column}: {part.content}: {why}"
            self.reasons[_key(part)] = said
            self._tell(f"left out for the rest of the run: {said}")

    def update(self, reasons: Mapping[str, str]) -> None:
        """Leave out what another process of the run leaves out."""
        self.reasons |= reasons

    def keep(self, checkpoint: dict[str, Any]) -> None:
        """Write it into a checkpoint."""
        checkpoint[KEPT] = json.dumps(self.reasons)  # ASCII: half a character in a name is no string to torch's reader

    def recall(self, checkpoint: Mapping[str, Any]) -> None:
        """What a checkpoint leaves out; those of earlier versions, nothing."""
        self.update(json.loads(checkpoint.get(KEPT, "{}")))

    def __getstate__(self) -> dict[str, object]:
        return {"reasons": self.reasons, "_tell": logging.getLogger("duretrieval").warning}


def _key(part: Part) -> str:
    return f"{part.modality}|{part.start_s}|{part.end_s}|{part.content}"
