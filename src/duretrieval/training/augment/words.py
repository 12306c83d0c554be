"""Other words for the same thing, fewer words, words in another order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from duretrieval.errors import MissingExtra
from duretrieval.language.synonyms import synonyms
from duretrieval.training.augment.settings import within
from duretrieval.types import Part

_TOKEN = re.compile(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]+(?:['’-][^\W\d_\u3400-\u9fff]+)*|\s+|.", re.DOTALL)
_CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Synonyms:
    """Each word that has synonyms becomes one of them with the chance `share` (Wei and Zou 2019, "EDA", section 2).

    file: the user's own dictionary, a group of synonyms a line, separated by commas; "": the small one that comes
    along, English and Chinese.  Unlike EDA's, words are drawn one by one and inflected forms are left alone.
    """

    share: float = 0.2
    file: str = ""

    def __post_init__(self) -> None:
        within("synonyms.share", self.share, 0, 1)
        synonyms(self.file)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The text in other words."""
        known = synonyms(self.file)

        def change(tokens: list[str]) -> Sequence[str]:
            return [self._other(token, known.get(token.lower(), ()), rng) for token in tokens]

        return _changed(part, change)

    def _other(self, word: str, others: Sequence[str], rng: np.random.Generator) -> str:
        if not others or rng.random() >= self.share:
            return word
        chosen = others[int(rng.integers(len(others)))]
        return chosen[:1].upper() + chosen[1:] if word[:1].isupper() else chosen


@dataclass(frozen=True, slots=True)
class Drop:
    """Each word is left out with the chance `share`; one always stays (Wei and Zou 2019, "EDA", random deletion)."""

    share: float = 0.1

    def __post_init__(self) -> None:
        within("drop.share", self.share, 0, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The text with fewer words."""

        def change(tokens: list[str]) -> Sequence[str]:
            words = [place for place, token in enumerate(tokens) if _is_word(token)]
            lost = {place for place in words if rng.random() < self.share}
            if words and len(lost) == len(words):
                lost.discard(words[int(rng.integers(len(words)))])
            if not lost:
                return tokens
            kept = "".join(token for place, token in enumerate(tokens) if place not in lost)
            return [" ".join(kept.split())]

        return _changed(part, change)


@dataclass(frozen=True, slots=True)
class Swap:
    """Two words at random change places, as often as `share` of the words (Wei and Zou 2019, "EDA", random swap)."""

    share: float = 0.1

    def __post_init__(self) -> None:
        within("swap.share", self.share, 0, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The text with words exchanged."""

        def change(tokens: list[str]) -> Sequence[str]:
            words = [place for place, token in enumerate(tokens) if _is_word(token)]
            if len(words) > 1:
                for _ in range(int(rng.binomial(len(words), self.share))):
                    a, b = (words[i] for i in rng.choice(len(words), 2, replace=False))
                    tokens[a], tokens[b] = tokens[b], tokens[a]
            return tokens

        return _changed(part, change)


def tokens_of(text: str) -> list[str]:
    """Words, and what is between them, in order: joined they are the text. Chinese is cut into words by rjieba.

    Raises:
        MissingExtra: the text is Chinese and rjieba is not installed.
    """
    tokens: list[str] = []
    for token in _TOKEN.findall(text):
        tokens += _chinese(token) if _CHINESE.match(token) else [token]
    return tokens


def _chinese(text: str) -> list[str]:
    try:
        import rjieba
    except ModuleNotFoundError as error:
        raise MissingExtra("words of a Chinese text need rjieba: pip install 'duretrieval[chinese]'") from error
    return list(rjieba.cut(text))


def _is_word(token: str) -> bool:
    return token[:1].isalpha()


def _changed(part: Part, change: Callable[[list[str]], Sequence[str]]) -> Part:
    """The part with another text; as it is where it holds none, or nothing would be left."""
    if not isinstance(part.content, str):
        return part
    return replace(part, content="".join(change(tokens_of(part.content))) or part.content)
