"""Damaged files of every format, through real decoding processes: each gives parts or a reason, and harms no other."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import media_files
import numpy as np
import pytest
from media_files import RED
from PIL import Image
from reading import LIMITS, READING, colours

from duretrieval.errors import MediaError, MissingExtra
from duretrieval.media.decode import Chunk
from duretrieval.media.pool import DecoderPool
from duretrieval.types import Part

WRITERS: dict[str, Callable[[Path], Path]] = {
    "jpg": media_files.write_jpeg,
    "png": media_files.write_png,
    "webp": media_files.write_webp,
    "gif": media_files.write_gif,
    "apng": media_files.write_apng,
    "tiff": media_files.write_tiff,
    "bmp": media_files.write_bmp,
    "heic": media_files.write_heic,
    "avif": media_files.write_avif,
    "svg": media_files.write_svg,
    "txt": lambda path: media_files.write_text(path, "狗是人类的好朋友。" * 50, "gb18030"),
    "html": lambda path: media_files.write_html(path, "<p>Visible words.</p>" * 20),
    "pdf": media_files.write_pdf,
    "docx": media_files.write_docx,
    "pptx": media_files.write_pptx,
    "xlsx": media_files.write_xlsx,
    "wav": media_files.write_sound,
    "flac": media_files.write_sound,
    "ogg": media_files.write_sound,
    "mp3": media_files.write_sound,
    "m4a": media_files.write_sound,
    "mp4": media_files.write_film,
    "mkv": media_files.write_film,
    "webm": media_files.write_film,
    "avi": media_files.write_film,
}
LENGTHS = (0.002, 0.02, 0.2, 0.5, 0.9, 0.999)
FLIPS = 8


def mutants(data: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    """Truncations, then wrong bits in the header, anywhere, and in a burst; then bytes left out and put in twice."""
    for share in LENGTHS:
        yield data[: max(1, int(len(data) * share))]
    for i in range(FLIPS):
        mutant = bytearray(data)
        reach = min(len(data), 512) if i % 2 else len(data)
        for place in rng.integers(0, reach, 1 + 4 * (i // 2)):
            mutant[place] ^= 1 << int(rng.integers(8))
        yield bytes(mutant)
    middle = int(rng.integers(len(data)))
    yield data[:middle] + rng.bytes(200) + data[middle + 200 :]
    yield data[:middle] + data[middle + 100 :]
    yield data[:middle] + data[max(0, middle - 100) :]


def settled(answer: Future[Chunk]) -> Chunk | MediaError | MissingExtra:
    try:
        return answer.result(120)
    except (MediaError, MissingExtra) as error:
        return error


def is_sound(part: Part) -> bool:
    """A part as the encoders are promised it."""
    content = part.content
    if isinstance(content, str):
        return bool(content.strip())
    assert isinstance(content, np.ndarray)
    shape = (READING.image_side, READING.image_side, 3)
    if content.dtype == np.uint8:
        return content.shape[-3:] == shape and content.ndim in (3, 4) and len(content) > 0
    return content.dtype == np.float32 and content.ndim == 1 and len(content) > 0 and bool(np.isfinite(content).all())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_mutants_of_every_format(seed: int, tmp_path: Path) -> None:
    """17 of each of 25 formats; a good picture after every ten comes out right each time."""
    rng = np.random.default_rng(seed)
    good = media_files.write_png(tmp_path / "good.png", Image.new("RGB", (40, 40), RED))
    files: list[Path] = []
    for name, write in WRITERS.items():
        whole = write(tmp_path / f"whole.{name}").read_bytes()
        for i, mutant in enumerate(mutants(whole, rng)):
            files.append(tmp_path / f"{name}{i}.{name}")
            files[-1].write_bytes(mutant)
    assert len(files) >= 200
    found: dict[str, Chunk | MediaError | MissingExtra] = {}
    with DecoderPool(READING, LIMITS, workers=2) as pool:
        answers, beside = {}, []
        for i, file in enumerate(files):
            answers[file.name] = pool.submit(file)
            if i % 10 == 9:
                beside.append(pool.submit(good))
        found = {name: settled(answer) for name, answer in answers.items()}
        for answer in beside:
            assert [colours(part) for part in answer.result(120).parts] == [["red"]]
    for name, outcome in found.items():
        if isinstance(outcome, Chunk):
            assert outcome.parts, name
            assert all(is_sound(part) for part in outcome.parts), name
            assert outcome.fields["kind"], name
        else:
            assert str(outcome), name
    assert any(isinstance(outcome, Chunk) for outcome in found.values())
    assert any(isinstance(outcome, MediaError) for outcome in found.values())
