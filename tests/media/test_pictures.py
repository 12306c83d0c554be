"""Pictures: what stands where, upright, on white, with what the camera wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.media.samples import BLUE, GREEN, RED, WHITE, halves, write_animation, write_picture

from duretrieval.errors import DamagedMedia, LimitExceeded, UnsupportedMedia
from duretrieval.media import Limits, decode
from duretrieval.types import Modality, Reading

READING = Reading(image_side=64)
LIMITS = Limits()
SIDES = {"left": (32, 8), "right": (32, 56), "top": (8, 32), "bottom": (56, 32)}


def look(pixels: np.ndarray, place: str) -> tuple[int, ...]:
    """The pure colour nearest to what is there."""
    seen = pixels[SIDES[place]].astype(int)
    return min((RED, GREEN, BLUE, WHITE), key=lambda colour: np.abs(seen - colour).sum())


def read(path: Path, reading: Reading = READING, limits: Limits = LIMITS):
    chunk = decode(path, reading, limits)
    assert chunk.next is None
    return chunk


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "tiff", "bmp", "heic", "avif", "jp2", "ppm", "ico"])
def test_every_format_under_a_wrong_name_gives_an_upright_square(tmp_path, suffix):
    path = write_picture(tmp_path / f"p.{suffix}").rename(tmp_path / "name.txt")
    (part,) = read(path).parts
    assert part.modality is Modality.IMAGE
    assert part.content.shape == (64, 64, 3)
    assert part.content.dtype == np.uint8
    assert [look(part.content, place) for place in SIDES] == [RED, BLUE, WHITE, WHITE]


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize(
    ("orientation", "seen"),
    [(1, "left"), (2, "right"), (3, "right"), (4, "left"), (5, "top"), (6, "top"), (7, "bottom"), (8, "bottom")],
)
def test_orientation(tmp_path, orientation, seen, suffix):
    tags = Image.Exif()
    tags[0x0112] = orientation
    chunk = read(write_picture(tmp_path / f"p.{suffix}", exif=tags))
    assert look(chunk.parts[0].content, seen) == RED
    turned = orientation > 4
    assert (chunk.fields["width"], chunk.fields["height"]) == ((32, 64) if turned else (64, 32))


def test_what_the_camera_wrote(tmp_path):
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "Canon", "Canon EOS R5"
    tags[0x8769] = {0x9003: "2024:05:01 12:30:00", 0x9011: "+02:00"}
    tags[0x8825] = {1: "S", 2: (31.0, 14.0, 24.0), 3: "W", 4: (121.0, 30.0, 0.0)}
    fields = read(write_picture(tmp_path / "p.jpg", exif=tags)).fields
    assert fields["camera"] == "Canon EOS R5"
    assert fields["taken"] == datetime(2024, 5, 1, 10, 30, tzinfo=UTC)
    assert fields["lat"] == pytest.approx(-31.24)
    assert fields["lon"] == pytest.approx(-121.5)


@pytest.mark.parametrize(
    ("written", "offset"),
    [("0001:01:01 00:00:00", "+02:00"), ("9999:12:31 23:59:59", "-05:00"), ("0000:00:00 00:00:00", ""), ("soon", "")],
)
def test_a_time_that_makes_no_sense_costs_nothing_else(tmp_path, written, offset):
    tags = Image.Exif()
    tags[0x0110] = "Pixel 9"
    tags[0x8769] = {0x9003: written, 0x9011: offset}
    fields = read(write_picture(tmp_path / "p.jpg", exif=tags)).fields
    assert fields == {"kind": "image", "width": fields["width"], "height": fields["height"], "camera": "Pixel 9"}


def test_a_damaged_record_of_the_camera_costs_nothing_else(tmp_path):
    """Every few bytes of it in turn."""
    tags = Image.Exif()
    tags[0x0110] = "Pixel 9"
    tags[0x8769] = {0x9003: "2024:05:01 12:30:00"}
    data = write_picture(tmp_path / "p.jpg", exif=tags).read_bytes()
    begin = data.index(b"Exif\0\0") + 6
    end = begin - 8 + int.from_bytes(data[begin - 8 : begin - 6])
    for place in range(begin, end, 3):
        (tmp_path / "p.jpg").write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        assert read(tmp_path / "p.jpg").parts


def test_transparent_is_white(tmp_path):
    clear = halves().convert("RGBA")
    clear.putalpha(0)
    assert (read(write_picture(tmp_path / "p.png", clear)).parts[0].content == 255).all()


@pytest.mark.parametrize("mode", ["CMYK", "P", "L", "1", "LA", "PA"])
def test_modes(tmp_path, mode):
    picture = Image.new("L", (64, 64), 0).convert(mode)
    suffix = {"CMYK": "jpg", "PA": "webp"}.get(mode, "png")
    assert read(write_picture(tmp_path / f"p.{suffix}", picture)).parts[0].content.mean() < 10


def test_16_bits_keep_their_brightness(tmp_path):
    picture = Image.fromarray(np.full((64, 64), 128 * 257, np.uint16))
    assert np.abs(read(write_picture(tmp_path / "p.png", picture)).parts[0].content.astype(int) - 128).max() <= 1


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_fewer_bits_in_16_are_not_black(tmp_path, bits):
    picture = np.full((64, 64), 2 ** (bits - 1), np.uint16)
    picture[0, 0] = 2**bits - 1
    content = read(write_picture(tmp_path / "p.png", Image.fromarray(picture))).parts[0].content
    assert np.abs(content[8:, 8:].astype(int) - 128).max() <= 1


@pytest.mark.parametrize(("fit", "top"), [("pad", WHITE), ("crop", RED), ("stretch", RED)])
def test_image_fit(tmp_path, fit, top):
    path = write_picture(tmp_path / "p.png", halves(RED, RED))
    assert look(read(path, Reading(image_side=64, image_fit=fit)).parts[0].content, "top") == top


def test_a_line_one_pixel_high_is_no_trouble(tmp_path):
    path = write_picture(tmp_path / "p.png", Image.new("RGB", (5000, 1), RED))
    for fit in ("pad", "crop", "stretch"):
        assert read(path, Reading(image_side=64, image_fit=fit)).parts[0].content.shape == (64, 64, 3)


def test_too_many_pixels_are_refused_by_the_header(tmp_path):
    path = write_picture(tmp_path / "p.png")
    path.write_bytes(path.read_bytes()[:60])  # the header is whole, the pixels are missing
    with pytest.raises(LimitExceeded, match=r"2,048 pixels, above the limit of 2,000; raise `max_pixels`"):
        read(path, limits=Limits(max_pixels=2000))


def test_pages_of_a_tiff(tmp_path):
    first, *rest = [Image.new("RGB", (64, 64), colour) for colour in (RED, GREEN, BLUE)]
    first.save(tmp_path / "p.tiff", save_all=True, append_images=rest)
    chunk = read(tmp_path / "p.tiff")
    assert [(part.page, look(part.content, "top")) for part in chunk.parts] == [(1, RED), (2, GREEN), (3, BLUE)]
    assert chunk.fields["pages"] == 3
    with pytest.raises(LimitExceeded, match="3 pages, above the limit of 2; raise `max_pages`"):
        read(tmp_path / "p.tiff", limits=Limits(max_pages=2))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "avif"])
def test_an_animation_is_a_film_timed_by_its_frames(tmp_path, suffix):
    chunk = read(write_animation(tmp_path / f"a.{suffix}", ms=2000))  # red to 2 s, green to 4 s, blue to 6 s
    assert [(p.modality, p.start_s, p.end_s) for p in chunk.parts] == [
        (Modality.VIDEO, 0, 5),
        (Modality.VIDEO, 5, 6),
    ]
    assert [look(f, "top") for part in chunk.parts for f in part.content] == [RED, RED, GREEN, BLUE, BLUE]
    assert (chunk.fields["kind"], chunk.fields["seconds"]) == ("video", 6)


def test_a_long_animation_comes_in_chunks(tmp_path):
    path = write_animation(tmp_path / "a.gif", [RED, GREEN, BLUE] * 10, ms=5000)  # 150 s
    parts, start = [], None
    while start is not None or not parts:
        chunk = decode(path, READING, Limits(), start)
        parts, start = [*parts, *chunk.parts], chunk.next
    assert [look(part.content[0], "top") for part in parts] == [RED, GREEN, BLUE] * 10
    assert [part.start_s for part in parts] == [5.0 * n for n in range(30)]
    with pytest.raises(LimitExceeded, match="above the limit of 100; raise `max_seconds`"):
        read(path, limits=Limits(max_seconds=100))


DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {size}>'
    '<title>Half</title><rect width="50" height="100" fill="red"/>{more}</svg>'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_svg(tmp_path, encoding):
    prolog = '<?xml version="1.0"?><!-- ' + "long " * 300 + "-->"
    path = tmp_path / "d"
    path.write_text(prolog + DRAWING.format(size='viewBox="0 0 100 100"', more=""), encoding=encoding)
    chunk = read(path)
    assert [look(chunk.parts[0].content, place) for place in ("left", "right")] == [RED, WHITE]
    assert chunk.fields == {"kind": "image", "width": 100, "height": 100, "title": "Half"}


@pytest.mark.parametrize(
    "length", ["100", "100px", "75pt", "6.25pc", "1.0416667in", "2.6458333cm", "26.458333mm", "6.25em"]
)
def test_svg_in_any_unit_of_length(tmp_path, length):
    (tmp_path / "d").write_text(DRAWING.format(size=f'width="{length}" height="{length}"', more=""))
    chunk = read(tmp_path / "d")
    assert [look(chunk.parts[0].content, place) for place in ("left", "right")] == [RED, WHITE]
    assert (chunk.fields["width"], chunk.fields["height"]) == (100, 100)


def test_svg_of_absurd_height_is_rendered_small(tmp_path):
    (tmp_path / "d").write_text(DRAWING.format(size='viewBox="0 0 10 400000"', more=""))
    assert read(tmp_path / "d").parts[0].content.shape == (64, 64, 3)


@pytest.mark.parametrize("name", ["xlink:href", "href", "HREF"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_svg_does_not_show_other_files(tmp_path, name, quote):
    secret = write_picture(tmp_path / "secret.png", Image.new("RGB", (10, 10), BLUE))
    box = f'<image x="50" width="50" height="100" preserveAspectRatio="none" {name}={quote}{secret}{quote}/>'
    (tmp_path / "d").write_text(DRAWING.format(size='viewBox="0 0 100 100"', more=box))
    assert look(read(tmp_path / "d").parts[0].content, "right") == WHITE


def test_svg_with_markup_in_entities_is_refused(tmp_path):
    (tmp_path / "d").write_text(
        "<!DOCTYPE svg [<!ENTITY a '<image &#104;ref=\"x.png\"/>'>]>" + DRAWING.format(size="", more="&a;")
    )
    with pytest.raises(UnsupportedMedia, match="XML entities that hold markup"):
        read(tmp_path / "d")


def test_a_broken_svg_says_so(tmp_path):
    (tmp_path / "d").write_text("<svg xmlns='http://www.w3.org/2000/svg'><rect></svg>")
    with pytest.raises(DamagedMedia, match="the drawing cannot be rendered"):
        read(tmp_path / "d")


def test_a_broken_header_says_so(tmp_path):
    (tmp_path / "p").write_bytes(b"\xff\xd8\xff" + b"x" * 50)
    with pytest.raises(DamagedMedia, match="begins as jpeg does but its header is broken"):
        read(tmp_path / "p")


def test_a_cut_picture_says_so_without_its_path(tmp_path):
    path = write_picture(tmp_path / "p.jpg", halves(size=(640, 320)))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DamagedMedia, match=r"the jpeg decoder failed: .*truncated") as raised:
        read(path)
    assert "p.jpg" not in str(raised.value)
