"""Bytes of text in an unknown encoding to characters."""

from __future__ import annotations

import codecs
import re

from duretrieval.media.sniff import utf16_without_mark

SAMPLE_BYTES = 64 * 1024
_PAIR = re.compile(rb"[\x81-\xfe][\x30-\xfe]")
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
    from charset_normalizer import from_bytes

    # A character cut in half at the end would rule out the right encoding: end the sample with a line.
    whole = sample[: sample.rfind(b"\n") + 1] or sample
    if chinese := _chinese(whole):
        return chinese
    best = from_bytes(whole).best()
    return best.encoding if best else "cp1252"


def _chinese(sample: bytes) -> str | None:
    """GB18030 or Big5 where the bytes are those of everyday Chinese: a general guesser errs on a few characters.

    GB 2312 has its everyday characters at lead bytes B0-D7 with trail bytes from A1 on; Korean (EUC-KR) looks the same
    but stops at C8.  Big5 has them at A4-C6, with trail bytes below 7F that GB 2312 and EUC-KR do not have.
    """
    pairs = [(pair[0], pair[1]) for pair in _PAIR.findall(sample)]
    everyday = [lead for lead, trail in pairs if 0xB0 <= lead <= 0xD7 and trail >= 0xA1]
    marks = sum(lead in (0xA1, 0xA3) for lead, _ in pairs)
    if len(everyday) + marks >= 0.85 * len(pairs) and any(lead > 0xC8 for lead in everyday):
        return "gb18030" if _fits(sample, "gb18030") else None
    if sum(lead == 0xA1 or 0xA4 <= lead <= 0xC6 for lead, _ in pairs) >= 0.95 * len(pairs) > 0:
        low = any(lead >= 0xA4 and trail < 0x7F for lead, trail in pairs)
        return "big5" if low and _fits(sample, "big5") else None
    return None


def _fits(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
