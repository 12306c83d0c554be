"""Pictures that every viewer shows: the end is missing, or what lies beside the pixels is damaged or too much."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from tests.media.samples import corners, quarters
from tests.media.test_upright import piece

from duretrieval.errors import DamagedMedia
from duretrieval.media import Limits, decode
from duretrieval.types import Reading

READING = Reading(image_side=224, image_fit="stretch")
FORMATS = ("jpg", "png", "gif", "webp", "tiff", "bmp", "avif", "heic", "ppm", "tga", "pcx", "dds")


def photograph() -> Image.Image:
    """Something of everything, 320 x 240, of which no row is flat."""
    y, x = np.mgrid[0:240, 0:320]
    waves = np.stack([128 + 100 * np.sin(x / 20), 128 + 100 * np.cos(y / 15), (x + y) % 256], axis=2)
    grain = np.random.default_rng(0).normal(0, 6, (240, 320, 3))
    return Image.fromarray((waves.clip(1, 254) + grain).clip(0, 255).astype(np.uint8))


def encoded(suffix: str, **options) -> bytes:
    data = io.BytesIO()
    if suffix == "heic":
        pillow_heif.from_pillow(photograph()).save(data)
    else:
        photograph().save(data, Image.registered_extensions()[f".{suffix}"], **options)
    return data.getvalue()


def shown(folder: Path, data: bytes) -> np.ndarray:
    (folder / "p").write_bytes(data)
    chunk = decode(folder / "p", READING, Limits())
    assert (chunk.fields["kind"], chunk.fields["width"], chunk.fields["height"]) == ("image", 320, 240)
    return chunk.parts[0].content.astype(int)


def alike(cut: np.ndarray, whole: np.ndarray) -> float:
    """The share of rows that look the same."""
    return float((np.abs(cut - whole).mean(axis=(1, 2)) < 25).mean())


@pytest.mark.parametrize("missing", [1, 2, 12])
@pytest.mark.parametrize("suffix", FORMATS)
def test_without_its_last_bytes_a_picture_is_whole(tmp_path, suffix, missing):
    data = encoded(suffix)
    assert alike(shown(tmp_path, data[:-missing]), shown(tmp_path, data)) > 0.98


@pytest.mark.parametrize("suffix", FORMATS)
def test_without_its_last_tenth_most_of_it_is_there(tmp_path, suffix):
    data = encoded(suffix)
    assert alike(shown(tmp_path, data[: len(data) * 9 // 10]), shown(tmp_path, data)) > 0.8


def test_a_progressive_jpeg_is_whole_long_before_its_end(tmp_path):
    data = encoded("jpg", progressive=True)
    assert alike(shown(tmp_path, data[: len(data) // 2]), shown(tmp_path, data)) == 1


@pytest.mark.parametrize("suffix", FORMATS)
def test_of_which_nearly_nothing_is_there_is_listed(tmp_path, suffix):
    data = encoded(suffix)
    with pytest.raises(DamagedMedia, match=r"decoder failed|its header is broken"):
        shown(tmp_path, data[: len(data) // 20])


def test_pages_that_are_missing_end_a_tiff(tmp_path):
    pages = [photograph().rotate(90 * n, expand=False) for n in range(3)]
    pages[0].save(tmp_path / "p.tiff", save_all=True, append_images=pages[1:])
    data = (tmp_path / "p.tiff").read_bytes()
    (tmp_path / "p.tiff").write_bytes(data[: len(data) - 3000])
    parts = decode(tmp_path / "p.tiff", READING, Limits()).parts
    assert len(parts) == 3
    assert alike(parts[1].content.astype(int), np.asarray(pages[1].resize((224, 224))).astype(int)) > 0.9


def with_chunk(chunk: bytes, behind: bool, **options) -> bytes:
    """A PNG of `quarters` with another chunk before its pixels or behind them."""
    data = io.BytesIO()
    quarters((64, 64)).save(data, "PNG", **options)
    place = len(data.getvalue()) - 12 if behind else 33
    return data.getvalue()[:place] + chunk + data.getvalue()[place:]


MUCH = zlib.compress(b"x" * 70_000_000)
CHUNKS = {
    "tEXt with a wrong checksum": piece(b"tEXt", b"Comment\0words")[:-4] + b"\1\2\3\4",
    "iCCP with a wrong checksum": piece(b"iCCP", b"sRGB\0\0" + zlib.compress(b"profile"))[:-4] + b"\1\2\3\4",
    "unknown with a wrong checksum": piece(b"prVt", b"anything")[:-4] + b"\1\2\3\4",
    "eXIf with a wrong checksum": piece(b"eXIf", b"II*\0" + bytes(20))[:-4] + b"\1\2\3\4",
    "long zTXt": piece(b"zTXt", b"Comment\0\0" + MUCH),
    "long iTXt": piece(b"iTXt", b"Comment\0\1\0\0\0" + MUCH),
    "long iCCP": piece(b"iCCP", b"big\0\0" + MUCH),
    "many long tEXt": piece(b"tEXt", b"Comment\0" + b"x" * 1_000_000) * 70,
    "broken zTXt": piece(b"zTXt", b"Comment\0\7junk"),
    "broken iCCP": piece(b"iCCP", b"name\0\5junk"),
    "gAMA of no length": piece(b"gAMA", b""),
}


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("what", CHUNKS)
def test_what_lies_beside_the_pixels_of_a_png_does_not_matter(tmp_path, what, behind):
    (tmp_path / "p").write_bytes(with_chunk(CHUNKS[what], behind))
    chunk = decode(tmp_path / "p", READING, Limits())
    assert chunk.fields["kind"] == "image"
    assert corners(chunk.parts[0].content) == "rgby"


def test_transparency_with_a_wrong_checksum_does_not_matter(tmp_path):
    (tmp_path / "p").write_bytes(with_chunk(piece(b"tRNS", bytes(6))[:-4] + b"\1\2\3\4", behind=False))
    assert corners(decode(tmp_path / "p", READING, Limits()).parts[0].content) == "rgby"


def test_an_animation_with_a_wrong_checksum_beside_its_frames_moves(tmp_path):
    frames = [quarters((64, 64)), quarters((64, 64)).rotate(90)]
    chunk = CHUNKS["tEXt with a wrong checksum"]
    (tmp_path / "p").write_bytes(with_chunk(chunk, False, save_all=True, append_images=frames[1:], duration=2500))
    (part,) = decode(tmp_path / "p", READING, Limits()).parts
    assert [corners(frame) for frame in part.content] == ["rgby", "rgby", "gyrb", "gyrb"]


def test_wrong_pixels_stay_wrong(tmp_path):
    data = bytearray(with_chunk(b"", False))
    data[data.index(b"IDAT") + 4] ^= 0xFF
    (tmp_path / "p").write_bytes(data)
    with pytest.raises(DamagedMedia, match="the png decoder failed"):
        decode(tmp_path / "p", READING, Limits())
