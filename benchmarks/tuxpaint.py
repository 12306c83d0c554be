"""The stamps of Tux Paint: pictures and sounds with descriptions in many languages.  For evaluation only.

Kept: every stamp outside `symbols/` (letters, digits, coins, notes, shapes), unmirrored, whose picture opens (16 SVG
files name no size).  That is 685 pictures with 616 different English texts, 106 of them with a sound effect.
"""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import resvg_py
import soundfile
from PIL import Image

ROOT = Path(__file__).parents[1]
STAMPS = ROOT / ".data/debian-tuxpaint-stamps-default/usr/share/tuxpaint/stamps"
MIRRORED = ("_mirror", "_flip", "_mirror_flip")
RATE = 16_000


@dataclass(frozen=True, slots=True)
class Stamp:
    name: str
    english: str
    chinese: str
    """Simplified; empty where there is none."""
    picture: np.ndarray
    """(h, w, 3) uint8, on white."""
    sound: np.ndarray | None
    """(samples,) float32 at 16 kHz."""


def stamps() -> list[Stamp]:
    """All of them, by name; fetched on first use."""
    if not STAMPS.is_dir():
        subprocess.run([sys.executable, ROOT / "scripts/fetch_data.py"], check=True)
    files = {path.with_suffix("") for path in STAMPS.rglob("*") if path.suffix in (".png", ".svg")}
    out = []
    for stem in sorted(files):
        name = str(stem.relative_to(STAMPS))
        if name.startswith("symbols/") or name.endswith(MIRRORED):
            continue
        texts = descriptions(stem)
        try:
            picture = open_picture(stem)
        except ValueError:  # an SVG without a size
            continue
        if texts.get(""):
            out.append(Stamp(name, texts[""], texts.get("zh_CN", ""), picture, open_sound(stem)))
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


def open_picture(stem: Path) -> np.ndarray:
    png = Path(f"{stem}.png")
    if png.is_file():
        picture = Image.open(png)
    else:
        picture = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_path=f"{stem}.svg", width=512))))
    picture = picture.convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB"))


def open_sound(stem: Path) -> np.ndarray | None:
    path = next((path for path in (Path(f"{stem}.wav"), Path(f"{stem}.ogg")) if path.is_file()), None)
    if path is None:
        return None
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32)[None])
    if rate == RATE:
        return mono[0]
    frame = av.AudioFrame.from_ndarray(mono, format="fltp", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces])
