"""Recognise a file by its first bytes; its name only says whether words with some tags among them are a web page.

Signatures: the formats' own specifications, as collected at https://en.wikipedia.org/wiki/List_of_file_signatures.
"""

from __future__ import annotations

import re
import zlib
from enum import StrEnum

from duretrieval.errors import EmptyMedia, UnsupportedMedia
from duretrieval.media.tagged import is_mail, is_page

HEAD_BYTES = 4096
"""How much of a file `sniff` wants to see."""
UNZIPPED_BYTES = 20_000_000
"""How much of what is in a gzip is looked at to tell what it is: this many bytes of comments before a drawing."""
GZIP = b"\x1f\x8b"
GZIP_MEMBERS = 64


class Kind(StrEnum):
    """A file format, or a family of them that one reader reads."""

    TEXT = "text"
    HTML = "html"
    MAIL = "mail"
    PDF = "pdf"
    OFFICE = "office"
    SVG = "svg"
    JPEG = "jpeg"
    PNG = "png"
    GIF = "gif"
    WEBP = "webp"
    TIFF = "tiff"
    BMP = "bmp"
    AVIF = "avif"
    HEIF = "heif"
    JPEG2000 = "jpeg2000"
    NETPBM = "netpbm"
    ICON = "icon"
    PHOTOSHOP = "photoshop"
    PICTURE = "picture"
    """A still of a rarer format, which Pillow or FFmpeg reads."""
    WAVE = "wave"
    MP3 = "mp3"
    FLAC = "flac"
    OGG = "ogg"
    AIFF = "aiff"
    AVI = "avi"
    MP4 = "mp4"
    MATROSKA = "matroska"
    ASF = "asf"
    FLASH_VIDEO = "flv"
    MPEG = "mpeg"
    VECTORS = "vectors"
    """Numbers in a file of NumPy."""
    MEDIA = "media"
    """Not recognised and not text: FFmpeg has the last word."""


_KNOWN: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"\xff\xd8\xff\xf7", Kind.PICTURE),  # JPEG-LS
    (0, b"\xff\xd8\xff", Kind.JPEG),
    (0, b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (0, b"GIF87a", Kind.GIF),
    (0, b"GIF89a", Kind.GIF),
    (8, b"WEBP", Kind.WEBP),
    (0, b"II*\0", Kind.TIFF),
    (0, b"MM\0*", Kind.TIFF),
    (0, b"II+\0", Kind.TIFF),
    (0, b"MM\0+", Kind.TIFF),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", Kind.JPEG2000),
    (0, b"\xff\x4f\xff\x51", Kind.JPEG2000),
    (0, b"\0\0\1\0", Kind.ICON),
    (0, b"8BPS", Kind.PHOTOSHOP),
    (8, b"WAVE", Kind.WAVE),
    (8, b"AVI ", Kind.AVI),
    (0, b"OggS", Kind.OGG),
    (0, b"fLaC", Kind.FLAC),
    (0, b"ID3", Kind.MP3),
    (8, b"AIFF", Kind.AIFF),
    (8, b"AIFC", Kind.AIFF),
    (0, b"\x1aE\xdf\xa3", Kind.MATROSKA),
    (0, b"\x93NUMPY", Kind.VECTORS),
    (0, b"0&\xb2u\x8ef\xcf\x11", Kind.ASF),
    (0, b"FLV\1", Kind.FLASH_VIDEO),
    (0, b"\0\0\1\xba", Kind.MPEG),
    (0, b"\0\0\1\xb3", Kind.MPEG),
)

_STILLS: tuple[tuple[int, bytes], ...] = (
    *((0, b"DDS "), (0, b"qoif"), (0, b"\x01\xda\0"), (0, b"\x01\xda\1"), (0, b"\x59\xa6\x6a\x95"), (0, b"icns")),
    *((0, b"\0\0\2\0\1\0"), (0, b"v/1\1"), (0, b"SDPX"), (0, b"XPDS"), (0, b"\xff\x0a"), (0, b"BLP1"), (0, b"BLP2")),
    *((0, b"\0\0\0\x0cJXL \r\n\x87\n"), (0, b"FTEX"), (0, b"DanM"), (0, b"LinS"), (20, b"GIMP"), (0, b"\x28\0\0\0")),
    *((0, b"\x80\xe8\0\0"), (0, b"\xb1\x68\xde\x3a"), (4, b"\0\0\0\7\0\0\0\2")),
)
_STILLS_IN_WORDS = re.compile(
    rb"#\?RADIANCE\n|#\?RGBE\n|/\* XPM \*/|Image type: |SIMPLE  = {20}T|PG ML |P7\n(#|[A-Z]+ )|P[FfHh]\n\d+\s+\d+\s"
    rb"|\s*(/\*[^*]*\*/\s*)*#define\s+\w*?_?width\s+\d+\s+#define\s+\w*?_?height\s+\d+\s"
)
"""How rarer stills begin that are words, or begin with words."""

_REFUSED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\3\4", "a zip archive"),
    (0, b"PK\5\6", "an empty zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a rar archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x7fELF", "a program or library"),
    (0, b"\xcf\xfa\xed\xfe", "a program or library"),
    (0, b"\xca\xfe\xba\xbe", "a program or Java class"),
    (0, b"\0asm", "a WebAssembly program"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"PAR1", "a Parquet table (give it as a manifest)"),
    (0, b"{\\rtf", "a rich text file (save it as .docx)"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Microsoft Office file (save it as .docx, .pptx or .xlsx)"),
    (0, b"wOF", "a font"),
    (0, b"OTTO", "a font"),
    (0, b"\0\1\0\0\0", "a font"),
    (0, b"%!PS", "a PostScript file (save it as PDF)"),
)

_OFFICE = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"customXml/", b"word/", b"ppt/", b"xl/")
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2")
_BEYOND_ASCII = re.compile(rb"[\0\x80-\xff]")
_USUAL = re.compile(
    r"[\t\n\r -\x7e\xa0-\u024f\u0370-\u06ff\u2010-\u2026\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]"
)
_PROLOG = re.compile(rb"\s*(<\?.*?\?>|<!--.*?-->|<!doctype\s+[\w:]*svg\b[^\[>]*(\[.*?\]\s*)?>)", re.S | re.I)
_OPEN = re.compile(rb"\s*(\Z|<\Z|<\?|<!\Z|<!-|<!d)", re.I)
"""What may begin a prolog, where no whole part of one matches."""
_DRAWING = re.compile(rb"\s*<(\w+:)?svg[\s>/]")


def sniff(head: bytes, suffix: str = "") -> Kind:
    """Tell what a file is from its first `HEAD_BYTES` bytes; `suffix`: the end of its name, ".html".

    Raises:
        EmptyMedia: there are no bytes.
        UnsupportedMedia: it is an archive, a program or the like; the message says what.
    """
    if not head:
        raise EmptyMedia("it has no bytes")
    text = is_text(head)
    for offset, magic, kind in _KNOWN:
        if text and magic.isalnum():
            continue  # "ID3 tags explained": words may begin as a format does
        if head.startswith(magic, offset) and (offset != 8 or head[:4] in (b"RIFF", b"RF64", b"FORM")):
            return kind
    if head[4:8] == b"ftyp" and not text:
        return _ftyp(head)
    if head.startswith(b"PK\3\4") and head[30:].startswith(_OFFICE):
        return Kind.OFFICE
    if head.startswith(b"PK\3\4") and head[30 : 30 + int.from_bytes(head[26:28], "little")].endswith(b".npy"):
        return Kind.VECTORS
    if head.startswith(GZIP) and _markup(unzipped(head, UNZIPPED_BYTES)) is Kind.SVG:
        return Kind.SVG
    for offset, magic, what in _REFUSED:
        if head.startswith(magic, offset) and not (text and magic.isalnum()):
            raise UnsupportedMedia(f"it looks like {what}, which is not searched")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"%PDF-") or (b"%PDF-" in head[:1024] and not text):
        return Kind.PDF
    if head.startswith(b"MZ") and b"\0" in head:
        raise UnsupportedMedia("it looks like a Windows program, which is not searched")
    if head.startswith(b"BM") and b"\0" in head[:26]:
        return Kind.BMP
    if head[:1] == b"P" and head[1:2] in b"123456" and re.match(rb"P[1-6]\s+(#.*\s+)*\d+\s+\d+\s", head):
        return Kind.NETPBM
    if _is_still(head, text):
        return Kind.PICTURE
    if text or has_stray_nuls(head):
        return _markup(head, suffix)
    if _mp3_sync(head):
        return Kind.MP3
    if head[:1] == b"\x47" and head[188:189] in (b"\x47", b"") and head[376:377] in (b"\x47", b""):
        return Kind.MPEG
    return Kind.MEDIA


def _is_still(head: bytes, text: bool) -> bool:
    """Whether it is one of the rarer formats of pictures."""
    if text or _STILLS_IN_WORDS.match(head):
        return bool(_STILLS_IN_WORDS.match(head))
    pcx = head[:1] == b"\n" and head[1:2] in b"\0\2\3\4\5" and head[2:3] in b"\0\1" and head[3:4] in b"\1\2\4\x08"
    return pcx or any(head.startswith(magic, offset) for offset, magic in _STILLS) or _targa(head)


def _targa(head: bytes) -> bool:
    """Whether 18 bytes are a possible header of a Targa file, which has no signature (TGA 2.0, "Field 1" onwards)."""
    if len(head) < 18:
        return False
    palette, form, depth, flags = head[1], head[2], head[16], head[17]
    depths = {1: (8, 16), 2: (15, 16, 24, 32), 3: (1, 8, 16)}.get(form & 7, ()) if form in (1, 2, 3, 9, 10, 11) else ()
    sized = any(head[12:14]) and any(head[14:16])
    mapped = head[7] in (15, 16, 24, 32) and any(head[5:7]) if palette else not any(head[3:8])
    return palette < 2 and (palette == 1 or form & 7 != 1) and depth in depths and mapped and sized and flags < 64


def is_text(head: bytes) -> bool:
    """Whether the bytes can be text in some encoding: hardly any control characters, NULs only as UTF-16 has them."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\0\0\xfe\xff")):
        return True
    if b"\0" in head:
        return utf16_begins(head) > 0 or utf16_without_mark(head) is not None
    words = head.translate(None, b"\x0e\x0f") if b"\x1b$)C" in head else head  # Korean in 7 bits shifts by these
    return _controls(words) <= len(head) // 50


def has_stray_nuls(head: bytes) -> bool:
    """Whether it is text but for NULs here and there, in a hole or at the end, as crashes and padding leave it."""
    body = head.rstrip(b"\0")
    words = body.replace(b"\0", b"")
    nuls = len(body) - len(words)
    few = nuls <= len(body) // 5 + 1 or (nuls < 3 * len(words) and not _controls(words))
    binary = b"\xff" in words or _controls(words[:64]) or words.startswith(b"YUV4MPEG2 ")
    return len(words) > 3 and few and not binary and is_text(words)


def utf16_begins(data: bytes) -> int:
    """Where UTF-16 follows lines of ASCII, as in a log that two programs wrote; 0 where it does not."""
    beyond = _BEYOND_ASCII.search(data)
    start = data.rfind(b"\n", 0, beyond.start()) + 1 if beyond else 0
    tail = data[start : start + 16 * HEAD_BYTES].removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    return start if start >= 64 and b"\0" in tail and utf16_without_mark(tail) else 0


def utf16_without_mark(head: bytes) -> str | None:
    """The UTF-16 byte order that puts NULs where Latin letters have them or gives usual characters only, or None."""
    pairs = len(head) // 2
    high, low = head[0 : 2 * pairs : 2], head[1 : 2 * pairs : 2]
    for nul, letter, name in ((low, high, "utf-16-le"), (high, low, "utf-16-be")):
        if pairs >= 2 and nul.count(0) > 0.4 * pairs and _controls(letter) == 0:
            return name
    if has_stray_nuls(head):  # two Latin letters are a Chinese character; but Chinese in UTF-16 is full of controls
        return None
    for name in ("utf-16-le", "utf-16-be"):
        text = head[: 2 * pairs].decode(name, "replace")
        if len(_USUAL.findall(text)) >= 0.98 * len(text) > 3 and "\0" not in text:
            return name
    return None


def _controls(data: bytes) -> int:
    """How many bytes are control characters that texts do not hold."""
    return sum(data.count(bytes([code])) for code in range(32) if code not in b"\t\n\v\f\r\x1b")


def _ftyp(head: bytes) -> Kind:
    """Which of the ISO base media formats: the major brand first, then the compatible ones (ISO/IEC 14496-12, 4.3)."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, size - 3, 4))]
    for brand in brands:
        if brand in _AVIF_BRANDS:
            return Kind.AVIF
        if brand in _HEIF_BRANDS and not (brand in (b"mif1", b"msf1", b"mif2") and b"avif" in brands):
            return Kind.HEIF
        if brand in (b"isom", b"mp41", b"mp42", b"qt  ", b"M4A ", b"M4V "):
            return Kind.MP4
    return Kind.MP4


def undecided(head: bytes) -> bool:
    """Whether `head` is all comments and declarations, so that what they stand before is still to come."""
    if head.startswith(GZIP):
        return undecided(unzipped(head, UNZIPPED_BYTES))
    return is_text(head) and bool(_OPEN.match(*_after_prolog(head)))


def unzipped(data: bytes, most: int) -> bytes:
    """The first `most` bytes of what is in a gzip of a few members (RFC 1952), as far as it can be unpacked."""
    unpacked = b""
    for _ in range(GZIP_MEMBERS):
        if len(unpacked) >= most or not data.startswith(GZIP):
            break
        member = zlib.decompressobj(wbits=31)
        try:
            unpacked += member.decompress(data, most - len(unpacked))
        except zlib.error:
            break
        data = member.unused_data
    return unpacked


def _markup(head: bytes, suffix: str = "") -> Kind:
    """Mail, SVG, HTML or plain text: what the first tag is, after byte order mark, XML prolog and comments."""
    head, at = _after_prolog(head)
    if is_mail(head):
        return Kind.MAIL
    if _DRAWING.match(head, at):
        return Kind.SVG
    return Kind.HTML if is_page(head[at:], suffix) else Kind.TEXT


def _after_prolog(head: bytes) -> tuple[bytes, int]:
    """The text in one byte a character of ASCII, without its mark, and where its prolog ends."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.lstrip(b"\xff\xfe")
    head = head.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf")
    at = 0
    while match := _PROLOG.match(head, at):
        at = match.end()
    return head, at


def _mp3_sync(head: bytes) -> bool:
    """An MPEG audio frame header with legal version, layer, bit rate and sample rate (ISO/IEC 11172-3, 2.4.1.3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    return version != 1 and layer != 0 and head[2] >> 4 != 15 and head[2] >> 2 & 3 != 3
