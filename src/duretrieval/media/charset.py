"""Which encoding a text was saved in. Nothing in the file says so; what it would read as does."""

from __future__ import annotations

import re
from collections.abc import Callable

from duretrieval.errors import UnsupportedMedia

SAMPLE = 100_000
"""Bytes that are looked at."""
_WESTERN = frozenset("àáâãäåæçèéêëíîïñòóôõöøùúûüœßÀÁÂÃÄÅÆÇÈÉÊËÍÎÏÑÓÔÕÖØÙÚÛÜŒ¡¿«»“”„‘’–—…€£§°·\xa0")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decoded(data: bytes) -> str:
    """Bytes as text, in the encoding that `encoding` finds. A last character that is cut off is left out.

    Raises:
        UnsupportedMedia: no encoding makes text of it.
    """
    found = encoding(data)
    return data.decode(found, "ignore" if found == "utf-8" else "replace")


def encoding(data: bytes) -> str:
    """By byte order mark, else UTF-8, else an East Asian or Western encoding, else what a general guesser says.

    Raises:
        UnsupportedMedia: no encoding makes text of it.
    """
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return marked
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3 and error.start > 0:  # cut in the middle of a character
            return "utf-8"
    sample = data[:SAMPLE]
    return _east_asian(sample) or _western(sample) or _guessed(sample)


def _east_asian(data: bytes) -> str | None:
    """The encoding in which nearly all that is not ASCII is everyday writing.

    Each of these encodings can read most texts of the others, as rare characters; so the order and the shares matter:
    Japanese is known by its kana, Korean by having hardly anything but hangul, Chinese by characters of the half of its
    table that its makers filled with the frequent ones.
    """
    for encoding, everyday, least in (("euc_jp", _kana, 0.3), ("shift_jis", _kana, 0.3), ("euc_kr", _hangul, 0.9)):
        if _share(_strictly(data, encoding), everyday) >= least:
            return encoding
    chinese = {"gb18030": (0xB0, 0xD7, 0xA1), "big5": (0xA4, 0xC6, 0x40)}
    scores = {encoding: _frequent(data, encoding, *zone) for encoding, zone in chinese.items()}
    best = max(scores, key=lambda encoding: scores[encoding])
    return best if scores[best] >= 0.6 else None


def _western(data: bytes) -> str | None:
    """Latin letters with now and then an accented one, of those that French, German or Spanish use."""
    text = data.decode("cp1252", "replace")
    runs = re.findall(r"[^\0-\x7f]+", text)
    alone = sum(len(run) == 1 for run in runs) >= 0.8 * len(runs)
    return "cp1252" if alone and _share(text, _WESTERN.__contains__) >= 0.95 else None


def _frequent(data: bytes, encoding: str, low: int, high: int, trail: int) -> float:
    """Share of characters in rows `low` to `high` of the table, or in its rows of punctuation (A1 to A3)."""

    def everyday(char: str) -> bool:
        pair = char.encode(encoding, "ignore")
        return len(pair) == 2 and (low <= pair[0] <= high or 0xA1 <= pair[0] <= 0xA3) and pair[1] >= trail

    return _share(_strictly(data, encoding), everyday)


def _kana(char: str) -> bool:
    return "\u3040" <= char <= "\u30ff"


def _hangul(char: str) -> bool:
    return "\uac00" <= char <= "\ud7a3"


def _share(text: str, usual: Callable[[str], bool]) -> float:
    """Of the characters beyond ASCII, how many are usual."""
    other = [char for char in text if char > "\x7f"]
    return sum(map(usual, other)) / len(other) if other else 0.0


def _strictly(data: bytes, encoding: str) -> str:
    """The text, or nothing where any of it cannot be read."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start < len(data) - 4:
            return ""
        return data[: error.start].decode(encoding)  # the sample ends within a character


def _guessed(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data).best()
    if best is None:
        raise UnsupportedMedia("it is neither text in any known encoding nor a known kind of file")
    return best.encoding
