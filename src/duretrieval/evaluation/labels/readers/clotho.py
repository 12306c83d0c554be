"""Clotho (Drossos, Lipping and Virtanen 2020): clotho_captions_evaluation.csv and its sisters.

file_name,caption_1,caption_2,caption_3,caption_4,caption_5
"""

from __future__ import annotations

from pathlib import Path

from duretrieval.evaluation.labels.captions import Captions, gather
from duretrieval.evaluation.labels.readers.table import rows
from duretrieval.types import Modality

CAPTIONS = [f"caption_{n}" for n in range(1, 6)]


def read_clotho(path: str | Path) -> Captions:
    """Sounds and their five captions, in the file's order. Item ids are file names, text ids `{file_name}#1` to `#5`.

    Raises:
        EvaluationError: not this layout; the message names file and line.
    """
    path = Path(path)
    found = [
        (
            row["file_name"],
            row["file_name"],
            [(f"{row['file_name']}#{n}", row[column]) for n, column in enumerate(CAPTIONS, start=1)],
        )
        for _, row in rows(path, ["file_name", *CAPTIONS])
    ]
    return gather(f"clotho {path.stem}", Modality.AUDIO, found)
