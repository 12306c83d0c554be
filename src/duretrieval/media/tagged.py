"""Tell web pages and mail from words that merely hold a tag or a colon."""

from __future__ import annotations

import re

_PAGE = re.compile(rb"\s*<(!doctype\s+html|html|head|body|title|meta|frameset)[\s>]", re.I)
_NAMES = (
    b"a|abbr|acronym|address|article|aside|audio|b|base|basefont|bdo|big|blink|blockquote|br|button|caption|center|cite|code|col|dd|del|"
    b"details|dfn|dir|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form|frame|h[1-6]|header|hr|i|iframe|"
    b"img|input|ins|kbd|label|legend|li|link|listing|main|map|mark|marquee|menu|nav|nobr|noframes|noscript|object|ol|option|p|"
    b"param|picture|pre|q|ruby|s|samp|script|section|select|small|span|strike|strong|style|sub|summary|sup|table|tbody|td|"
    b"textarea|tfoot|th|thead|time|title|tr|tt|u|ul|var|video|wbr|xmp"
)
_TAG = re.compile(rb"<(" + _NAMES + rb")(\s[^<>]*)?/?>", re.I)
_ENDED = re.compile(rb"</(" + _NAMES + rb")\s*>|<(p|br|hr|img|li|input|dt|dd|td)[\s/>]", re.I)
_ENTITY = re.compile(rb"&(#\d+|#x[0-9a-f]+|[a-z]{2,8}\d?);", re.I)
_SOURCE = re.compile(rb"^(#{1,6} |```|~~~)|\]\(\S+\)|^\s*(import|export) |<template[\s>]", re.M)
"""Lines of Markdown, and of components that begin with a tag as pages do."""
_PAGE_NAMES = (".htm", ".html", ".shtml", ".xhtml", ".xht")

ENVELOPE = re.compile(rb"\AFrom .*\d:\d\d.*\n")
"""The line that a mailbox has before each message."""
_FIELD = re.compile(rb"([!-9;-~]+):.*|[ \t].*")
_BY_PROGRAMS = frozenset(
    (b"mime-version", b"content-type", b"content-transfer-encoding", b"message-id", b"received", b"return-path")
)
_BY_PEOPLE = frozenset((b"from", b"to", b"subject", b"date", b"sender", b"cc", b"reply-to", b"delivered-to"))


def is_page(head: bytes, suffix: str) -> bool:
    """Whether tags of HTML make the text, not merely occur in it as in Markdown and source code.

    It begins with one, or it is called a page and holds one.
    """
    if _PAGE.match(head):
        return True
    if suffix.lower() in _PAGE_NAMES:
        return bool(_TAG.search(head) or _ENTITY.search(head) or head.lstrip().startswith((b"<!", b"<?")))
    return bool(_TAG.match(head.lstrip()) and _ENDED.search(head) and not _SOURCE.search(head))


def is_mail(head: bytes) -> bool:
    """Whether it begins with the fields of a message (RFC 5322), some of them such as only programs write."""
    fields, blank, _ = ENVELOPE.sub(b"", head).replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = fields.split(b"\n")
    found = [_FIELD.fullmatch(line) for line in (lines if blank or len(lines) == 1 else lines[:-1])]
    names = {(field[1] or b"").lower() for field in found if field}
    by_programs = bool(names & _BY_PROGRAMS) or b"=?" in fields
    return all(found) and by_programs and len(names & (_BY_PROGRAMS | _BY_PEOPLE)) >= 2
