"""What draws pages: HTML, SVG, a whole document in two languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.page.html import Markup as Markup
    from duretrieval.page.html import join as join
    from duretrieval.page.html import tag as tag
    from duretrieval.page.layout import LANGS as LANGS
    from duretrieval.page.layout import Lang as Lang
    from duretrieval.page.layout import document as document
    from duretrieval.page.svg import Axes as Axes
    from duretrieval.page.svg import drawing as drawing
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "html": "Markup join tag",
            "layout": "LANGS Lang document",
            "svg": "Axes drawing",
        },
    )
