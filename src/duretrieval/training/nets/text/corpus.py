"""Texts to learn words from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError


def read_lines(path: str | Path) -> Iterator[str]:
    """The lines of a file in UTF-8 that are not empty, one text each.

    Raises:
        ConfigError: there is no such file, or it is not text in UTF-8.
    """
    try:
        with Path(path).open(encoding="utf-8") as lines:
            yield from (text for line in lines if (text := line.strip()))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the corpus {str(path)!r} cannot be read as lines of text in UTF-8: {error}") from error


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How common words are: occurrences, and texts that hold them, of so many texts."""

    counts: Counter[str]
    held: Counter[str]
    texts: int

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]]) -> Frequencies:
        """Of texts that are words already."""
        counts: Counter[str] = Counter()
        held: Counter[str] = Counter()
        texts = 0
        for sentence in sentences:
            counts.update(sentence)
            held.update(set(sentence))
            texts += 1
        return cls(counts, held, texts)

    def __add__(self, other: Frequencies) -> Frequencies:
        return Frequencies(self.counts + other.counts, self.held + other.held, self.texts + other.texts)

    def settings(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"counts": dict(self.counts), "held": dict(self.held), "texts": self.texts}

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Frequencies:
        """What `settings` came from."""
        return cls(Counter(settings["counts"]), Counter(settings["held"]), settings["texts"])
