"""Bytes of text in an unknown encoding to characters."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from functools import partial
from itertools import chain
from pathlib import Path

from duretrieval.media.signature import utf16_begins, utf16_without_mark

SAMPLE_BYTES = 64 * 1024
_BLOCK_BYTES = 1024 * 1024
_ASCII_RUN = re.compile(rb"([\0-\x7f]{200})[\0-\x7f]+")
_SHIFT = re.compile(rb"\x1b\$[@B]|\x1b\$\([A-DOPQ]|\x1b\([IJ]|\x1b\$\)C|~\{(?=[!-w][!-~])")
"""From ASCII into another script (RFC 1468, 1554, 1557 and 1843)."""
_HZ = re.compile(rb"~\{((?:[!-w][!-~])+)~\}")
_JAPANESE = ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2", "iso2022_jp_2004")
_PAIR = re.compile(rb"[\x81-\xfe][\x30-\xfe]")
_BEYOND = re.compile(r"[^\0-\x7f]+")
_WESTERN = frozenset("àáâãäåæçèéêëíîïñòóôõöøùúûüœßÀÁÂÃÄÅÆÇÈÉÊËÍÎÏÑÓÔÕÖØÙÚÛÜŒ¡¿«»“”„‘’–—…€£§°·\xa0")
_SYLLABLES = frozenset(
    "이다는의에을가고하지로기사은리들인한도나대어일를서자부아그시해전정구과보수있제여라비주동상우스국조장게만안녕세요음"
)
_TESTED = (
    *("big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jp", "euc_jis_2004", "euc_jisx0213", "euc_kr", "gb2312"),
    *("gb18030", "gbk", "johab", "shift_jis", "shift_jis_2004", "shift_jisx0213", "utf_16", "utf_16_be", "utf_16_le"),
    *("cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140"),  # of mainframes
)
_MEANT = {
    **dict.fromkeys(("gb2312", "gbk", "gb-2312", "x-gbk"), "gb18030"),
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1"), "cp1252"),
    **dict.fromkeys(("shift-jis", "sjis", "x-sjis"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks-c-5601-1987"), "cp949"),
    **{"big5": "cp950", "iso-8859-9": "cp1254"},
}
"""As the Encoding Standard has it (https://encoding.spec.whatwg.org)."""
_MARKS = (
    *((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32")),
    *((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")),
)


def to_text(data: bytes) -> str:
    """Decode by mark, as UTF-8, or by the likeliest legacy encoding; line ends become \\n; what is broken becomes �."""
    if begins := utf16_begins(data):
        return to_text(data[:begins]) + to_text(data[begins:])
    text = data.decode(encoding_of(data), errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def as_said(data: bytes, name: str) -> str:
    """Decode by what is said of it, in the wider encoding that programs mean by that name, if that fits; else as any.

    as_said("“red”".encode("cp1252"), "iso-8859-1") == "“red”"
    """
    name = name.strip().lower().replace("_", "-")
    if name.startswith(("utf-16", "utf-32")) or data.startswith(tuple(mark for mark, _ in _MARKS)):
        return to_text(data)  # a page of single bytes may well say so
    try:
        text = data.decode(_MEANT.get(name, name))
    except (UnicodeError, LookupError):
        return to_text(data)
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def encoding_of(data: bytes) -> str:
    """Name of the encoding: UTF-8 unless the bytes speak against it.

    Text that is mostly valid UTF-8 is UTF-8 with damage, not a legacy encoding that happens to fit.
    """
    return _encoding(data[:SAMPLE_BYTES], (data[i : i + _BLOCK_BYTES] for i in range(0, len(data), _BLOCK_BYTES)))


def encoding_of_file(path: Path) -> str:
    """The same of a file of any size, a block at a time, read no further than it takes to know.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
        return _encoding(head, chain((head,), iter(partial(file.read, _BLOCK_BYTES), b"")))


def _encoding(head: bytes, blocks: Iterable[bytes]) -> str:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if b"\0" in head and (order := utf16_without_mark(head)):
        return order
    sample, shifted = _telling(blocks)
    if sample:
        return "utf-8" if _mostly_utf8(sample) else _legacy(sample)
    return (_seven_bits(shifted) if shifted else None) or "utf-8"


def _mostly_utf8(sample: bytes) -> bool:
    """Whether what is valid outweighs what is not; three bytes that fit by chance are rarer than two."""
    read = _incremental(sample, "utf-8")
    damage = read.count("\ufffd") - sample.count("\ufffd".encode())
    valid = sum(3 if char > "\u07ff" else 1 for char in read if not char.isascii()) - 3 * damage
    return valid >= 4 * damage


def _telling(blocks: Iterable[bytes]) -> tuple[bytes, bytes]:
    """The first `SAMPLE_BYTES` of what can tell an encoding, wherever it begins: beyond ASCII, and of signs to shift.

    Of the former long runs of ASCII are cut.  A run keeps its first bytes, since the second half of a character may be
    in ASCII.  NULs are no part of a text.
    """
    found = shifted = b""
    for block in blocks:
        if found or not block.isascii():
            found += _ASCII_RUN.sub(rb"\1\n", block.replace(b"\0", b""))
        elif not shifted and (sign := _SHIFT.search(block)):
            shifted = block[sign.start() :][:SAMPLE_BYTES]
        if len(found) >= SAMPLE_BYTES:
            break
    return found[:SAMPLE_BYTES], shifted


def _seven_bits(sample: bytes) -> str | None:
    """An encoding that shifts ASCII into other scripts and back, as mail and news once had to; None: it is ASCII."""
    if not sample.startswith(b"~"):
        tried = _JAPANESE if not sample.startswith(b"\x1b$)C") else ("iso2022_kr",)
        return min(tried, key=lambda name: _incremental(sample, name).count("\ufffd"))
    pairs = [text[n] for text in _HZ.findall(sample) for n in range(0, len(text), 2)]
    everyday = sum(0x30 <= lead <= 0x57 for lead in pairs)
    marks = sum(lead in (0x21, 0x23) for lead in pairs)
    return "hz" if everyday >= 2 and everyday + marks >= 0.85 * len(pairs) else None


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
    return _western(sample) or _russian(sample) or _guessed(sample)


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
    but is known by its commonest syllables.  Big5 has them at A4-C6, with leads from A6 to AF, or trails below 7F, that
    the others hardly use.
    """
    pairs = [(pair[0], pair[1]) for pair in _PAIR.findall(sample)]
    everyday = [lead for lead, trail in pairs if 0xB0 <= lead <= 0xD7 and trail >= 0xA1]
    marks = sum(lead in (0xA1, 0xA3) for lead, _ in pairs)
    if len(everyday) + marks >= 0.85 * len(pairs) > 0 and everyday and not _korean(sample):
        return "gb18030" if _strictly(sample, "gb18030") else None
    if sum(lead in (0xA1, 0xA3) or 0xA4 <= lead <= 0xC6 for lead, _ in pairs) >= 0.95 * len(pairs) > 0:
        own = any(0xA6 <= lead <= 0xAF or (lead >= 0xA4 and trail < 0x7F) for lead, trail in pairs)
        return "big5" if own and _strictly(sample, "big5") else None
    return None


def _korean(sample: bytes) -> bool:
    """Whether a quarter are syllables that every Korean text is full of; as Chinese they would be rare characters."""
    if not _where(sample, ("cp949",), "\uac00", "\ud7a3", 0.75):
        return False
    beyond = [char for char in _strictly(sample, "cp949") if not char.isascii()]
    return sum(char in _SYLLABLES for char in beyond) >= 0.25 * len(beyond)


def _western(sample: bytes) -> str | None:
    """Windows-1252 where letters beyond ASCII come one or two at a time and are those of French, German or Spanish."""
    text = sample.decode("cp1252", "replace")
    runs = _BEYOND.findall(text)
    alone = sum(len(run) <= 2 for run in runs) >= 0.8 * len(runs)
    usual = sum(char in _WESTERN for run in runs for char in run)
    return "cp1252" if alone and usual >= 0.95 * sum(map(len, runs)) else None


def _russian(sample: bytes) -> str | None:
    """The encoding in which nearly half are the ten commonest letters, as in Russian they are."""
    for encoding in ("cp1251", "koi8_r", "cp866"):
        beyond = [char for char in sample.decode(encoding, "replace") if not char.isascii()]
        if sum(char in "оеаинтсрвл" for char in beyond) > 0.45 * len(beyond):
            return encoding
    return None


def _guessed(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    # East Asian encodings read nearly anything, and have had their tests. Lines in ASCII would outvote the others.
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    best = from_bytes(b"\n".join(lines[:-1] or lines), cp_exclusion=list(_TESTED)).best()
    return best.encoding if best else "cp1252"


def _strictly(sample: bytes, encoding: str) -> str:
    """The text; none where more than a character in 200, but for a last one that was cut, is not in the encoding."""
    text = _incremental(sample, encoding)
    broken = text.count("\ufffd")
    return text if not broken or broken * 200 <= sum(not char.isascii() for char in text) else ""


def _incremental(sample: bytes, encoding: str) -> str:
    """The text, � for what is broken, and without a last character that was cut."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(sample)
