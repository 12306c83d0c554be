"""Small data that is made, one set for each of the five systems, of which the answer needs what the system is for.

Pictures are 64 x 64 with a shape somewhere on noise, films and sounds half a second.  Every set has the splits in it.
"""

from __future__ import annotations

import json
import shutil
import wave
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

COLOURS = {"red": (220, 30, 30), "green": (30, 170, 40), "blue": (40, 60, 230)}
SHAPES = ("circle", "square", "cross")
HERTZ = {"circle": 250, "square": 1000, "cross": 4000}
SIDE, RATE = 64, 16000


def labelled(folder: Path, each: int = 12) -> Path:
    """A: (text, image, label) and (text, video, audio, label), where one modality tells but half of the label.

    The text says the colour; the shape is to be seen in a picture, or in a film and heard in a sound.
    """
    rows = []
    for number, colour, shape in product(range(each), COLOURS, SHAPES):
        row = {"text": f"something {colour}", "label": f"{colour} {shape}", "split": split(number, each)}
        name = f"{colour}-{shape}-{number}"
        if number % 2:
            rows.append({"id": name, **row, "image": picture(folder / f"{name}.png", shape, (60, 60, 60), number)})
        else:
            heard, seen = sound(folder / f"{name}.wav", shape, number), film(folder / f"{name}.mp4", shape, number)
            rows.append({"id": name, **row, "audio": heard, "video": seen})
    return written(folder / "labelled.jsonl", rows)


def described(folder: Path, each: int = 30) -> Path:
    """B: a folder of one JSON a sample {image, text}."""
    for number, (colour, rgb), shape in product(range(each), COLOURS.items(), ("circle", "cross")):
        name, words = f"{colour}-{shape}-{number}", f"a {colour} {shape}"
        image = picture(folder / f"{name}.png", shape, rgb, number)
        sample = {"image": image, "text": words, "key": words, "split": split(number, each)}
        (folder / f"{name}.json").write_text(json.dumps(sample), encoding="utf-8")
    return folder


def pairs(folder: Path, each: int = 10) -> Path:
    """C: (text, image): a coloured shape and its name."""
    rows = []
    for number, (colour, rgb), shape in product(range(each), COLOURS.items(), SHAPES):
        name, words = f"{colour}-{shape}-{number}", f"{colour} {shape}"
        image = picture(folder / f"{name}.png", shape, rgb, number)
        rows.append({"id": name, "image": image, "text": words, "key": words, "split": split(number, each)})
    return written(folder / "pairs.jsonl", rows)


SPOKEN = {
    (220, 30, 30): (("scarlet", "vermilion"), ("fire", "tomato", "brick")),
    (30, 170, 40): (("emerald", "jade"), ("grass", "leaf", "moss")),
    (40, 60, 230): (("azure", "cobalt"), ("sea", "sky", "ink")),
    (240, 220, 40): (("golden", "lemon"), ("sun", "straw", "honey")),
    (20, 20, 20): (("ebony", "jet"), ("night", "coal", "tar")),
    (250, 250, 250): (("ivory", "pearl"), ("snow", "milk", "cloud")),
}
"""Colour -> its two names, and the words beside which they stand."""


def spoken(folder: Path, each: int = 12) -> Path:
    """D: pictures to learn from bear one name of their colour, those asked for the other, which only texts have used.

    Both names stand in sentences with the same other words, so that word2vec, and nothing else here, brings them
    together.
    """
    rng = np.random.default_rng(0)
    rows: list[dict[str, str]] = []
    for rgb, (names, beside) in SPOKEN.items():
        for number in range(60):
            near = rng.permutation(beside)
            words = f"{near[0]} {names[number % 2]} {near[1]} {near[2]}"
            rows.append({"id": f"{names[0]} said {number}", "text": words, "split": "train"})
        for number in range(each):
            at = split(number, each)
            image = picture(folder / f"{names[0]}-{number}.png", SHAPES[number % 3], rgb, number)
            word = names[at != "train"]
            row = {"id": f"{names[0]} {number}", "image": image, "text": word, "key": word, "label": names[0]}
            rows.append({**row, "split": at})
    return written(folder / "spoken.jsonl", rows)


def meaningless(folder: Path) -> Path:
    """Vectors for the same words that have learned nothing, in word2vec's text format."""
    words = sorted({word for names, beside in SPOKEN.values() for word in (*names, *beside)})
    rows = np.random.default_rng(0).standard_normal((len(words), 20))
    lines = [
        f"{len(words)} 20",
        *(f"{word} {' '.join(f'{v:.4f}' for v in row)}" for word, row in zip(words, rows, strict=True)),
    ]
    path = folder / "meaningless.vec"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def split(number: int, each: int) -> str:
    """A sixth, but two at least, to validate with, as many to test with."""
    held = max(2, each // 6)
    return "train" if number < each - 2 * held else "val" if number < each - held else "test"


def written(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """A manifest."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def picture(path: Path, shape: str, colour: tuple[int, int, int], number: int) -> str:
    """A shape somewhere on grey noise; the file's name."""
    rng = np.random.default_rng([number, len(shape), sum(colour)])
    pixels = np.clip(rng.normal(190, 12, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    x, y, r = (int(v) for v in (*rng.integers(22, 42, 2), rng.integers(14, 20)))
    box = (x - r, y - r, x + r, y + r)
    if shape == "cross":
        draw.rectangle((x - r, y - r // 3, x + r, y + r // 3), fill=colour)
        draw.rectangle((x - r // 3, y - r, x + r // 3, y + r), fill=colour)
    else:
        (draw.ellipse if shape == "circle" else draw.rectangle)(box, fill=colour)
    image.save(path)
    return path.name


def sound(path: Path, shape: str, number: int) -> str:
    """One second of the shape's tone, a little off from one to the next, in noise."""
    rng = np.random.default_rng(number)
    at = np.arange(RATE) / RATE
    tone = 0.4 * np.sin(2 * np.pi * HERTZ[shape] * (1 + rng.uniform(-0.05, 0.05)) * at)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((32000 * (tone + 0.02 * rng.standard_normal(RATE))).astype("<i2").tobytes())
    return path.name


def film(path: Path, shape: str, number: int) -> str:
    """Half a second of a grey shape, without sound."""
    picture(still := path.with_suffix(".still.png"), shape, (60, 60, 60), number)
    frame = av.VideoFrame.from_image(Image.open(still))
    still.unlink()
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = SIDE, SIDE, "yuv420p", 1_000_000
        for _ in range(4):
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path.name


def anew(folder: Path) -> Path:
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
