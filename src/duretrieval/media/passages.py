"""A text in passages that keep their place in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from duretrieval.types import Modality, Part, Reading

_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？；])[”’」』）]*\s*|\n")
_WORD = re.compile(r"\s+|(?<=[，、：])")


def passages(text: str, reading: Reading, page: int | None = None, offset: int = 0) -> Iterator[Part]:
    """TEXT parts in order: whole paragraphs where they fit, else sentences, else words, else the limit itself.

    Neighbours that are short are joined up to `reading.passage_chars`. `text[start_char - offset : end_char - offset]`
    is the content.
    """
    limit = reading.passage_chars
    begin = end = -1
    used = 0
    for low, high in _pieces(text, 0, len(text), limit, (_PARAGRAPH, _SENTENCE, _WORD)):
        wide, gap = width(text[low:high]), width(text[end:low]) if begin >= 0 else 0
        if begin >= 0 and used + gap + wide > limit:
            yield _part(text, begin, end, page, offset)
            begin, used, gap = -1, 0, 0
        if begin < 0:
            begin = low
        end, used = high, used + gap + wide
    if begin >= 0:
        yield _part(text, begin, end, page, offset)


def width(text: str) -> int:
    """Characters, wide ones (Chinese, Japanese, Korean) counting two: they carry about twice as much."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _part(text: str, low: int, high: int, page: int | None, offset: int) -> Part:
    return Part(Modality.TEXT, text[low:high], page=page, start_char=low + offset, end_char=high + offset)


def _pieces(
    text: str, low: int, high: int, limit: int, rules: tuple[re.Pattern[str], ...]
) -> Iterator[tuple[int, int]]:
    """[low, high) without the white space around it, divided by the first rule, what is too long by the next ones."""
    while low < high and text[low].isspace():
        low += 1
    while high > low and text[high - 1].isspace():
        high -= 1
    if low == high:
        return
    first = not rules or rules[0] is _PARAGRAPH
    if not first and high - low <= limit and width(text[low:high]) <= limit:
        yield low, high
    elif not rules:
        step = max(1, limit // 2)
        yield from ((i, min(i + step, high)) for i in range(low, high, step))
    else:
        at = low
        for match in rules[0].finditer(text, low, high):
            yield from _pieces(text, at, match.end(), limit, rules[1:])
            at = match.end()
        yield from _pieces(text, at, high, limit, rules[1:])
