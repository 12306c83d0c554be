"""Mail, mailboxes and web archives (.eml, .mbox, .mhtml) to the words that a person reads in them."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from pathlib import Path
from typing import BinaryIO

from duretrieval.media.charset import as_said, to_text
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.document import Document, chunks
from duretrieval.media.limits import Limits, check
from duretrieval.media.signature import Kind
from duretrieval.media.tagged import ENVELOPE
from duretrieval.media.webpage import words
from duretrieval.types import Reading

_SHOWN = ("Subject", "From", "To", "Cc", "Date")
_FOR_PROGRAMS = ("text/calendar", "text/css", "text/javascript", "text/x-amp-html")
_FIELD_CHARS = 100_000
"""A longer field is cut: `decode_header` takes time with the square of its length."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]*")


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Iterator[Chunk]:
    """Passages of a message, or of the messages of a mailbox with their number as page."""
    with open_document(path, limits) as document:
        yield from chunks(document, reading, limits, start)


@contextmanager
def open_document(path: Path, limits: Limits) -> Iterator[Document]:
    """A message is one page, a mailbox a page a message, while the file is open.

    Raises:
        LimitExceeded: a message is larger than `limits` allows, attachments included.
    """
    most = limits.memory_bytes / 8
    with path.open("rb") as file:
        if file.read(5) == b"From ":
            letters = list(_letters(file))

            def page(number: int) -> str:
                begin, end = letters[number]
                check("bytes in a message", end - begin, most, "memory_bytes")
                file.seek(begin)
                return message_text(file.read(end - begin))

            yield Document(pages=len(letters), page=page, numbered=True)
        else:
            check("bytes", path.stat().st_size, most, "memory_bytes")
            message = message_from_bytes(path.read_bytes())
            yield Document(pages=1, page=lambda _: _text(message), title=_field(message, "Subject"))


def _letters(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """From which byte to which each message of a mailbox goes: "From ..." after an empty line begins one (RFC 4155).

    Unlike `mailbox`, which opens the file for writing, as a decoding process may not.
    """
    file.seek(0)
    begin, at, blank = 0, 0, True
    for line in file:
        after = at + len(line)
        if blank and ENVELOPE.match(line):
            if begin:
                yield begin, at
            begin = after
        at, blank = after, not line.strip()
    yield begin, at


def message_text(data: bytes) -> str:
    """What a reader of mail shows of a message."""
    return _text(message_from_bytes(data))


def _text(message: Message) -> str:
    """Its fields and its text, as a reader of mail shows them."""
    fields = "\n".join(f"{name}: {said}" for name in _SHOWN if (said := _field(message, name)))
    return "\n\n".join(filter(None, (fields, *_bodies(message))))


def _bodies(message: Message) -> Iterator[str]:
    """The texts of its parts and the names of its attachments, in order; of alternatives the richest."""
    kind = message.get_content_type()
    charset = message.get_content_charset("")
    if kind == "message/rfc822":
        yield from map(_text, _inner(message))
    elif kind == "multipart/alternative":
        ways = (list(filter(None, _bodies(part))) for part in reversed(_inner(message)))
        yield from next(filter(None, ways), [])
    elif message.is_multipart():
        for part in _inner(message):
            yield from _bodies(part)
    elif name := _attached(message):
        yield f"Attachment: {name}"
    elif kind == "text/html":
        yield words(_bytes(message), charset)[1]
    elif message.get_content_maintype() == "text" and kind not in _FOR_PROGRAMS:
        yield as_said(_bytes(message), charset).strip()


def _inner(message: Message) -> list[Message]:
    held = message.get_payload()
    return [part for part in held if isinstance(part, Message)] if isinstance(held, list) else []


def _attached(message: Message) -> str:
    """The name of what is attached; "" of a text that is a part of the message."""
    inline = message.get_content_disposition() != "attachment" and message.get_content_maintype() == "text"
    return "" if inline else _unfolded(message.get_filename(""))


def _bytes(message: Message) -> bytes:
    """What a part holds, undone from quoted-printable or base64, of the latter as much as is whole."""
    if str(message.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        held = _BASE64.match(str(message.get_payload()).encode("ascii", "replace"))
        digits = b"".join(held[0].split()) if held else b""
        return b64decode(digits[: len(digits) - (len(digits) % 4 == 1)] + b"==")
    found = message.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _field(message: Message, name: str) -> str:
    return next((_unfolded(str(said)) for key, said in message.raw_items() if key.lower() == name.lower()), "")


def _unfolded(said: str) -> str:
    """A field as characters: "=?gbk?B?1KS40A==?=" or bytes as they are, on one line."""
    said = to_text(said.encode("utf-8", "surrogateescape"))[:_FIELD_CHARS]
    try:
        parts = decode_header(said)
    except HeaderParseError:  # what looks encoded is not
        parts = [(said, None)]
    text = "".join(as_said(part, charset or "") if isinstance(part, bytes) else part for part, charset in parts)
    return " ".join(text.split())
