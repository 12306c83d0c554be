"""Drawings to learn from: Open Clip Art and three sets of emoji, with titles and keywords, as one manifest.

    python -m benchmarks.clipart

Writes `.data/clipart/train.jsonl` (image, text, keywords, chinese, key).  Nothing of Tux Paint is in it: that is what
models are tested on.  Left out: drawings without a title of their own, and regional letters.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DATA = ROOT / ".data"
MANIFEST = DATA / "clipart" / "train.jsonl"
OPENCLIPART = DATA / "debian-openclipart-svg/usr/share/openclipart/svg"
EMOJI = {
    "google": (DATA / "npm-emoji-datasource-google-16.0.0/package/img/google/64", ".png"),
    "twitter": (DATA / "npm-emoji-datasource-twitter-16.0.0/package/img/twitter/64", ".png"),
    "fluent": (DATA / "npm-lobehub-fluent-emoji-3d-1.1.0/package/assets", ".webp"),
}
NAMES = DATA / "npm-emojibase-data-17.0.0/package"
OFTEN = 12
"""A title that more drawings share says who made them, not what they show."""
SAYS_NOTHING = re.compile(r"clip ?art|collection|theme|untitled|^\W*$|\d{2,}|https?:", re.IGNORECASE)
NAMED_BY = 30
"""A word of that many file names is somebody's name."""
_TITLE = re.compile(r"<dc:title[^>]*>([^<]*)</dc:title>")
_SUBJECT = re.compile(r"<dc:subject>(.*?)</dc:subject>", re.DOTALL)
_WORD = re.compile(r"<rdf:li[^>]*>([^<]+)</rdf:li>")


def manifest() -> Path:
    """The manifest, made on first use."""
    if not MANIFEST.is_file():
        if not all(folder.is_dir() for folder in (OPENCLIPART, NAMES, *(place for place, _ in EMOJI.values()))):
            subprocess.run([sys.executable, ROOT / "scripts/fetch_training.py"], check=True)
        MANIFEST.parent.mkdir(parents=True, exist_ok=True)
        rows = [*drawings(), *emoji()]
        MANIFEST.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return MANIFEST


def labelled() -> Path:
    """The drawings alone, with the folder that each lies in as its label."""
    path = MANIFEST.with_name("labelled.jsonl")
    if not path.is_file():
        found = [json.loads(line) for line in manifest().read_text(encoding="utf-8").splitlines()]
        rows = [{**row, "label": row["id"].partition("/")[0]} for row in found if row["image"].endswith(".svg")]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def drawings() -> Iterator[dict[str, Any]]:
    """A row a drawing of Open Clip Art that has a title or keywords of its own."""
    found = [(path, *described(path)) for path in sorted(OPENCLIPART.rglob("*.svg"))]
    often = Counter(title.lower() for _, title, _ in found)
    named = Counter(word for path, _, _ in found for word in set(file_words(path)))
    for path, title, words in found:
        told = [word for word in words if not SAYS_NOTHING.search(word) and word != "hash"]
        if SAYS_NOTHING.search(title) or often[title.lower()] > OFTEN:
            title = " ".join(word for word in file_words(path) if named[word] <= NAMED_BY)
        if len(title) < 3:
            continue
        row = {"id": str(path.relative_to(OPENCLIPART)), "image": str(path), "text": title, "key": title.lower()}
        yield {**row, "keywords": ", ".join(told)} if told else row


def file_words(path: Path) -> list[str]:
    """Words of a file's name: "beer_mug_01.svg" -> beer, mug."""
    return [word for word in re.split(r"[\W_\d]+", path.stem.lower()) if len(word) > 1]


def described(path: Path) -> tuple[str, list[str]]:
    """Title and keywords in a drawing's own metadata; empty where there are none."""
    text = path.read_text(encoding="utf-8", errors="replace")
    title = _TITLE.search(text)
    subject = _SUBJECT.search(text)
    words = _WORD.findall(subject[1]) if subject else []
    return " ".join(title[1].split()) if title else "", [word.strip() for word in words if word.strip()]


def emoji() -> Iterator[dict[str, Any]]:
    """A row a glyph of each vendor, without variants of skin."""
    chinese = {entry["hexcode"]: entry["label"] for entry in names("zh")}
    for entry in names("en"):
        if entry["label"].startswith("regional indicator"):
            continue
        code = entry["hexcode"].lower()
        for vendor, (folder, suffix) in EMOJI.items():
            path = next((p for p in (folder / f"{code}{suffix}", folder / f"{code}-fe0f{suffix}") if p.is_file()), None)
            if path is None:
                continue
            row = {"id": f"{vendor}/{code}", "image": str(path), "text": entry["label"], "key": entry["label"].lower()}
            if tags := entry.get("tags"):
                row["keywords"] = ", ".join(tags)
            if label := chinese.get(entry["hexcode"]):
                row["chinese"] = label
            yield row


def names(language: str) -> list[dict[str, Any]]:
    """What Emojibase knows of every glyph in a language."""
    entries: list[dict[str, Any]] = json.loads((NAMES / language / "data.json").read_text(encoding="utf-8"))
    return entries


if __name__ == "__main__":
    print(manifest())
