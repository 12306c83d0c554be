"""Cut text into passages that read as a whole: at paragraphs, else sentences, else anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from duretrieval.errors import ConfigError

Span = tuple[int, int]

WIDE = re.compile(
    r"[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\U00020000-\U0003ffff]"
)
"""Characters that count as two: Chinese, Japanese, Korean, and their punctuation."""
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？；…])[”’』」）]*|\n")


def width(text: str) -> int:
    """Characters, with Chinese, Japanese and Korean ones counted twice: width("猫 cat") == 6."""
    return len(text) if text.isascii() else len(text) + len(WIDE.findall(text))


def split(text: str, limit: int, begin: int = 0) -> Iterator[Span]:
    """Spans (start, end) of passages no wider than `limit`, in order; only white space lies between them.

    Short neighbours are joined as long as they fit together. split("One.\\n\\nTwo.", 600) gives one span.
    begin: where a passage ended; those after it come out as if all had been asked for.

    Raises:
        ConfigError: `limit` is below 2, the width of one Chinese character.
    """
    if limit < 2:
        raise ConfigError(f"passage_chars is {limit}; it must be at least 2")
    held: Span | None = None
    wide = 0
    for start, end in _pieces(text, begin, limit):
        if held is not None and (joined := wide + width(text[held[1] : end])) <= limit:
            held, wide = (held[0], end), joined
            continue
        if held is not None:
            yield held
        held, wide = (start, end), width(text[start:end])
    if held is not None:
        yield held


def _pieces(text: str, begin: int, limit: int) -> Iterator[Span]:
    """Paragraphs that fit, the sentences of those that do not, slices of sentences that do not."""
    for paragraph in _between(text, begin, len(text), _PARAGRAPH):
        if _fits(text, *paragraph, limit):
            yield paragraph
            continue
        for sentence in _between(text, *paragraph, _SENTENCE):
            if _fits(text, *sentence, limit):
                yield sentence
            else:
                yield from _slices(text, *sentence, limit)


def _fits(text: str, start: int, end: int, limit: int) -> bool:
    return end - start <= limit and width(text[start:end]) <= limit


def _between(text: str, start: int, end: int, mark: re.Pattern[str]) -> Iterator[Span]:
    """What lies between the marks, without white space at its ends; a mark's closing quotes stay with what it ends."""
    for found in mark.finditer(text, start, end):
        cut = found.start() + len(found[0].rstrip())
        yield from _trimmed(text, start, cut)
        start = found.end()
    yield from _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    end -= len(piece) - len(piece.rstrip())
    if start < end:
        yield start, end


def _slices(text: str, start: int, end: int, limit: int) -> Iterator[Span]:
    """As much as fits, again and again; ended at a space if there is one in the second half."""
    while start < end:
        if text[start].isspace():
            start += 1
            continue
        stop = min(start + limit, end)
        while width(text[start:stop]) > limit:
            stop -= max(1, (width(text[start:stop]) - limit) // 2)
        if stop < end:
            space = text.rfind(" ", start + (stop - start) // 2, stop)
            stop = space if space > start else stop
        yield from _trimmed(text, start, stop)
        start = stop
