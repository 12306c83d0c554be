"""Chinese into English, word by word, so that an English text encoder understands a Chinese query or text.

    两只黑色的狗在雪地里跑  ->  two black dog in snow run

No grammar is translated: an encoder of sentences forgives word order and missing plurals, but not a missing word. The
words come from a table that a person can read and correct (`glossary-zh.tsv` of the embedded default). Unlike a
translation model this is a few hundred kilobytes, needs no weights, and can show how a query was understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from duretrieval.errors import ConfigError

HAN = "々〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters, for use inside a regular expression's brackets."""

SILENT = "-"
"""The English of a word that says nothing by itself, such as 的 or a measure word."""

_HAN_RUN = re.compile(f"[{HAN}]+")
_PUNCTUATION = str.maketrans("，。！？、；：（）【】《》〈〉「」『』“”‘’～　·", ',.!?,;:()[]<><>""""""\'\'~  ')
_NO_SPACE_AFTER = set(" \t\r\n([<{\"'/-_#@")

# The cost of a path is one integer with three fields; no run of text is 2**40 characters long.
_UNKNOWN = 1 << 80
_WORD = 1 << 40


def has_han(text: str) -> bool:
    """Whether `text` holds a Chinese character, that is, whether a glossary would change it."""
    return _HAN_RUN.search(text) is not None


class Glossary:
    """Chinese words and their English.

    words: simplified Chinese to English; `SILENT` for words that vanish.  variants: one character to the simplified
    one it is read as (貓 to 猫).

    One character may be enough for a word, so nearly every compound gets some meaning: 雪猫 is `snow cat` without
    an entry of its own.
    """

    def __init__(self, words: Mapping[str, str], variants: Mapping[str, str]) -> None:
        self._words = dict(words)
        self._variants = str.maketrans(dict(variants))
        lengths: dict[str, set[int]] = {}
        for word in self._words:
            lengths.setdefault(word[0], set()).add(len(word))
        self._lengths = {first: tuple(sorted(found)) for first, found in lengths.items()}

    def __len__(self) -> int:
        """How many words there are; variants are not words."""
        return len(self._words)

    @classmethod
    def load(cls, path: str | Path) -> Glossary:
        """Read a table in UTF-8, `中文<TAB>english` a line: `-` for no English, `=猫` for a variant, `#` for a comment.

        Raises:
            ConfigError: the file is missing, or a line is not of that form or repeats another; names the line.
        """
        path = Path(path)
        words: dict[str, str] = {}
        variants: dict[str, str] = {}
        for number, (chinese, english) in _entries(path):
            table = variants if english.startswith("=") else words
            if chinese in table:
                raise ConfigError(f"{path}, line {number}: {chinese} was given before; keep one of the two lines")
            table[chinese] = english.removeprefix("=")
        return cls(words, variants)

    def translate(self, text: str) -> str:
        """`text` with every run of Chinese replaced by English words; the rest of it stays, in order.

        Characters that no word covers are dropped where others near them say something, and kept where none do.
        Text without Chinese comes back as it is, and so does text whose words are all silent.
        """
        pieces: list[str] = []
        end = 0
        for run in _HAN_RUN.finditer(text):
            pieces += [text[end : run.start()].translate(_PUNCTUATION), self._english(run.group())]
            end = run.end()
        if not pieces:
            return text
        english = _spaced([*pieces, text[end:].translate(_PUNCTUATION)])
        return english if english.strip() else text

    def explain(self, text: str) -> list[tuple[str, str]]:
        """How the Chinese in `text` was understood: (word as written, its English), in order.

        The English is empty for words that vanish and for characters that are not known.
        """
        return [pair for run in _HAN_RUN.finditer(text) for pair in self._segment(run.group())]

    def _english(self, run: str) -> str:
        """A run of Chinese as English words; the run itself when it holds unknown characters and nothing else."""
        pairs = self._segment(run)
        english = " ".join(meaning for _, meaning in pairs if meaning)
        return english if english or all(self._known(word) for word, _ in pairs) else run

    def _known(self, word: str) -> bool:
        return word.translate(self._variants) in self._words

    def _segment(self, run: str) -> list[tuple[str, str]]:
        """Cut a run into (word, English) along the cheapest path.

        Cost, most important first: characters no word covers; words; sum of squared lengths, so that even cuts win
        (研究 生命, not 研究生 命). What is still equal goes to the longer last word (白 天鹅, not 白天 鹅), as in
        backward maximum matching, which errs less often in Chinese than forward matching.
        """
        read = run.translate(self._variants)
        n = len(read)
        best = [0] + [(n + 1) * _UNKNOWN] * n
        came_from = [0] * (n + 1)
        for i in range(n):
            here = best[i]
            for length in self._lengths.get(read[i], ()):
                j = i + length
                if j > n:
                    break
                if read[i:j] in self._words and here + _WORD + length * length < best[j]:
                    best[j] = here + _WORD + length * length
                    came_from[j] = i
            if here + _UNKNOWN < best[i + 1]:
                best[i + 1] = here + _UNKNOWN
                came_from[i + 1] = i
        pairs: list[tuple[str, str]] = []
        j = n
        while j:
            i = came_from[j]
            english = self._words.get(read[i:j], SILENT)
            pairs.append((run[i:j], "" if english == SILENT else english))
            j = i
        return pairs[::-1]


def _spaced(pieces: list[str]) -> str:
    """Pieces joined, with a space where a word would otherwise touch what is before it."""
    out: list[str] = []
    last = " "
    for piece in filter(None, pieces):
        out.append(f" {piece}" if piece[0].isalnum() and last not in _NO_SPACE_AFTER else piece)
        last = piece[-1]
    return "".join(out)


def _entries(path: Path) -> Iterator[tuple[int, tuple[str, str]]]:
    """Line number from 1, and the two sides, of every line that is neither empty nor a comment."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as a glossary: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        chinese, tab, english = line.partition("\t")
        wrong = _fault(chinese, tab, english)
        if wrong:
            raise ConfigError(
                f"{path}, line {number}: {wrong}; write it as 'chinese<TAB>english', such as '猫<TAB>cat'"
            )
        yield number, (chinese, english)


def _fault(chinese: str, tab: str, english: str) -> str:
    """What is wrong with a line, as the beginning of a sentence; empty when nothing is."""
    if not tab:
        return "there is no tab"
    if not _HAN_RUN.fullmatch(chinese):
        return f"{chinese!r} is not made of Chinese characters only"
    if not english or english != english.strip() or "\t" in english:
        return f"the English {english!r} is empty or has stray white space"
    if english.startswith("=") and not (len(chinese) == 1 and len(english) == 2):
        return "a variant is one character for one character"
    return ""
