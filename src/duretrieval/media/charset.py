"""Bytes of text in an unknown encoding to characters."""

from __future__ import annotations

import codecs
import re

from duretrieval.media.signature import utf16_without_mark

SAMPLE_BYTES = 64 * 1024
_PAIR = re.compile(rb"[\x81-\xfe][\x30-\xfe]")
_BEYOND = re.compile(r"[^\0-\x7f]+")
_WESTERN = frozenset("àáâãäåæçèéêëíîïñòóôõöøùúûüœßÀÁÂÃÄÅÆÇÈÉÊËÍÎÏÑÓÔÕÖØÙÚÛÜŒ¡¿«»“”„‘’–—…€£§°·\xa0")
_TESTED = (
    *("big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jp", "euc_jis_2004", "euc_jisx0213", "euc_kr", "gb2312"),
    *("gb18030", "gbk", "johab", "shift_jis", "shift_jis_2004", "shift_jisx0213"),
)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"))


def to_text(data: bytes) -> str:
    """Decode by mark, as UTF-8, or by the likeliest legacy encoding; line ends become \\n; what is broken becomes �."""
    text = data.decode(encoding_of(data), errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def encoding_of(data: bytes) -> str:
    """Name of the encoding: UTF-8 unless the bytes speak against it.

    Text that is nearly all valid UTF-8 is UTF-8 with damage, not a legacy encoding that happens to fit.
    """
    for mark, name in (*_MARKS, (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return name
    sample = data[:SAMPLE_BYTES]
    if b"\0" in sample and (order := utf16_without_mark(sample)):
        return order
    read = codecs.getincrementaldecoder("utf-8")("replace").decode(sample)
    beyond_ascii = sum(not c.isascii() for c in read) if not read.isascii() else 0
    if read.count("\ufffd") * 20 <= beyond_ascii:
        return "utf-8"
    return _legacy(sample)


def _legacy(sample: bytes) -> str:
    """Tests for what is common, since a general guesser errs on few words; each knows a script by its frequent part.

    Nearly every text can be read in the others' encodings as well, as rare characters: so the order matters.
    """
    if found := _where(sample, ("euc_jp", "cp932"), "\u3041", "\u30fe", 0.3):  # kana between kanji
        return found
    if found := _chinese(sample):
        return found
    if found := _where(sample, ("cp949",), "\uac00", "\ud7a3", 0.9):
        return found
    return _western(sample) or _guessed(sample)


def _where(sample: bytes, encodings: tuple[str, ...], low: str, high: str, least: float) -> str | None:
    """The first encoding in which a share of the characters beyond ASCII are from `low` to `high`."""
    for encoding in encodings:
        beyond = [char for char in _strictly(sample, encoding) if not char.isascii()]
        if sum(low <= char <= high for char in beyond) > least * len(beyond):
            return encoding
    return None


def _chinese(sample: bytes) -> str | None:
    """GB18030 or Big5 where the bytes are those of everyday Chinese: a general guesser errs on a few characters.

    GB 2312 has its everyday characters at lead bytes B0-D7 with trail bytes from A1 on; Korean (EUC-KR) looks the same
    but stops at C8.  Big5 has them at A4-C6, with leads from A6 to AF, or trails below 7F, that the others hardly use.
    """
    pairs = [(pair[0], pair[1]) for pair in _PAIR.findall(sample)]
    everyday = [lead for lead, trail in pairs if 0xB0 <= lead <= 0xD7 and trail >= 0xA1]
    marks = sum(lead in (0xA1, 0xA3) for lead, _ in pairs)
    if len(everyday) + marks >= 0.85 * len(pairs) and any(lead > 0xC8 for lead in everyday):
        return "gb18030" if _strictly(sample, "gb18030") else None
    if sum(lead in (0xA1, 0xA3) or 0xA4 <= lead <= 0xC6 for lead, _ in pairs) >= 0.95 * len(pairs) > 0:
        own = any(0xA6 <= lead <= 0xAF or (lead >= 0xA4 and trail < 0x7F) for lead, trail in pairs)
        return "big5" if own and _strictly(sample, "big5") else None
    return None


def _western(sample: bytes) -> str | None:
    """Windows-1252 where letters beyond ASCII stand alone and are those that French, German or Spanish use."""
    text = sample.decode("cp1252", "replace")
    runs = _BEYOND.findall(text)
    alone = sum(len(run) == 1 for run in runs) >= 0.8 * len(runs)
    usual = sum(char in _WESTERN for run in runs for char in run)
    return "cp1252" if alone and usual >= 0.95 * sum(map(len, runs)) else None


def _guessed(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    # East Asian encodings read nearly anything, and have had their tests. A character cut in half at the end would
    # rule out the right encoding: end the sample with a line.
    best = from_bytes(sample[: sample.rfind(b"\n") + 1] or sample, cp_exclusion=list(_TESTED)).best()
    return best.encoding if best else "cp1252"


def _strictly(sample: bytes, encoding: str) -> str:
    """The text; none where any of it, but for a last character that was cut, is not in the encoding."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return ""
