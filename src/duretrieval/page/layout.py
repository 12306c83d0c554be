"""The shell of every report: one file, no script, nothing fetched; for a phone, in the dark, in two languages."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

from duretrieval.page.html import Markup, tag

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = ("en", "zh")

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
NAMES = {"en": "English", "zh": "中文"}


def document(title: str, main: Markup, lang: Lang) -> str:
    """HTML of a page whose `main` holds both languages, marked `en` and `zh`; `lang` is shown first."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(files(__package__).joinpath("page.css").read_text(encoding="utf-8"))),
    )
    code = "zh-Hans" if lang == "zh" else "en"
    return "<!doctype html>\n" + tag("html", head, tag("body", *_switch(lang), main), lang=code) + "\n"


def _switch(lang: Lang) -> list[Markup]:
    """Two buttons that work by style alone."""
    buttons = [
        tag("input", type="radio", name="language", id=code, class_="switch", checked=code == lang) for code in LANGS
    ]
    labels = tag("nav", *(tag("label", NAMES[code], for_=code, lang=code) for code in LANGS))
    return [*buttons, labels]
