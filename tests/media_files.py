"""Small real files with known content, made by the real encoders: pictures, sounds, films, texts and documents.

Colours and tones last `step_s` seconds each, in the order given, so that a test knows what to see and hear when.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Colour = tuple[int, int, int]
RED, GREEN, BLUE, WHITE, BLACK = (220, 20, 20), (20, 200, 20), (20, 20, 220), (255, 255, 255), (0, 0, 0)
SIZE = (64, 48)


def four_corners(size: tuple[int, int] = SIZE) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    w, h = size
    picture = Image.new("RGB", size, WHITE)
    picture.paste(RED, (0, 0, w // 2, h // 2))
    picture.paste(GREEN, (w // 2, 0, w, h // 2))
    picture.paste(BLUE, (0, h // 2, w // 2, h))
    return picture


def write_picture(path: Path, picture: Image.Image | None = None, **options: Any) -> Path:
    """Any format that Pillow (with pillow-heif) writes, by the name's suffix; `four_corners` unless given."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    (picture or four_corners()).save(path, **options)
    return path


def write_jpeg(path: Path, picture: Image.Image | None = None, **options: Any) -> Path:
    return write_picture(path, picture, format="JPEG", **{"quality": 95, "subsampling": 0} | options)


def write_png(path: Path, picture: Image.Image | None = None, **options: Any) -> Path:
    return write_picture(path, picture, format="PNG", **options)


def write_webp(path: Path, picture: Image.Image | None = None, **options: Any) -> Path:
    return write_picture(path, picture, format="WEBP", **{"lossless": True} | options)


def write_bmp(path: Path, picture: Image.Image | None = None, **options: Any) -> Path:
    return write_picture(path, picture, format="BMP", **options)


def write_heic(path: Path, picture: Image.Image | None = None, **options: Any) -> Path:
    return write_picture(path, picture, format="HEIF", **{"quality": 95} | options)


def write_avif(path: Path, picture: Image.Image | None = None, **options: Any) -> Path:
    return write_picture(path, picture, format="AVIF", **{"quality": 95} | options)


def write_tiff(path: Path, pages: Sequence[Colour] = (RED, GREEN, BLUE)) -> Path:
    """A page of each colour."""
    first, *rest = (Image.new("RGB", SIZE, colour) for colour in pages)
    first.save(path, format="TIFF", save_all=True, append_images=rest)
    return path


def write_animation(path: Path, colours: Sequence[Colour] = (RED, GREEN, BLUE), step_s: float = 1.0) -> Path:
    """GIF, PNG (APNG), WebP or AVIF, by the name's suffix."""
    first, *rest = (Image.new("RGB", SIZE, colour) for colour in colours)
    kind = {".gif": "GIF", ".png": "PNG", ".apng": "PNG", ".webp": "WEBP", ".avif": "AVIF"}[path.suffix]
    first.save(path, format=kind, save_all=True, append_images=rest, duration=round(1000 * step_s), loop=0)
    return path


def write_gif(path: Path, colours: Sequence[Colour] = (RED, GREEN, BLUE), step_s: float = 1.0) -> Path:
    return write_animation(path, colours, step_s)


def write_apng(path: Path, colours: Sequence[Colour] = (RED, GREEN, BLUE), step_s: float = 1.0) -> Path:
    return write_animation(path, colours, step_s)


def write_svg(path: Path, colour: str = "#dc1414") -> Path:
    """A disc of the colour on nothing."""
    disc = f'<circle cx="50" cy="25" r="20" fill="{colour}"/>'
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">{disc}</svg>')
    return path


def tones(
    frequencies: Sequence[float], rate: int = 44_100, step_s: float = 1.0, loudness: float = 0.5
) -> npt.NDArray[np.float32]:
    """Sines one after another, (n,) float32; a frequency of 0 is silence."""
    t = np.arange(round(rate * step_s)) / rate
    return np.concatenate([loudness * np.sin(2 * np.pi * f * t) for f in frequencies]).astype(np.float32)


def write_sound(
    path: Path,
    frequencies: Sequence[float] = (440, 880, 1320),
    step_s: float = 1.0,
    rate: int = 44_100,
    channels: int = 1,
) -> Path:
    """WAV, FLAC, OGG, MP3 (libsndfile) or M4A (FFmpeg), by the name's suffix; every channel sounds the same."""
    line = tones(frequencies, rate, step_s)
    if path.suffix in (".m4a", ".mp4", ".mov", ".mka", ".webm"):
        return write_film(path, (), frequencies, step_s, rate=rate)
    import soundfile

    with soundfile.SoundFile(path, "w", rate, channels) as sound:
        for i in range(0, len(line), rate):  # a second at a time: libsndfile's Vorbis crashes on much at once
            sound.write(np.stack([line[i : i + rate]] * channels, axis=1))
    return path


_CODECS = {".webm": ("libvpx-vp9", "libopus"), ".avi": ("mpeg4", "libmp3lame")}


def write_film(
    path: Path,
    colours: Sequence[Colour] = (RED, GREEN, BLUE),
    frequencies: Sequence[float] = (440, 880, 1320),
    step_s: float = 1.0,
    *,
    fps: float = 10,
    size: tuple[int, int] = SIZE,
    rate: int = 48_000,
    rotation: int = 0,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """MP4, MOV, MKV (H.264 and AAC), WebM (VP9 and Opus) or AVI (MPEG-4 and MP3), by the name's suffix.

    No colours: sound alone. No frequencies: no sound. rotation: degrees that a player turns it, counter-clockwise.
    options: of the muxer.
    """
    import av

    video, audio = _CODECS.get(path.suffix, ("libx264", "aac"))
    with av.open(str(path), "w", options=options or {}) as film:
        film.metadata.update(metadata or {})
        pictures = film.add_stream(video, rate=Fraction(fps).limit_denominator(1001)) if colours else None
        sound = film.add_stream(audio, rate=rate, layout="mono") if frequencies else None
        if pictures is not None:
            pictures.width, pictures.height = size
            pictures.pix_fmt = "yuv420p"
            if rotation:
                pictures.set_display_rotation(rotation)
            for i in range(round(fps * step_s * len(colours))):
                colour = colours[min(int(i / fps / step_s + 1e-9), len(colours) - 1)]
                frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), colour, np.uint8), format="rgb24")
                film.mux(pictures.encode(frame))
            film.mux(pictures.encode())
        if sound is not None:
            line = tones(frequencies, rate, step_s)
            for i in range(0, len(line), rate):
                samples = av.AudioFrame.from_ndarray(line[None, i : i + rate], format="fltp", layout="mono")
                samples.sample_rate, samples.pts = rate, i
                film.mux(sound.encode(samples))
            film.mux(sound.encode())
    return path


def write_text(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def write_markdown(path: Path) -> Path:
    return write_text(path, "# Wine\n\nGrapes are pressed.\n\n## Storage\n\n* in oak\n* in steel\n")


def write_html(path: Path, body: str = "<p>Visible words.</p>", title: str = "A page", head: str = "") -> Path:
    return write_text(path, f"<!DOCTYPE html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>")


def write_pdf(path: Path, pages: Sequence[str] = ("First page.", "Second page."), title: str = "") -> Path:
    """PDF 1.4 by hand, a line of Latin text a page; an empty line makes a page with a drawing and no text."""
    font, info = 3, 4
    objects: list[str] = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    objects.append(f"<< /Title ({title}) >>")
    kids = []
    for words in pages:
        drawn = f"BT /F1 18 Tf 40 700 Td ({words}) Tj ET" if words else "40 40 200 200 re f"
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R "
            f"/Resources << /Font << /F1 {font} 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    out, places = b"%PDF-1.4\n", []
    for number, written in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{written}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size, begin = len(objects) + 1, len(out)
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
    out += f"trailer\n<< /Size {size} /Root 1 0 R /Info {info} 0 R >>\nstartxref\n{begin}\n%%EOF\n".encode()
    path.write_bytes(out)
    return path


def write_docx(path: Path, paragraphs: Sequence[str] = ("Invoice for grapes.", "Payable in May.")) -> Path:
    """Paragraphs, and a table with the cells `Barrels` and `12`."""
    import docx

    document = docx.Document()
    for words in paragraphs:
        document.add_paragraph(words)
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Barrels", "12"
    document.save(str(path))
    return path


def write_pptx(path: Path, slides: Sequence[str] = ("Harvest", "Cellar")) -> Path:
    """A slide with each title, the first with the note `Speak slowly`."""
    import pptx

    show = pptx.Presentation()
    for words in slides:
        show.slides.add_slide(show.slide_layouts[5]).shapes.title.text = words
    show.slides[0].notes_slide.notes_text_frame.text = "Speak slowly"
    show.save(str(path))
    return path


def write_xlsx(path: Path, sheets: Sequence[str] = ("Prices", "Stock")) -> Path:
    """A sheet of each name, with a row `name of the sheet, 42`."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in sheets:
        book.create_sheet(name).append([f"row of {name}", 42])
    book.save(path)
    return path
