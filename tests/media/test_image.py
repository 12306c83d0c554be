"""Pictures come out upright, on white, square, whatever they went in as."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import media_files
import numpy as np
import pytest
from media_files import GREEN, RED, four_corners
from PIL import Image, ImageOps
from reading import LIMITS, READING, colour

from duretrieval.errors import DamagedMedia, LimitExceeded
from duretrieval.media.decode import decode
from duretrieval.types import Modality, Pixels

CROP, STRETCH = replace(READING, image_fit="crop"), replace(READING, image_fit="stretch")


def pixels(path: Path, reading=READING) -> Pixels:
    [part] = decode(path, reading, LIMITS).parts
    assert part.modality is Modality.IMAGE
    assert part.content.shape == (reading.image_side, reading.image_side, 3)
    assert part.content.dtype == np.uint8
    return part.content


def corners(square: Pixels) -> list[str]:
    """Colours at the middles of the four quarters of what is not margin: top left, top right, bottom left, right."""
    return [colour(square[y, x]) for y in (12, 19) for x in (8, 23)]


WRITERS: dict[str, Callable[..., Path]] = {
    ".jpg": media_files.write_jpeg,
    ".png": media_files.write_png,
    ".webp": media_files.write_webp,
    ".bmp": media_files.write_bmp,
    ".heic": media_files.write_heic,
    ".avif": media_files.write_avif,
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_shows_the_same(suffix: str, tmp_path: Path) -> None:
    path = WRITERS[suffix](tmp_path / f"a{suffix}")
    assert corners(pixels(path)) == ["red", "green", "blue", "white"]
    assert decode(path, READING, LIMITS).fields == {"kind": "image", "width": 64, "height": 48}


def test_a_name_does_not_matter(tmp_path: Path) -> None:
    assert corners(pixels(media_files.write_jpeg(tmp_path / "notes.txt"))) == ["red", "green", "blue", "white"]


def test_pad_lays_on_white(tmp_path: Path) -> None:
    square = pixels(media_files.write_png(tmp_path / "a.png", Image.new("RGB", (64, 32), RED)))
    assert (square[:8] == 255).all()
    assert (square[24:] == 255).all()
    assert colour(square[8, 0]) == colour(square[23, 31]) == "red"


def test_crop_cuts_to_the_middle(tmp_path: Path) -> None:
    picture = Image.new("RGB", (96, 32), RED)
    picture.paste(GREEN, (32, 0, 64, 32))
    square = pixels(media_files.write_png(tmp_path / "a.png", picture), CROP)
    assert {colour(square[y, x]) for y in (0, 31) for x in (0, 31)} == {"green"}


def test_stretch_squeezes(tmp_path: Path) -> None:
    square = pixels(media_files.write_png(tmp_path / "a.png", four_corners((96, 32))), STRETCH)
    assert [colour(square[y, x]) for y in (2, 29) for x in (2, 29)] == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2)])
@pytest.mark.parametrize("reading", [READING, CROP, STRETCH])
def test_odd_sizes(size: tuple[int, int], reading, tmp_path: Path) -> None:
    pixels(media_files.write_png(tmp_path / "a.png", Image.new("RGB", size, RED)), reading)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".heic", ".avif", ".tiff"])
def test_orientation(suffix: str, orientation: int, tmp_path: Path) -> None:
    """What a viewer shows, which Pillow's own `exif_transpose` makes, is what comes out."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = media_files.write_picture(tmp_path / f"a{suffix}", four_corners(), exif=exif)
    with Image.open(path) as picture:
        shown = ImageOps.exif_transpose(picture).convert("RGB")
    upright = media_files.write_png(tmp_path / "upright.png", shown)
    assert np.abs(pixels(path).astype(int) - pixels(upright)).mean() < 4
    fields = decode(path, READING, LIMITS).fields
    assert (fields["width"], fields["height"]) == shown.size


def test_orientation_6_is_a_quarter_clockwise(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = media_files.write_jpeg(tmp_path / "a.jpg", four_corners((64, 64)), exif=exif)
    assert corners(pixels(path)) == ["blue", "red", "white", "green"]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_clear_is_white(mode: str, tmp_path: Path) -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), (0, 0, 32, 64))
    if mode == "P":
        picture = Image.new("P", (64, 64), 0)
        picture.putpalette([0, 0, 0, 220, 20, 20])
        picture.paste(1, (32, 0, 64, 64))
        path = media_files.write_png(tmp_path / "a.png", picture, transparency=1)
    else:
        path = media_files.write_png(tmp_path / "a.png", clear.convert(mode))
    square = pixels(path)
    assert (colour(square[16, 4]), colour(square[16, 28])) == ("black", "white")


def test_half_clear_is_mixed_with_white(tmp_path: Path) -> None:
    path = media_files.write_png(tmp_path / "a.png", Image.new("RGBA", (8, 8), (0, 0, 0, 128)))
    assert np.abs(pixels(path).astype(int) - 127).max() <= 1


def test_cmyk(tmp_path: Path) -> None:
    path = media_files.write_jpeg(tmp_path / "a.jpg", four_corners().convert("CMYK"))
    assert corners(pixels(path)) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_few_colours(mode: str, tmp_path: Path) -> None:
    picture = Image.new("RGB", (64, 64), (255, 255, 255))
    picture.paste((0, 0, 0), (0, 0, 32, 64))
    square = pixels(media_files.write_png(tmp_path / "a.png", picture.convert(mode)))
    assert (colour(square[16, 4]), colour(square[16, 28])) == ("black", "white")


@pytest.mark.parametrize(
    ("values", "greys"),
    [
        ((0, 32768, 65535), (0, 128, 255)),
        ((0, 2048, 4095), (0, 128, 255)),
        ((0, 128, 255), (0, 128, 255)),
    ],
)
def test_sixteen_bits(values: tuple[int, ...], greys: tuple[int, ...], tmp_path: Path) -> None:
    """12 bits in 16, as scanners and microscopes write, are not all black."""
    grid = np.repeat(np.repeat(np.array([values], np.uint16), 96, axis=0), 32, axis=1)
    square = pixels(media_files.write_png(tmp_path / "a.png", Image.fromarray(grid)))
    assert [int(square[16, x, 0]) for x in (3, 16, 28)] == pytest.approx(greys, abs=2)


def test_floats(tmp_path: Path) -> None:
    grid = np.full((32, 32), 0.5, np.float32)
    grid[0, 0], grid[0, 1] = 1, np.nan
    square = pixels(media_files.write_picture(tmp_path / "a.tiff", Image.fromarray(grid)))
    assert abs(int(square[16, 16, 0]) - 128) <= 1


def test_a_large_jpeg_unpacks_small_to_the_same(tmp_path: Path) -> None:
    large = four_corners((1600, 1200))
    jpeg, png = media_files.write_jpeg(tmp_path / "a.jpg", large), media_files.write_png(tmp_path / "a.png", large)
    assert np.abs(pixels(jpeg).astype(int) - pixels(png)).mean() < 2
    assert decode(jpeg, READING, LIMITS).fields["width"] == 1600


def test_too_many_pixels_are_refused_by_the_header(tmp_path: Path) -> None:
    """The file ends after its header, so nothing can have been unpacked."""
    out = io.BytesIO()
    Image.new("1", (20_000, 15_000)).save(out, "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(out.getvalue()[:200])
    with pytest.raises(LimitExceeded, match=r"20000 x 15000 is 300 megapixels; the limit is 200 \(Limits.max_pixels\)"):
        decode(path, READING, LIMITS)


def test_a_truncated_picture_is_damaged(tmp_path: Path) -> None:
    path = media_files.write_jpeg(tmp_path / "a.jpg", four_corners((640, 480)))
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(DamagedMedia, match=r"its image decoder failed: OSError: .*truncated"):
        decode(path, READING, LIMITS)


def test_a_header_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of a picture")
    with pytest.raises(DamagedMedia, match="it begins like a picture, but its header cannot be read"):
        decode(tmp_path / "a.jpg", READING, LIMITS)


def photo(path: Path, **gps: object) -> Path:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon\0", "Canon EOS 5D"
    exif.get_ifd(0x8769).update({0x9003: "2024:05:01 12:30:00", 0x9011: "+02:00"})
    exif.get_ifd(0x8825).update({1: "S", 2: (33.0, 51.0, 36.0), 3: "W", 4: (70.0, 30.0, 0.0)} | gps)
    return media_files.write_jpeg(path, exif=exif)


def test_what_the_camera_wrote(tmp_path: Path) -> None:
    assert decode(photo(tmp_path / "a.jpg"), READING, LIMITS).fields == {
        "kind": "image",
        "width": 64,
        "height": 48,
        "camera": "Canon EOS 5D",
        "taken": datetime(2024, 5, 1, 10, 30, tzinfo=UTC),
        "lat": pytest.approx(-33.86),
        "lon": pytest.approx(-70.5),
    }


@pytest.mark.parametrize("suffix", [".png", ".webp", ".heic", ".avif", ".tiff"])
def test_cameras_of_other_formats(suffix: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0110] = "Pixel 9"
    path = media_files.write_picture(tmp_path / f"a{suffix}", exif=exif)
    assert decode(path, READING, LIMITS).fields["camera"] == "Pixel 9"


@pytest.mark.parametrize(
    ("written", "offset"),
    [
        ("0000:00:00 00:00:00", ""),
        ("0001:01:01 00:00:00", "+02:00"),
        ("9999:12:31 23:59:59", "-05:00"),
        ("1601:01:01 00:00:00", ""),
        ("yesterday", ""),
        ("2024:13:41 99:99:99", ""),
    ],
)
def test_times_that_make_no_sense_are_left_out(written: str, offset: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0110] = "Pixel 9"
    exif.get_ifd(0x8769).update({0x9003: written, 0x9011: offset})
    fields = decode(media_files.write_jpeg(tmp_path / "a.jpg", exif=exif), READING, LIMITS).fields
    assert fields == {"kind": "image", "width": 64, "height": 48, "camera": "Pixel 9"}


@pytest.mark.parametrize("offset", ["", "west", "+99:00", "12"])
def test_a_time_without_a_zone_is_utc(offset: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: "2024:05:01 12:30:00", 0x9011: offset})
    fields = decode(media_files.write_jpeg(tmp_path / "a.jpg", exif=exif), READING, LIMITS).fields
    assert fields["taken"] == datetime(2024, 5, 1, 12, 30, tzinfo=UTC)


def test_a_damaged_record_costs_its_fields_only(tmp_path: Path) -> None:
    """Every byte of the camera's record in turn: the picture comes out each time."""
    data = photo(tmp_path / "a.jpg").read_bytes()
    begin = data.index(b"Exif\0\0") + 6
    end = begin - 8 + int.from_bytes(data[begin - 8 : begin - 6])
    for place in range(begin, end, 5):
        mutant = bytearray(data)
        mutant[place] ^= 0xFF
        (tmp_path / "b.jpg").write_bytes(mutant)
        assert sorted(corners(pixels(tmp_path / "b.jpg"))) == ["blue", "green", "red", "white"]


def test_svg(tmp_path: Path) -> None:
    path = media_files.write_svg(tmp_path / "a.svg")
    square = pixels(path)
    assert (colour(square[16, 16]), colour(square[1, 1]), colour(square[16, 1])) == ("red", "white", "white")
    assert decode(path, READING, LIMITS).fields["kind"] == "image"


def test_an_svg_that_is_none(tmp_path: Path) -> None:
    path = media_files.write_text(tmp_path / "a.svg", "<svg xmlns='http://www.w3.org/2000/svg'><circle></svg>")
    with pytest.raises(DamagedMedia, match="the drawing cannot be rendered"):
        decode(path, READING, LIMITS)
