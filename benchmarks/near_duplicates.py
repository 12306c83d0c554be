"""How many bits of `looks.code` copies of a picture change, how near different pictures are, and what a split costs.

    python -m benchmarks.near_duplicates      prints; the stamps of Tux Paint are fetched on first use

Copies are made of 200 pictures drawn at random.  For the cost, codes are cut together from those of the pictures, three
for each, with 3 % of the bits turned, and a twentieth of them are copies of others with 6 bits turned.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from benchmarks.tuxpaint import STAMPS
from duretrieval.duplicates.near import near_groups
from duretrieval.duplicates.perceptual import BITS, READING, code, distance
from duretrieval.errors import MediaError
from duretrieval.media import Limits, decode
from duretrieval.training.data.sample import Sample
from duretrieval.training.data.splits import split
from duretrieval.training.recipe.recipe import RADIUS
from duretrieval.types import Modality, Part, Reading

SIDE, COPIES, MANY = 300, 200, 100_000


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "scaled to a third": lambda image: image.resize((SIDE // 3, SIDE // 3)),
    "JPEG, quality 50": lambda image: image,
    "5 % darker": lambda image: ImageEnhance.Brightness(image).enhance(0.95),
    "2 % cut off each side": lambda image: image.crop((6, 6, SIDE - 6, SIDE - 6)),
}


def main() -> None:
    pictures = [path for path in sorted(STAMPS.rglob("*")) if path.suffix in (".png", ".svg")]
    codes = np.stack([found for path in pictures if (found := _code(path)) is not None])
    print(f"{'copy':24}{'median':>8}{'90 %':>8}{'most':>8}{'near':>8}")
    for name, change in CHANGES.items():
        bits = _changed(pictures, change, ".jpg" if "JPEG" in name else ".png")
        share = np.mean(bits <= RADIUS)
        print(f"{name:24}{np.median(bits):8.0f}{np.percentile(bits, 90):8.0f}{bits.max():8.0f}{share:8.0%}")
    between = np.array([distance(a, b) for i, a in enumerate(codes) for b in codes[:i]])
    print(f"\n{len(codes):,} pictures, {np.sum(between <= RADIUS):,} pairs of them within {RADIUS} bits of {BITS}")
    made = _many(codes)
    start = time.perf_counter()
    groups = near_groups(made, RADIUS)
    print(f"{MANY:,} codes in {len(np.unique(groups)):,} groups: {time.perf_counter() - start:.1f} s")
    rows = [Sample(str(n), {"text": Part(Modality.TEXT, f"words {n}")}) for n in range(MANY)]
    start = time.perf_counter()
    split(rows)
    print(f"{MANY:,} texts split: {time.perf_counter() - start:.1f} s")


def _code(path: Path, reading: Reading = READING) -> np.ndarray | None:
    try:
        return code(np.asarray(decode(path, reading, Limits()).parts[0].content))
    except MediaError:  # an SVG without a size
        return None


def _changed(pictures: list[Path], change: Callable[[Image.Image], Image.Image], suffix: str) -> np.ndarray:
    bits = []
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before.png", Path(folder) / f"after{suffix}"
        for path in random.Random(0).sample(pictures, COPIES):
            try:
                content = decode(path, Reading(image_side=SIDE, image_fit="stretch"), Limits()).parts[0].content
            except MediaError:
                continue
            image = Image.fromarray(np.asarray(content))
            image.save(before)
            change(image).save(after, quality=50)
            one, other = _code(before), _code(after)
            assert one is not None
            assert other is not None
            bits.append(distance(one, other))
    return np.array(bits)


def _many(codes: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(0)
    bits = np.unpackbits(codes, axis=1)[:, :BITS].astype(bool)
    cut, at = np.sort(rng.integers(0, BITS, (MANY, 2)), axis=1), np.arange(BITS)
    a, b, c = (bits[rng.integers(0, len(bits), MANY)] for _ in range(3))
    made = np.where(at < cut[:, :1], a, np.where(at < cut[:, 1:], b, c)) ^ (rng.random((MANY, BITS)) < 0.03)
    copies = MANY // 20
    made[-copies:] = made[rng.integers(0, MANY - copies, copies)]
    for row in range(MANY - copies, MANY):
        made[row, rng.integers(0, BITS, 6)] ^= True
    return np.packbits(made, axis=1)


if __name__ == "__main__":
    main()
