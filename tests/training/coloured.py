"""Small media whose colour can be seen, heard and read: pictures, films, sounds and texts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image, ImageDraw
from tests.media import samples

COLOURS = {"red": (220, 30, 30), "green": (30, 190, 30), "blue": (40, 40, 230)}
HERTZ = {"red": 300, "green": 900, "blue": 2700}
SHAPES = ("circle", "square")


def picture(folder: Path, colour: str, shape: str, number: int) -> Path:
    """A shape of a colour on a grey that differs from picture to picture."""
    rng = np.random.default_rng([number, len(colour), len(shape)])
    grey = int(rng.integers(120, 250))
    image = Image.new("RGB", (64, 64), (grey, grey, grey))
    x, y = (int(v) for v in rng.integers(4, 20, 2))
    draw = ImageDraw.Draw(image)
    (draw.ellipse if shape == "circle" else draw.rectangle)((x, y, x + 40, y + 40), fill=COLOURS[colour])
    path = folder / f"{colour}-{shape}-{number}.png"
    image.save(path)
    return path


def sound(folder: Path, colour: str, number: int) -> Path:
    """Half a second of the colour's tone, in noise."""
    rng = np.random.default_rng(number)
    at = np.arange(8000) / 16000
    wave = 0.4 * np.sin(2 * np.pi * HERTZ[colour] * at) + 0.02 * rng.standard_normal(8000)
    path = folder / f"{colour}-{number}.wav"
    soundfile.write(path, wave, 16000)
    return path


def film(folder: Path, colour: str, number: int) -> Path:
    """Half a second of one colour, a little darker from film to film, without sound."""
    path = folder / f"{colour}-{number}.mp4"
    shade = tuple(int(value * (1 - number / 40)) for value in COLOURS[colour])
    original, samples.COLOURS = samples.COLOURS, [shade] * 3
    try:
        return samples.write_video(path, seconds=0.5, fps=8, audio=None)
    finally:
        samples.COLOURS = original


def pairs(folder: Path, each: int = 8) -> Path:
    """(text, image, label): a manifest of every colour and shape, of which all but four pictures are to learn from."""
    rows = []
    for colour in COLOURS:
        for shape in SHAPES:
            for number in range(each):
                image = picture(folder, colour, shape, number)
                words = f"{colour} {shape}"
                row = {"id": image.stem, "image": image.name, "text": words, "key": words, "label": colour}
                rows.append({**row, "split": split(number, each)})
    return written(folder / "pairs.jsonl", rows)


def split(number: int, each: int) -> str:
    """The last four are to validate and to test with, two each."""
    return "train" if number < each - 4 else "val" if number < each - 2 else "test"


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    """A manifest."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
