"""Bytes of text in an unknown encoding to characters."""

from __future__ import annotations

import codecs

from duretrieval.media.sniff import utf16_without_mark

SAMPLE_BYTES = 64 * 1024
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
    best = from_bytes(whole).best()
    return best.encoding if best else "cp1252"
