"""Words that a vocabulary does not hold, by those that it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from duretrieval.language.glossary import has_han

LEAST = 0.4
"""Of the Dice coefficient; below it a likeness of spelling is chance."""
MOST = 3
"""Known words that stand for an unknown one."""


class Unknown:
    """Finds known words for an unknown one: `known` in the result sum to 1, or are none.

    Chinese: the known words inside it, longest first from the left (雪猫 -> 雪, 猫).  Other scripts: up to `MOST` words
    with the most 3-grams in common, by Dice's coefficient 2 |A ∩ B| / (|A| + |B|) (elefant -> elephant), which finds
    slips and inflections, not meanings.
    """

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._vocabulary = vocabulary

    def __call__(self, word: str) -> dict[int, float]:
        """Ids and shares."""
        shares = self._inside(word) if has_han(word) else self._alike(word)
        total = sum(shares.values())
        return {id: share / total for id, share in shares.items()}

    def _inside(self, word: str) -> dict[int, float]:
        found: Counter[int] = Counter()
        start = 0
        while start < len(word):
            ends = range(len(word), start, -1)
            end = next((end for end in ends if word[start:end] in self._vocabulary), None)
            if end is not None:
                found[self._vocabulary[word[start:end]]] += 1
            start = end or start + 1
        return dict(found)

    def _alike(self, word: str) -> dict[int, float]:
        wanted = _trigrams(word)
        shared = Counter(id for gram in wanted for id in self._holders.get(gram, ()))
        dice = {id: 2 * count / (len(wanted) + self._grams[id]) for id, count in shared.items()}
        best = sorted((id for id in dice if dice[id] >= LEAST), key=lambda id: (-dice[id], id))[:MOST]
        return {id: dice[id] for id in best}

    @cached_property
    def _grams(self) -> dict[int, int]:
        """How many 3-grams each word has."""
        return {id: len(_trigrams(word)) for word, id in self._vocabulary.items()}

    @cached_property
    def _holders(self) -> dict[str, list[int]]:
        """3-gram -> the words that hold it; made when the first unknown word comes."""
        holders: dict[str, list[int]] = {}
        for word, id in self._vocabulary.items():
            for gram in _trigrams(word):
                holders.setdefault(gram, []).append(id)
        return holders


def _trigrams(word: str) -> set[str]:
    marked = f"<{word}>"
    return {marked[i : i + 3] for i in range(len(marked) - 2)}
