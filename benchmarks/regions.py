"""Pictures of four things, and a question about one of them: what only attention to regions can answer.

A picture has a circle, a square, a triangle and a cross, one in each quarter, each of another colour.  An item is the
picture and the name of one of its shapes; the question is a colour, and right are the items whose named shape has it.
One vector of the whole picture knows its four colours, and not whose each is.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 170, 40),
    "blue": (40, 60, 230),
    "yellow": (240, 220, 40),
    "black": (20, 20, 20),
    "white": (250, 250, 250),
}
SHAPES = ("circle", "square", "triangle", "cross")
SIDE, QUARTER, RADIUS = 224, 56, 40
GREY = (150, 150, 150)


def regions(folder: Path, n: int, seed: int = 0) -> Path:
    """n rows (image, text, query): eight tenths to learn from, a tenth each to validate and to test with."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        shapes, colours = rng.permutation(SHAPES), rng.choice(list(COLOURS), 4, replace=False)
        picture(shapes, colours).save(folder / f"{number}.png")
        at = int(rng.integers(4))
        split = "train" if number < 0.8 * n else "val" if number < 0.9 * n else "test"
        row = {"id": str(number), "image": f"{number}.png", "text": str(shapes[at]), "query": str(colours[at])}
        rows.append({**row, "key": str(colours[at]), "split": split})
    path = folder / "regions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def picture(shapes: np.ndarray, colours: np.ndarray) -> Image.Image:
    """A shape of a colour in each quarter."""
    image = Image.new("RGB", (SIDE, SIDE), GREY)
    draw = ImageDraw.Draw(image)
    for place, (shape, colour) in enumerate(zip(shapes, colours, strict=True)):
        x, y = QUARTER * (1 + 2 * (place % 2)), QUARTER * (1 + 2 * (place // 2))
        shapely(draw, str(shape), x, y, COLOURS[str(colour)])
    return image


def shapely(draw: ImageDraw.ImageDraw, shape: str, x: int, y: int, colour: tuple[int, int, int]) -> None:
    """One shape around (x, y)."""
    r, thin = RADIUS, RADIUS // 3
    if shape == "circle":
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    elif shape == "triangle":
        draw.polygon([(x, y - r), (x - r, y + r), (x + r, y + r)], fill=colour)
    elif shape == "square":
        draw.rectangle((x - r, y - r, x + r, y + r), fill=colour)
    else:
        draw.rectangle((x - r, y - thin, x + r, y + thin), fill=colour)
        draw.rectangle((x - thin, y - r, x + thin, y + r), fill=colour)
