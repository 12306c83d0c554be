"""Damaged files of every format, through the real pool: parts or a reason, and good files unharmed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.media.samples import (
    halves,
    write_animation,
    write_docx,
    write_pdf,
    write_picture,
    write_pptx,
    write_sound,
    write_video,
    write_wave,
    write_xlsx,
)  # fmt: skip

from duretrieval.collection.collection import Collection
from duretrieval.errors import MediaError
from duretrieval.media import DecoderPool, Limits, decode
from duretrieval.model.model import Model
from duretrieval.types import Reading

PER_FORMAT = 10


def good_files(folder: Path) -> list[Path]:
    """One small file of each format."""
    picture = halves(size=(160, 120))
    stills = ("jpg", "png", "webp", "gif", "tiff", "bmp", "heic", "avif", "jp2", "ico")
    still = [write_picture(folder / f"p.{suffix}", picture) for suffix in stills]
    moving = [write_animation(folder / f"a.{s}", ms=300) for s in ["gif", "webp", "png", "avif"]]
    (folder / "d.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="5"/></svg>')
    (folder / "t.html").write_text("<html><body><p>" + "Some words. " * 50 + "</body></html>")
    (folder / "t.txt").write_text("一些中文文字。" * 50, encoding="gb18030")
    (folder / "m.eml").write_bytes(
        b"From: a@b\r\nMIME-Version: 1.0\r\nSubject: =?utf-8?B?6aaZ?=\r\n\r\n" + b"Words. " * 50
    )
    (folder / "m.mbox").write_bytes(b"From a Mon Jan  1 10:00:00 2024\nTo: b\nMessage-ID: 1\n\nWords.\n\n" * 3)
    documents = [
        write_pdf(folder / "d.pdf", ["One page.", "第二页。"]),
        write_docx(folder / "d.docx", ["One."]),
        write_pptx(folder / "d.pptx", ["One."]),
        write_xlsx(folder / "d.xlsx", {"S": [["a", 1]]}),
    ]
    sounds = [write_wave(folder / f"s.{s}", 2) for s in ["wav", "flac", "ogg"]]
    sounds += [
        write_sound(folder / f"s.{s}", c, 2) for s, c in (("mp3", "libmp3lame"), ("m4a", "aac"), ("opus", "libopus"))
    ]
    films = [
        write_video(folder / f"f.{s}", 2, video=v, audio=a, fps=f)
        for s, v, a, f in (
            ("mp4", "libx264", "aac", 10),
            ("mkv", "libx264", "aac", 10),
            ("webm", "libvpx-vp9", "libopus", 10),
            ("avi", "mpeg4", "libmp3lame", 10),
            ("ts", "mpeg2video", "mp2", 25),
        )
    ]
    return [
        *still,
        *moving,
        *(folder / n for n in ("d.svg", "t.html", "t.txt", "m.eml", "m.mbox")),
        *documents,
        *sounds,
        *films,
    ]


def mutant(data: bytes, rng: np.random.Generator, number: int) -> bytes:
    """Cut short, bits flipped near the head, bits flipped anywhere, or a stretch of noise: by turns."""
    changed = bytearray(data)
    if number % 4 == 0:
        return bytes(changed[: int(rng.integers(1, len(data)))])
    reach = min(len(data), 600) if number % 4 == 1 else len(data)
    if number % 4 == 3:
        at = int(rng.integers(0, reach))
        changed[at : at + 64] = rng.bytes(64)
        return bytes(changed)
    for place in rng.integers(0, reach, max(2, reach // 200)):
        changed[place] ^= 1 << int(rng.integers(0, 8))
    return bytes(changed)


def write_mutants(originals: list[Path], folder: Path) -> list[Path]:
    """`PER_FORMAT` mutants of each file, always the same ones."""
    rng = np.random.default_rng(20240501)
    folder.mkdir()
    mutants = []
    for original in originals:
        for number in range(PER_FORMAT):
            path = folder / f"{original.name}.{number}"
            path.write_bytes(mutant(original.read_bytes(), rng, number))
            mutants.append(path)
    assert len(mutants) >= 200
    return mutants


@pytest.mark.slow
def test_mutants_are_indexed_without_a_crash_and_shift_no_other_file(tmp_path):
    (tmp_path / "good").mkdir()
    originals = good_files(tmp_path / "good")
    mutants = write_mutants(originals, tmp_path / "mutants")
    model = Model.load("builtin")
    with Collection.open(tmp_path / "collection", model) as collection:
        report = collection.add([tmp_path / "mutants", tmp_path / "good"])
        assert report.indexed == len(mutants) + len(originals)
        assert collection.verify() == []
        items = {Path(item.source): item for item in collection.items()}
        assert set(items) == {*mutants, *originals}
        assert all(item.parts or item.problem for item in items.values())
        assert report.problems == {str(path): item.problem for path, item in items.items() if item.problem}
        for path in originals:
            assert items[path].problem is None, items[path]
            parts = decode(path, model.reading, Limits()).parts
            stored = collection._store.vectors([items[path].id])[items[path].id]
            np.testing.assert_allclose(stored, model.encode(parts), atol=1e-4)
        assert collection.add([tmp_path / "mutants", tmp_path / "good"]).unchanged == len(items)


@pytest.mark.slow
def test_mutants_do_no_harm(tmp_path):
    originals = good_files(tmp_path)
    mutants = write_mutants(originals, tmp_path / "m")
    faults = []
    with DecoderPool(Reading(), Limits(decode_timeout_s=30), workers=2) as pool:
        futures = []
        for n, path in enumerate(mutants):
            futures.append((path, pool.submit(path)))
            futures.append((originals[n % len(originals)], pool.submit(originals[n % len(originals)])))
        for path, future in futures:
            try:
                parts = future.result(120).parts
                if path in originals and not parts:
                    faults.append(f"{path.name}: good, but no parts")
            except MediaError as error:
                if path in originals:
                    faults.append(f"{path.name}: good, but {error}")
            except BaseException as error:
                faults.append(f"{path.name}: {error!r}")
    assert faults == []
