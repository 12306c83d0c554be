"""Collect judgements: one result at a time, kept at once, so that nothing is lost and work goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from duretrieval.collection.collection import Collection
from duretrieval.errors import EvaluationError
from duretrieval.evaluation.runs import read_judgements
from duretrieval.evaluation.subjects.collection import as_file
from duretrieval.types import Hit, Query


@dataclass(frozen=True, slots=True)
class Question:
    """Does this result answer this query?"""

    query: str
    number: int
    """Of the query, from 1."""
    queries: int
    rank: int
    """Of the result, from 1."""
    hit: Hit


class JudgementFile:
    """Judgements in a JSON lines file that grows by a line each; each line is on disk when `record` returns.

    A line that a killed process left half written is dropped.

    Raises:
        EvaluationError: its name is of another format; or it is there and holds something else, and the message names
            the line.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        if path.suffix.lower() != ".jsonl":
            raise EvaluationError(f"judgements are JSON lines; call their file {path.stem}.jsonl, not {path.name}")
        self.path = path
        self._ends: list[int] = []
        if path.exists():
            _mend(path)
            self._gains = read_judgements(path)
        else:
            self._gains = {}

    def __len__(self) -> int:
        return sum(len(gains) for gains in self._gains.values())

    def judged(self, query: str, item: str) -> bool:
        """Whether somebody has said."""
        return item in self._gains.get(query, {})

    def record(self, query: str, item: str, source: str, gain: int) -> None:
        """Keep a judgement; source: for people who read the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        row = {"query": query, "item": item, "gain": gain, "source": source}
        with self.path.open("ab") as file:
            self._ends.append(file.tell())
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._gains.setdefault(query, {})[item] = float(gain)

    def undo(self) -> bool:
        """Take back the last judgement of this session; False where there is none."""
        if not self._ends:
            return False
        os.truncate(self.path, self._ends.pop())
        self._gains = read_judgements(self.path)
        return True


class JudgingSession:
    """Questions about the first `k` results of each query, those without a judgement, in order."""

    def __init__(self, collection: Collection, queries: Sequence[str], file: JudgementFile, k: int = 10) -> None:
        self._collection, self._file, self._k = collection, file, k
        self._queries = list(dict.fromkeys(queries))
        self._at = (0, 0)
        self._done: list[tuple[int, int]] = []
        self._hits: dict[int, list[Hit]] = {}

    def question(self) -> Question | None:
        """The one to answer now; None when all are answered.

        Raises:
            MediaError, QueryError: a query cannot be asked.
        """
        number, rank = self._at
        while number < len(self._queries):
            query, hits = self._queries[number], self._of(number)
            while rank < len(hits) and self._file.judged(query, hits[rank].item.id):
                rank += 1
            if rank < len(hits):
                self._at = (number, rank)
                return Question(query, number + 1, len(self._queries), rank + 1, hits[rank])
            number, rank = number + 1, 0
        self._at = (number, 0)
        return None

    def answer(self, gain: int) -> None:
        """Keep a judgement of the question, and go on: 0 for no, 1 for yes, more for more."""
        if question := self.question():
            self._file.record(question.query, question.hit.item.id, question.hit.item.source, gain)
            self._done.append(self._at)

    def skip(self) -> None:
        """Go on without; the next session asks again."""
        number, rank = self._at
        self._at = (number, rank + 1)

    def undo(self) -> bool:
        """Go back to the last answer and take it back; False where there is none."""
        if not self._file.undo():
            return False
        self._at = self._done.pop()
        return True

    def _of(self, number: int) -> list[Hit]:
        if number not in self._hits:
            query = self._queries[number]
            path = as_file(query, (self._file.path.parent, Path.cwd()))
            terms = self._collection.terms(path or query)
            self._hits[number] = self._collection.search(Query(terms, k=self._k))
        return self._hits[number]


def _mend(path: Path) -> None:
    """Drop what follows the last end of line, where it is no row; end it, where it is."""
    content = path.read_bytes()
    whole, end, rest = content.rpartition(b"\n")
    if not rest.strip():
        return
    try:
        json.loads(rest)
        with path.open("ab") as file:
            file.write(b"\n")
    except ValueError:
        os.truncate(path, len(whole) + len(end))
