"""Stills of any format are pictures, whatever reads them, and last no time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests.media.samples import RED, corners, quarters, write_video
from tests.media.test_upright import write_film

from duretrieval.errors import LimitExceeded, UnsupportedMedia
from duretrieval.media import Kind, Limits, decode, sniff
from duretrieval.types import Modality, Reading

READING = Reading(image_side=64)


def check(path: Path, seen: str = "rgby") -> None:
    """A picture of `quarters` and nothing else, under a name that says nothing and one that lies."""
    for name in ("name", "name.txt", "name.mp4"):
        chunk = decode(path.rename(path.with_name(name)), READING, Limits())
        path = path.with_name(name)
        (part,) = chunk.parts
        assert (part.modality, part.start_s, part.end_s, chunk.next) == (Modality.IMAGE, None, None, None)
        assert chunk.fields == {"kind": "image", "width": 160, "height": 80}
        assert corners(part.content) == seen


@pytest.mark.parametrize(
    "suffix", ["dds", "pcx", "tga", "sgi", "qoi", "dib", "ppm", "bmp", "tiff", "jp2", "j2k", "jpg"]
)
def test_what_pillow_reads(tmp_path, suffix):
    quarters((160, 80)).save(tmp_path / f"p.{suffix}")
    check(tmp_path / f"p.{suffix}")


MODES = {"tga": "L1P", "pcx": "L1P", "sgi": "L", "tiff": "L1PF", "bmp": "L1P", "dds": "L", "pgm": "L"}
MODES |= {"pbm": "1", "xbm": "1", "msp": "1", "pfm": "F"}


@pytest.mark.parametrize(("suffix", "mode"), [(suffix, mode) for suffix, modes in MODES.items() for mode in modes])
def test_other_modes(tmp_path, suffix, mode):
    picture = Image.new("L", (160, 80), 0)
    picture.paste(255, (80, 0, 160, 80))
    (picture.quantize(4) if mode == "P" else picture.convert(mode)).save(tmp_path / f"p.{suffix}")
    check(tmp_path / f"p.{suffix}", "kwkw")


def test_icons_of_a_mac(tmp_path):
    quarters((256, 256)).save(tmp_path / "p.icns")
    chunk = decode(tmp_path / "p.icns", READING, Limits())
    assert (chunk.fields["kind"], corners(chunk.parts[0].content)) == ("image", "rgby")


def test_a_pixmap_in_words(tmp_path):
    rows = ["a" * 80 + "b" * 80] * 40 + ["c" * 80 + "d" * 80] * 40
    colours = ['"a c #ff0000"', '"b c #00ff00"', '"c c #0000ff"', '"d c #ffff00"']
    lines = ['"160 80 4 1"', *colours, *(f'"{row}"' for row in rows)]
    (tmp_path / "p.xpm").write_text("/* XPM */\nstatic char *p[] = {\n" + ",\n".join(lines) + "\n};\n")
    check(tmp_path / "p.xpm")


@pytest.mark.parametrize(
    ("codec", "form"),
    [
        *(("dpx", "rgb24"), ("exr", "gbrpf32le"), ("hdr", "gbrpf32le"), ("jpegls", "rgb24"), ("pam", "rgb24")),
        *(("pfm", "gbrpf32le"), ("xwd", "rgb24"), ("sgi", "rgb24"), ("pcx", "rgb24"), ("targa", "bgr24")),
        *(("qoi", "rgb24"), ("alias_pix", "bgr24"), ("ppm", "rgb24"), ("tiff", "rgb24"), ("bmp", "bgr24")),
    ],
)
def test_what_ffmpeg_writes(tmp_path, codec, form):
    (tmp_path / "p").write_bytes(encode(codec, form, np.asarray(quarters((160, 80)))))
    check(tmp_path / "p")


def encode(codec: str, form: str, pixels: np.ndarray) -> bytes:
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 160, 80, form, Fraction(1, 25)
    source = form if pixels.dtype == np.float32 else "rgb24"
    frame = av.VideoFrame.from_ndarray(pixels, source).reformat(format=form)
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


@pytest.mark.parametrize("codec", ["exr", "hdr"])
def test_light_is_shown_as_screens_show_it(tmp_path, codec):
    """A fifth of the light of white is a brightness of 124 of 255 (sRGB); more light than white is white."""
    light = np.full((80, 160, 3), 0.2, np.float32)
    light[:, 80:] = 3
    (tmp_path / "p").write_bytes(encode(codec, "gbrpf32le", light))
    content = decode(tmp_path / "p", READING, Limits()).parts[0].content
    assert np.abs(content[32, 8].astype(int) - 124).max() <= 1
    assert (content[32, 56] == 255).all()


def test_a_film_of_one_frame_is_a_picture(tmp_path):
    path = write_film(tmp_path / "f.mp4", frames=1)
    chunk = decode(path, READING, Limits())
    assert chunk.fields == {"kind": "image", "width": 64, "height": 32}
    assert [(part.modality, corners(part.content)) for part in chunk.parts] == [(Modality.IMAGE, "rgby")]
    assert decode(write_film(path, frames=2), READING, Limits()).fields["kind"] == "video"


def test_a_film_of_one_frame_with_sound_is_a_film(tmp_path):
    assert decode(write_video(tmp_path / "f.mkv", 1, fps=1), READING, Limits()).fields["kind"] == "video"


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animation_of_one_frame_is_a_picture(tmp_path, suffix):
    quarters((160, 80)).save(tmp_path / f"p.{suffix}", save_all=True, duration=500)
    fields = decode(tmp_path / f"p.{suffix}", READING, Limits()).fields
    assert fields == {"kind": "image", "width": 160, "height": 80}


def test_limits(tmp_path):
    (tmp_path / "p").write_bytes(encode("dpx", "rgb24", np.asarray(quarters((160, 80)))))
    with pytest.raises(LimitExceeded, match=r"12,800 pixels, above the limit of 12,000; raise `max_pixels`"):
        decode(tmp_path / "p", READING, Limits(max_pixels=12_000))


TEXT = "One line of a log.\n二行目の記録。\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode() + b"\0",
        b"\0" + TEXT.encode(),
        TEXT.encode().replace(b".", b".\0"),
        TEXT.encode() * 20 + bytes(1000) + TEXT.encode() * 20,
        TEXT.encode().ljust(4000, b"\0"),
        "一行日志。\n".encode("gb18030") * 30 + b"\0" + "一行日志。\n".encode("gb18030") * 30,
    ],
)
@pytest.mark.parametrize("name", ["t", "t.txt", "t.bin", "t.nfo", "t.mp4"])
def test_text_with_stray_nuls_is_text(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    chunk = decode(tmp_path / name, READING, Limits())
    assert chunk.fields["kind"] == "text"
    assert "\0" not in "".join(part.content for part in chunk.parts)


@pytest.mark.parametrize("name", ["t.txt", "t.nfo", "t.bin", "t.adf", "t.yuv", "t.pcx", "t.tga"])
def test_what_is_known_by_its_name_alone_is_not_known(tmp_path, name):
    (tmp_path / name).write_bytes(np.random.default_rng(3).bytes(5000))
    with pytest.raises(UnsupportedMedia, match="nothing here reads this kind of file"):
        decode(tmp_path / name, READING, Limits())


@pytest.mark.parametrize(
    "text", ["DDS and what it means", "qoif", "icns", "SDPX", "#define width of a fish", "BLP1 is"]
)
def test_words_that_begin_as_a_still_does(text):
    assert sniff(text.encode()) is Kind.TEXT


def test_red_is_red_in_a_targa_without_alpha(tmp_path):
    Image.new("RGB", (160, 80), RED).save(tmp_path / "p.tga", rle=True)
    check(tmp_path / "p.tga", "rrrr")


def test_a_film_of_one_frame_is_a_picture_however_long_it_is_shown(tmp_path):
    for seconds in (1, 30, 1_000):
        path = tmp_path / f"{seconds}.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mjpeg", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 200, np.uint8), "rgb24")
            for packet in [*stream.encode(frame), *stream.encode()]:
                packet.duration = round(seconds / packet.time_base)
                container.mux(packet)
        chunk = decode(path, Reading(), Limits())
        assert [part.modality for part in chunk.parts] == [Modality.IMAGE]
        assert (chunk.fields["kind"], chunk.next) == ("image", None)


def test_the_last_frame_of_a_film_is_there_for_as_long_as_it_is_shown(tmp_path):
    with av.open(str(tmp_path / "f.mkv"), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number in range(2):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 200 * number, np.uint8), "rgb24")
            for packet in stream.encode(frame):
                packet.duration = round((400 if number else 0.04) / packet.time_base)
                container.mux(packet)
    found, start = [], None
    while start is not None or not found:
        chunk = decode(tmp_path / "f.mkv", Reading(image_side=16), Limits(), start)
        found, start = [*found, *chunk.parts], chunk.next
    assert [part.start_s for part in found] == [5.0 * n for n in range(80)]
    assert found[-1].end_s == pytest.approx(400.04, abs=0.1)
    assert all(part.content[-1].mean() > 150 for part in found)
