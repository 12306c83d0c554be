"""What a picture says of itself: which way up, mirrored or not, and what of it is transparent."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests.media.samples import BLUE, corners, quarters, write_picture

from duretrieval.media import Limits, decode
from duretrieval.types import Modality, Reading

READING = Reading(image_side=64)
SEEN = {1: "rgby", 2: "gryb", 3: "ybgr", 4: "byrg", 5: "rbgy", 6: "bryg", 7: "ygbr", 8: "gyrb"}
"""What `quarters` looks like by its orientation tag (Exif 2.32, 4.6.4)."""
MATRICES = {
    1: (1, 0, 0, 1), 2: (-1, 0, 0, 1), 3: (-1, 0, 0, -1), 4: (1, 0, 0, -1),
    5: (0, 1, 1, 0), 6: (0, 1, -1, 0), 7: (0, -1, -1, 0), 8: (0, -1, 1, 0),
}  # fmt: skip
"""The same as a, b, c, d of a film's matrix: (x, y) is shown at (a x + c y, b x + d y)."""


def read(path: Path):
    chunk = decode(path, READING, Limits())
    assert chunk.next is None
    return chunk


def tag(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def check(chunk, orientation: int) -> None:
    turned = orientation > 4
    assert (chunk.fields["width"], chunk.fields["height"]) == ((32, 64) if turned else (64, 32))
    frames = [frame for part in chunk.parts for frame in part.content]
    assert {corners(frame) for frame in frames} == {SEEN[orientation]}


@pytest.mark.parametrize("orientation", SEEN)
@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_animations_are_turned_as_stills_are(tmp_path, suffix, orientation):
    frames = [quarters(), quarters().point(lambda value: value * 3 // 4)]
    options = {"lossless": True} if suffix == "webp" else {}
    path = tmp_path / f"a.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=500, exif=tag(orientation), **options)
    chunk = read(path)
    assert {part.modality for part in chunk.parts} == {Modality.VIDEO}
    check(chunk, orientation)


def test_a_tag_behind_the_frames_counts(tmp_path):
    frames = [quarters(), quarters().point(lambda value: value * 3 // 4)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:], duration=500)
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[:-12] + piece(b"eXIf", tag(6)[6:]) + data[-12:])
    check(read(tmp_path / "a.png"), 6)


@pytest.mark.parametrize("orientation", [0, 9, 300])
def test_an_orientation_that_there_is_not_turns_nothing(tmp_path, orientation):
    assert (
        corners(read(write_picture(tmp_path / "p.png", quarters(), exif=tag(orientation))).parts[0].content) == "rgby"
    )


def write_film(path: Path, matrix: tuple[int, int, int, int] = (1, 0, 0, 1), frames: int = 20) -> Path:
    """`quarters`, with the matrix in the track header (ISO/IEC 14496-12, 8.3.2)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"qp": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv444p"
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_image(quarters())))
        container.mux(stream.encode())
    data = path.read_bytes()
    plain = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    a, b, c, d = (value << 16 for value in matrix)
    place = data.index(plain, data.index(b"tkhd"))
    moved = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data[:place] + moved + data[place + len(moved) :])
    return path


@pytest.mark.parametrize("orientation", MATRICES)
def test_films_are_turned_and_mirrored_as_players_do(tmp_path, orientation):
    check(read(write_film(tmp_path / "f.mp4", MATRICES[orientation])), orientation)


def test_a_film_with_transparency_lies_on_white(tmp_path):
    clear = quarters().convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 32, 16))
    with av.open(str(tmp_path / "f.mov"), "w") as container:
        stream = container.add_stream("qtrle", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "argb"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(clear), "rgba").reformat(format="argb")))
        container.mux(stream.encode())
    assert {corners(frame) for frame in read(tmp_path / "f.mov").parts[0].content} == {"wgby"}


def piece(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def write_png(
    path: Path, depth: int, colour: int, left: bytes, right: bytes, clear: bytes, palette: bytes = b""
) -> Path:
    """64 x 64: the left half of bytes `left`, the right of `right`, over and over; `clear` is the tRNS chunk."""
    samples = {0: 1, 2: 3, 3: 1}[colour]
    half = 32 * samples * depth // 8
    row = b"\0" + left * (half // len(left)) + right * (half // len(right))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + piece(b"IHDR", struct.pack(">IIBBBBB", 64, 64, depth, colour, 0, 0, 0))
        + (piece(b"PLTE", palette) if palette else b"")
        + piece(b"tRNS", clear)
        + piece(b"IDAT", zlib.compress(row * 64))
        + piece(b"IEND", b"")
    )
    return path


PALETTE = bytes([16, 32, 48, 64, 16, 16])


@pytest.mark.parametrize(
    ("depth", "colour", "left", "right", "clear", "palette", "seen"),
    [
        (1, 0, b"\x00", b"\xff", b"\0\0", b"", (255, 255, 255)),
        (1, 0, b"\xff", b"\x00", b"\0\1", b"", (0, 0, 0)),
        (2, 0, b"\x55", b"\xaa", b"\0\1", b"", (170, 170, 170)),
        (4, 0, b"\x33", b"\x44", b"\0\3", b"", (68, 68, 68)),
        (8, 0, b"\x33", b"\x44", b"\0\x33", b"", (68, 68, 68)),
        (16, 0, b"\1\x33", b"\x44\1", b"\1\x33", b"", (68, 68, 68)),
        (8, 2, b"\1\x33\5", b"\x44\1\2", b"\0\1\0\x33\0\5", b"", (68, 1, 2)),
        (16, 2, b"\1\7\x33\x08\5\x09", b"\x44\1\2\3\4\5", b"\1\7\x33\x08\5\x09", b"", (68, 2, 4)),
        (1, 3, b"\x00", b"\xff", b"\0", PALETTE, (64, 16, 16)),
        (8, 3, b"\0", b"\1", b"\0\xff", PALETTE, (64, 16, 16)),
        (8, 3, b"\1", b"\0", b"\xff\0", PALETTE[3:] + PALETTE[:3], (64, 16, 16)),
    ],
)
def test_a_transparent_colour_is_white_at_every_depth(tmp_path, depth, colour, left, right, clear, palette, seen):
    content = read(write_png(tmp_path / "p.png", depth, colour, left, right, clear, palette)).parts[0].content
    assert (content[8:56, 2:30] == 255).all()
    assert np.abs(content[8:56, 34:62].astype(int) - seen).max() <= 1


def test_half_transparent_is_half_white(tmp_path):
    content = read(write_png(tmp_path / "p.png", 8, 3, b"\0", b"\1", b"\x80", PALETTE)).parts[0].content
    assert np.abs(content[32, 8].astype(int) - [135, 143, 151]).max() <= 1


@pytest.mark.parametrize(
    "suffix", ["png", "webp", "tiff", "ico", "gif", "tga", "dds", "qoi", "sgi", "avif", "jp2", "heic"]
)
def test_transparent_is_white_in_every_format(tmp_path, suffix):
    picture = Image.new("RGBA", (64, 64), (10, 20, 30, 0))
    picture.paste((*BLUE, 255), (32, 0, 64, 64))
    assert corners(read(write_picture(tmp_path / f"p.{suffix}", picture)).parts[0].content) == "wbwb"


@pytest.mark.parametrize("mode", ["LA", "P"])
@pytest.mark.parametrize("suffix", ["png", "webp", "tga"])
def test_transparent_is_white_in_grey_and_in_palettes(tmp_path, suffix, mode):
    picture = Image.new("RGBA", (64, 64), (10, 20, 30, 0))
    picture.paste((0, 0, 0, 255), (32, 0, 64, 64))
    picture = picture.convert("LA") if mode == "LA" else picture.quantize(4)
    assert corners(read(write_picture(tmp_path / f"p.{suffix}", picture)).parts[0].content) == "wkwk"


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_transparent_frames_lie_on_white(tmp_path, suffix):
    first, second = (Image.new("RGBA", (64, 64), (0, 0, 0, 0)) for _ in range(2))
    first.paste((*BLUE, 255), (32, 0, 64, 64))
    second.paste((*BLUE, 255), (0, 0, 32, 64))
    options = {"lossless": True} if suffix == "webp" else {}
    first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[second], duration=2500, disposal=2, **options)
    (part,) = read(tmp_path / f"a.{suffix}").parts
    assert [corners(frame) for frame in part.content] == ["wbwb", "wbwb", "bwbw", "bwbw"]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_transparent_colour_in_an_animation(tmp_path, mode):
    key = 7 if mode == "L" else (7, 7, 7)
    first = Image.new("L", (64, 64), 7)
    second = first.copy()
    first.paste(0, (32, 0, 64, 64))
    second.paste(0, (0, 0, 32, 64))
    frames = [first.convert(mode), second.convert(mode)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:], duration=2500, transparency=key)
    (part,) = read(tmp_path / "a.png").parts
    assert [corners(frame) for frame in part.content] == ["wkwk", "wkwk", "kwkw", "kwkw"]
