"""What was typed into the fields of a PDF page or noted on it, which is no part of the page's own text.

Annotations: ISO 32000-1, 12.5; fields: 12.7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import pypdfium2  # type: ignore[import-untyped, unused-ignore]
from pypdfium2 import raw  # type: ignore[import-untyped, unused-ignore]

_NOT_SHOWN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
_NO_NOTES = (raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_LINK)
"""A popup repeats the note it belongs to; what a link holds describes its target."""
_CHOICES = (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX)
_TAG = re.compile("<[^>]*>")


def annotated(pdf: pypdfium2.PdfDocument, page: pypdfium2.PdfPage) -> Iterator[str]:
    """Texts of fields and notes in the order the page has them; fields need `pdf.init_forms()` before the page."""
    for number in range(raw.FPDFPage_GetAnnotCount(page)):
        with _annotation(page, number) as annotation:
            if not annotation or raw.FPDFAnnot_GetFlags(annotation) & _NOT_SHOWN:
                continue
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if kind == raw.FPDF_ANNOT_WIDGET:
                yield _field(pdf.formenv, annotation)
            elif kind not in _NO_NOTES:
                yield _string(annotation, b"Contents") or unescape(_TAG.sub(" ", _string(annotation, b"RC")))


@contextmanager
def _annotation(page: pypdfium2.PdfPage, number: int) -> Iterator[Any]:
    annotation = raw.FPDFPage_GetAnnot(page, number)
    try:
        yield annotation
    finally:
        if annotation:
            raw.FPDFPage_CloseAnnot(annotation)


def _field(form: Any, annotation: Any) -> str:
    """What a text field holds or which options are chosen; nothing of buttons, boxes to tick, and passwords."""
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation) if form else -1
    if kind <= raw.FPDF_FORMFIELD_UNKNOWN:  # a field that the form does not list, or no form at all
        return _string(annotation, b"V")
    if kind in _CHOICES:
        options = range(max(raw.FPDFAnnot_GetOptionCount(form, annotation), 0))
        chosen = [n for n in options if raw.FPDFAnnot_IsOptionSelected(form, annotation, n)]
        if chosen:
            return "\n".join(_read(raw.FPDFAnnot_GetOptionLabel, form, annotation, n) for n in chosen)
    elif kind != raw.FPDF_FORMFIELD_TEXTFIELD or (
        raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & raw.FPDF_FORMFLAG_TEXT_PASSWORD
    ):
        return ""
    return _read(raw.FPDFAnnot_GetFormFieldValue, form, annotation)


def _string(annotation: Any, key: bytes) -> str:
    if raw.FPDFAnnot_GetValueType(annotation, key) not in (raw.FPDF_OBJECT_STRING, raw.FPDF_OBJECT_STREAM):
        return ""
    return _read(raw.FPDFAnnot_GetStringValue, annotation, key)


def _read(call: Callable[..., int], *about: Any) -> str:
    """A call of PDFium that gives UTF-16 with a NUL at its end: first its length in bytes, then itself."""
    size = call(*about, None, 0)
    buffer = (raw.FPDF_WCHAR * (size // 2 + 1))()
    call(*about, buffer, size)
    return bytes(buffer)[: max(size - 2, 0)].decode("utf-16-le", "replace")
