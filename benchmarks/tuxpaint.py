"""The stamps of Tux Paint: pictures and sounds with descriptions in many languages.  For evaluation only.

Kept: every stamp outside `symbols/` (letters, digits, coins, notes, shapes), unmirrored.  That is 701 pictures
with 626 different English texts, 106 of them with a sound effect, 527 with a text in simplified Chinese.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from duretrieval.media.decoder import decode
from duretrieval.media.limits import Limits
from duretrieval.types import Part, Reading

ROOT = Path(__file__).parents[1]
STAMPS = ROOT / ".data/debian-tuxpaint-stamps-default/usr/share/tuxpaint/stamps"
MIRRORED = ("_mirror", "_flip", "_mirror_flip")


@dataclass(frozen=True, slots=True)
class Stamp:
    name: str
    english: str
    chinese: str
    """Simplified; empty where there is none."""
    picture: tuple[Part, ...]
    """One part."""
    sound: tuple[Part, ...]
    """A part for each window; none where it has no sound effect."""


def stamps(reading: Reading) -> list[Stamp]:
    """All of them, by name, read as the model wants; fetched on first use."""
    if not STAMPS.is_dir():
        subprocess.run([sys.executable, ROOT / "scripts/fetch_data.py"], check=True)
    files = {path.with_suffix("") for path in STAMPS.rglob("*") if path.suffix in (".png", ".svg")}
    out = []
    for stem in sorted(files):
        name = str(stem.relative_to(STAMPS))
        if name.startswith("symbols/") or name.endswith(MIRRORED):
            continue
        texts = descriptions(stem)
        picture = parts(stem, (".png", ".svg"), reading)
        if texts.get(""):
            sound = parts(stem, (".wav", ".ogg"), reading)
            out.append(Stamp(name, texts[""], texts.get("zh_CN", ""), picture, sound))
    return out


def descriptions(stem: Path) -> dict[str, str]:
    """Language code to description; the English one under an empty code."""
    path = Path(f"{stem}.txt")
    if not path.is_file():
        return {}
    english, *others = path.read_text(encoding="utf-8").splitlines()
    found = {"": english.strip()}
    for line in others:
        code, _, text = line.partition(".utf8=")
        if text.strip():
            found[code] = text.strip()
    return found


def parts(stem: Path, suffixes: tuple[str, ...], reading: Reading) -> tuple[Part, ...]:
    """The parts of the first file that there is, as indexing would read it."""
    for path in (Path(f"{stem}{suffix}") for suffix in suffixes):
        if path.is_file():
            return tuple(decode(path, reading, Limits()).parts)
    return ()
