"""HTML as values: what is not markup is escaped, wherever it goes."""

from __future__ import annotations

from html import escape

VOID = frozenset({"img", "input", "meta", "br", "link"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: str | float | None, **attributes: str | float | bool | None) -> Markup:
    """An element; children and attribute values that are not `Markup` are escaped, None is left out.

    A trailing underscore keeps an attribute from being a word of Python, an inner one is a dash.

    >>> tag("a", "1 < 2", class_="note", data_k=3, hidden=None)
    '<a class="note" data-k="3">1 &lt; 2</a>'
    """
    shown = ""
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        plain = key.rstrip("_").replace("_", "-")
        shown += f" {plain}" if value is True else f' {plain}="{escape(str(value), quote=True)}"'
    if name in VOID:
        return Markup(f"<{name}{shown}>")
    return Markup(f"<{name}{shown}>{join(*children)}</{name}>")


def join(*children: str | float | None) -> Markup:
    """Markup and text, one after the other.

    >>> join(tag("b", "x"), " & ", 1)
    '<b>x</b> &amp; 1'
    """
    return Markup("".join(c if isinstance(c, Markup) else escape(str(c)) for c in children if c is not None))
