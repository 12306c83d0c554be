"""Text to words, in English and Chinese: what word vectors and bags of words are made of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from duretrieval.errors import ConfigError, MissingExtra
from duretrieval.language.glossary import HAN, has_han
from duretrieval.language.parts_of_speech import PARTS, PartOfSpeech, chinese, english
from duretrieval.language.stop_words import CHINESE, ENGLISH

Segments = Literal["words", "characters"]

_PIECES = re.compile(f"[{HAN}]+|[^\\W_{HAN}]+(?:'[^\\W_{HAN}]+)*")


@dataclass(frozen=True, slots=True)
class Words:
    """How texts become words. Part of a model: a query is read as the texts were that it learned from.

    Words("Two dogs, running in the snow") == ["two", "dogs", "running", "snow"]
    """

    lower: bool = True
    stop_words: bool = True
    """Leave out what `language.stop_words` lists, unless nothing else is there ("The Who", "to be or not to be")."""
    parts_of_speech: tuple[PartOfSpeech, ...] = ()
    """Keep only words that can be one of these (`language.parts_of_speech`); (): all. A character can be any."""
    chinese: Segments = "words"
    """Chinese is cut into words by rjieba (extra "chinese"), or into characters, which needs nothing."""

    def __post_init__(self) -> None:
        if self.chinese not in get_args(Segments):
            raise ConfigError(f"chinese is {self.chinese!r}; it can be {' or '.join(get_args(Segments))}")
        for part in self.parts_of_speech:
            if part not in PARTS:
                raise ConfigError(f"parts_of_speech has {part!r}; it can have {', '.join(PARTS)}")

    def __call__(self, text: str) -> list[str]:
        """The words, in order.

        Raises:
            MissingExtra: there is Chinese in the text, and rjieba is not installed.
        """
        found = list(self._tagged(text))
        kept = [word for word, can_be in found if self._wanted(word, can_be)]
        return kept or [word for word, _ in found]

    def _wanted(self, word: str, can_be: tuple[PartOfSpeech, ...]) -> bool:
        if self.stop_words and (word.lower() in ENGLISH or word in CHINESE):
            return False
        return not self.parts_of_speech or not set(self.parts_of_speech).isdisjoint(can_be)

    def _tagged(self, text: str) -> Iterator[tuple[str, tuple[PartOfSpeech, ...]]]:
        """Words and what they can be, before any are left out."""
        for piece in pieces(text, lower=self.lower):
            if not has_han(piece):
                yield piece, english(piece.lower()) if self.parts_of_speech else PARTS
            elif self.chinese == "characters":
                yield from ((character, PARTS) for character in piece)
            elif self.parts_of_speech:
                yield from ((word, chinese(tag)) for word, tag in _rjieba().tag(piece))
            else:
                yield from ((word, PARTS) for word in _rjieba().cut(piece))

    def for_vocabulary(self, vocabulary: Iterable[str]) -> Words:
        """The same, without the need for rjieba where no word of the vocabulary is Chinese: there is none to find."""
        return self if any(map(has_han, vocabulary)) else replace(self, chinese="characters")

    def settings(self) -> dict[str, Any]:
        """As TOML and JSON hold them; `of` turns them back."""
        return {**asdict(self), "parts_of_speech": list(self.parts_of_speech)}

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Words:
        """From a table of a recipe or a model's file.

        Raises:
            ConfigError: a setting is not one of these, or cannot have that value.
        """
        known = [field.name for field in fields(cls)]
        for key in settings:
            if key not in known:
                raise ConfigError(f"words has no setting {key!r}; it has {', '.join(known)}")
        return cls(**{**settings, "parts_of_speech": tuple(settings.get("parts_of_speech", ()))})


def pieces(text: str, *, lower: bool = True) -> list[str]:
    """Runs of Chinese characters, and words of other scripts: letters and digits, with apostrophes inside.

    Full-width forms become ordinary ones.  pieces("Café's １２, 两只狗dog") == ["café's", "12", "两只狗", "dog"]
    """
    text = unicodedata.normalize("NFKC", text).replace("’", "'")
    return _PIECES.findall(text.lower() if lower else text)


def _rjieba() -> Any:
    try:
        import rjieba
    except ImportError as error:
        raise MissingExtra(
            "there is Chinese in the text, and cutting it into words needs rjieba: pip install 'duretrieval[chinese]'"
        ) from error
    return rjieba
