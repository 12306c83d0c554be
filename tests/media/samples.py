"""Small real files with known content, by real encoders. Colours and tones tell the seconds apart."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pillow_heif
import pytest
import soundfile
from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
YELLOW = (255, 255, 0)
COLOURS = (RED, GREEN, BLUE)
LETTERS = {"r": RED, "g": GREEN, "b": BLUE, "y": YELLOW, "w": WHITE, "k": (0, 0, 0)}
TONES = (440.0, 880.0, 1760.0)


def halves(left=RED, right=BLUE, size=(64, 32)) -> Image.Image:
    """Left half one colour, right half another."""
    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


def quarters(size=(64, 32)) -> Image.Image:
    """Red and green above, blue and yellow below: every turn and mirroring looks different."""
    image, (w, h) = Image.new("RGB", size, RED), size
    image.paste(GREEN, (w // 2, 0, w, h // 2))
    image.paste(BLUE, (0, h // 2, w // 2, h))
    image.paste(YELLOW, (w // 2, h // 2, w, h))
    return image


def corners(pixels: np.ndarray) -> str:
    """The colours of a square's four quarters, top left first, a letter each: "rgby" for `quarters`."""
    side = len(pixels)
    near, far = side * 3 // 8, side * 5 // 8  # a picture twice as long as high reaches so far from the middle
    spots = [pixels[y, x].astype(int) for y in (near, far) for x in (near, far)]
    return "".join(min(LETTERS, key=lambda c: np.abs(spot - LETTERS[c]).sum()) for spot in spots)


def write_picture(path: Path, image: Image.Image | None = None, **options) -> Path:
    """Any format Pillow writes, by the path's suffix."""
    image = image or halves()
    if path.suffix in (".heic", ".heif"):
        pillow_heif.from_pillow(image).save(path, quality=90, **options)
    else:
        image.save(path, **options)
    return path


def write_animation(path: Path, colours: Sequence = COLOURS, ms: int = 2000, size=(32, 32)) -> Path:
    """A frame a colour, each on screen for `ms`; GIF, WebP, PNG or AVIF by suffix."""
    first, *rest = [Image.new("RGB", size, colour) for colour in colours]
    options = {"lossless": True} if path.suffix == ".webp" else {}
    first.save(path, save_all=True, append_images=rest, duration=ms, loop=0, **options)
    return path


def chunks_of(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Chunks of so many seconds at most in this process, for several in a file that is soon made."""
    for module in ("sampling", "sound"):
        monkeypatch.setattr(f"duretrieval.media.{module}.CHUNK_S", seconds)


def tone(seconds: float, rate: int, tones: Sequence[float] = TONES, each_s: float = 5.0) -> np.ndarray:
    """(samples,) float32: tone k while t is in [k each_s, (k + 1) each_s), over and over."""
    t = np.arange(round(seconds * rate)) / rate
    frequency = np.asarray(tones)[(t // each_s).astype(int) % len(tones)]
    return (0.5 * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def write_wave(path: Path, seconds: float = 12, rate: int = 44_100, samples: np.ndarray | None = None) -> Path:
    """WAV, FLAC or Ogg Vorbis, by suffix."""
    soundfile.write(path, tone(seconds, rate) if samples is None else samples, rate)
    return path


def write_sound(path: Path, codec: str, seconds: float = 12, rate: int = 48_000, tags: dict | None = None) -> Path:
    """MP3, M4A, Opus ... through FFmpeg, stereo."""
    with av.open(str(path), "w") as container:
        container.metadata.update(tags or {})
        stream = container.add_stream(codec, rate=rate, layout="stereo")
        for packet in _sound_packets(stream, tone(seconds, rate), rate):
            container.mux(packet)
    return path


def write_video(
    path: Path,
    seconds: float = 12,
    fps: int = 10,
    size=(64, 48),
    video: str | None = "libx264",
    audio: str | None = "aac",
    each_s: float = 5.0,
    rotation: int = 0,
    samples: np.ndarray | None = None,
    tags: dict | None = None,
    gop: int = 20,
    options: dict | None = None,
) -> Path:
    """Red, green, blue for `each_s` seconds each with the tones of `tone`, over and over."""
    rate = 48_000
    with av.open(str(path), "w", options=options or {}) as container:
        container.metadata.update(tags or {})
        pictures = container.add_stream(video, rate=fps) if video else None
        sound = container.add_stream(audio, rate=rate, layout="stereo") if audio else None
        if pictures:
            pictures.width, pictures.height = size
            pictures.pix_fmt = "yuv420p"
            pictures.codec_context.gop_size = gop
            if rotation:
                pictures.set_display_rotation(rotation)
            for number in range(round(seconds * fps)):
                colour = COLOURS[int(number / fps // each_s) % 3]
                frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), colour, np.uint8), "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, fps)
                container.mux(pictures.encode(frame))
            container.mux(pictures.encode())
        if sound:
            heard = tone(seconds, rate, each_s=each_s) if samples is None else samples
            for packet in _sound_packets(sound, heard, rate):
                container.mux(packet)
    return path


def write_pdf(path: Path, pages: Sequence[str], title: str = "") -> Path:
    """A PDF by hand, in a font that every reader knows the characters of (Adobe-GB1), lines as given."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>"
        % (b" ".join(b"%d 0 R" % (6 + 2 * i) for i in range(len(pages))), len(pages)),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H /DescendantFonts [4 0 R] >>",
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /CIDSystemInfo "
        b"<< /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> >>",
        b"<< /Title <feff%s> >>" % title.encode("utf-16-be").hex().encode(),
    ]
    for i, text in enumerate(pages):
        lines = b" T* ".join(b"<%s> Tj" % line.encode("utf-16-be").hex().encode() for line in text.split("\n"))
        content = b"BT /F1 12 Tf 14 TL 50 780 Td %s ET" % lines if text else b""
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % (7 + 2 * i)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    data, offsets = b"%PDF-1.5\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    path.write_bytes(
        data
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
        + b"trailer << /Size %d /Root 1 0 R /Info 5 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(data))
    )
    return path


def write_docx(path: Path, paragraphs: Sequence[str], table: Sequence[Sequence[str]] = ()) -> Path:
    import docx

    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if table:
        grid = document.add_table(len(table), len(table[0]))
        for row, values in zip(grid.rows, table, strict=True):
            for cell, value in zip(row.cells, values, strict=True):
                cell.text = value
    document.save(str(path))
    return path


def write_pptx(path: Path, slides: Sequence[str]) -> Path:
    import pptx

    deck = pptx.Presentation()
    for text in slides:
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = text
    deck.save(str(path))
    return path


def write_xlsx(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    book.close()
    return path


def _sound_packets(stream, samples: np.ndarray, rate: int):
    for start in range(0, len(samples), 1024):
        piece = samples[start : start + 1024]
        frame = av.AudioFrame.from_ndarray(np.stack([piece, piece]), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        yield from stream.encode(frame)
    yield from stream.encode()
