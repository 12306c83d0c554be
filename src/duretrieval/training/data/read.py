"""What reading a data set gives: its samples, and what could not be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from duretrieval.training.data.sample import Sample

SPLITS = ("train", "val", "test")
_CALLED = {
    **dict.fromkeys(("train", "training", "restval", "development"), "train"),
    **dict.fromkeys(("val", "valid", "validate", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "evaluation"), "test"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A row, or several, that cannot be used, or not wholly, and why."""

    file: Path | None
    """The list that names the row, or the file that cannot be used."""
    line: int | None
    """The line of a text file, the row of a Parquet table, the record of a TFRecord, from 1; None: the whole file."""
    reason: str
    sample: str = ""
    """The id of the sample, where it got as far as having one."""
    column: str = ""
    used: bool = False
    """The row is used all the same, without what this is about."""

    def __str__(self) -> str:
        """For example: rows.jsonl:7: row 'bus-3', column 'image': there is no such file."""
        where = "" if self.file is None else f"{self.file}{'' if self.line is None else f':{self.line}'}: "
        row = f"row '{self.sample}'" if self.sample else ""
        column = f"column '{self.column}'" if self.column else ""
        what = ", ".join(word for word in (row, column) if word)
        return f"{where}{what}{': ' if what else ''}{self.reason}"


@dataclass(frozen=True, slots=True)
class Read:
    """The samples of a data set, in its order, and a problem for all that is not among them."""

    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...] = ()


def split_name(said: str) -> str | None:
    """train, val or test for what data sets call them; None where it is no such name.

    split_name("validation") == "val"; COCO's "restval" and Clotho's "development" are trained on.
    """
    return _CALLED.get(said.strip().lower())
