"""Chunk after chunk of one file: by whoever has it open, and the same as if each were read alone."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from docx import Document as Docx
from openpyxl import Workbook
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from tests.media import faults
from tests.media.samples import BLUE, GREEN, RED, write_animation, write_pdf

from duretrieval.errors import MediaError
from duretrieval.media import Chunk, Cursor, DecoderPool, Limits, decode
from duretrieval.media.decoder import Decoder
from duretrieval.media.jobs import Job, Jobs, Place
from duretrieval.types import Modality, Part, Reading

READING = Reading(image_side=16, passage_chars=20)
LIMITS = Limits()
COLOURS = (RED, GREEN, BLUE) * 30
LINES = [f"This is paragraph {n}." for n in range(2_500)]


def all_chunks(path: Path, decode=decode, reading: Reading = READING) -> list[Chunk]:
    chunks = [decode(path, reading, LIMITS, None)]
    while chunks[-1].next is not None:
        chunks.append(decode(path, reading, LIMITS, chunks[-1].next))
    return chunks


def plain(chunk: Chunk) -> tuple[object, ...]:
    """A chunk as something that can be compared."""
    parts = [
        (part.modality, part.start_s, part.end_s, part.page, part.start_char, part.end_char)
        + ((part.content.shape, part.content.tobytes()) if isinstance(part.content, np.ndarray) else (part.content,))
        for part in chunk.parts
    ]
    return parts, dict(chunk.fields), chunk.next


def write(path: Path) -> Path:
    match path.suffix:
        case ".gif" | ".webp" | ".png" | ".avif":
            write_animation(path, COLOURS, ms=4_100)
        case ".tiff":
            pages = [Image.new("RGB", (16, 16), colour) for colour in COLOURS]
            pages[0].save(path, save_all=True, append_images=pages[1:])
        case ".txt":
            path.write_text("\n\n".join(LINES))
        case ".html":
            path.write_text("".join(f"<p>{line}</p>" for line in LINES))
        case ".mbox":
            path.write_text("".join(f"From a Mon Jan 1 10:00\nSubject: {line}\nTo: b\n\n{line}\n\n" for line in LINES))
        case ".pdf":
            write_pdf(path, LINES[:120])
        case ".docx":
            docx = Docx()
            for line in LINES:
                docx.add_paragraph(line)
            docx.save(path)
        case ".xlsx":
            book = Workbook()
            for line in LINES:
                book.active.append([line])
            book.create_sheet("second").append(["last"])
            book.save(path)
    return path


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "avif", "tiff", "txt", "html", "mbox", "pdf", "docx", "xlsx"])
def test_a_file_that_stays_open_gives_what_each_chunk_gives_alone(tmp_path, suffix):
    path = write(tmp_path / f"file.{suffix}")
    reading = Reading(image_side=512) if suffix == "tiff" else READING
    alone = all_chunks(path, reading=reading)
    assert len(alone) > 1
    assert [plain(chunk) for chunk in all_chunks(path, Decoder(), reading)] == [plain(chunk) for chunk in alone]


def test_each_frame_is_decoded_once(tmp_path, monkeypatch):
    path = write(tmp_path / "file.gif")
    asked: list[int] = []
    seek = GifImageFile.seek

    def counted(image: GifImageFile, frame: int) -> None:
        asked.append(frame)
        seek(image, frame)

    monkeypatch.setattr(GifImageFile, "seek", counted)
    assert len(all_chunks(path, Decoder())) == 4
    assert len(asked) <= len(COLOURS) + 3
    asked.clear()
    all_chunks(path)
    assert len(asked) > 2 * len(COLOURS)  # what it costs otherwise


def test_a_picture_that_stands_still_to_the_end_is_there_to_the_end(tmp_path):
    path = write_animation(tmp_path / "file.gif", (RED, GREEN), ms=300_000)
    for decoding in (decode, Decoder()):
        parts = [part for chunk in all_chunks(path, decoding) for part in chunk.parts]
        assert [part.start_s for part in parts] == [5.0 * n for n in range(120)]
        assert parts[-1].end_s == 600
        assert [int(part.content[0, 8, 8].argmax()) for part in parts] == [0] * 60 + [1] * 60


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what is open cannot be seen here")
def test_one_file_is_open_at_a_time_and_none_after_its_end(tmp_path):
    first, second = write(tmp_path / "file.gif"), write(tmp_path / "file.webp")
    decoder = Decoder()

    def opened() -> set[str]:
        return {link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()} & {first, second}

    begun = decoder(first, READING, LIMITS, None)
    assert opened() == {first}
    decoder(second, READING, LIMITS, None)
    assert opened() == {second}
    while begun.next is not None:
        begun = decoder(first, READING, LIMITS, begun.next)
    assert opened() == set()


def test_a_file_that_was_changed_is_read_anew(tmp_path):
    path = write(tmp_path / "file.txt")
    decoder = Decoder()
    begun = decoder(path, READING, LIMITS, None)
    path.write_text(path.read_text().replace("paragraph", "something"))
    assert "something" in str(decoder(path, READING, LIMITS, begun.next).parts[0].content)


def job(name: str, unit: int | None = None) -> Job:
    return Job(Path(name), None if unit is None else Cursor(unit))


def test_a_job_that_goes_on_is_for_who_is_there_and_comes_first():
    jobs, place = Jobs(), Place(Path("film"), Cursor(1), wait_s=0)
    other, mine = job("other"), job("film", 1)
    jobs.keep(place)
    jobs.put(mine)
    jobs.put(other)
    assert jobs.take() is other
    another = job("another")
    jobs.put(another)
    assert jobs.take(place) is mine
    assert jobs.take() is another


def test_a_job_that_goes_on_is_waited_for():
    jobs, place = Jobs(), Place(Path("film"), Cursor(1), wait_s=60)
    other, mine = job("other"), job("film", 1)
    jobs.keep(place)
    jobs.put(other)
    taken: Future[Job | None] = Future()
    threading.Thread(target=lambda: taken.set_result(jobs.take(place)), daemon=True).start()
    assert not taken.done()
    jobs.put(mine)
    assert taken.result(30) is mine
    assert jobs.take() is other


def test_a_job_that_does_not_come_is_waited_for_no_longer_than_was_said():
    jobs, place = Jobs(), Place(Path("film"), Cursor(1), wait_s=0.1)
    jobs.keep(place)
    jobs.put(other := job("other"))
    assert jobs.take(place) is other
    jobs.put(late := job("film", 1))
    assert jobs.take() is late  # by anybody


def test_when_it_closes_what_waits_is_handed_out_and_nothing_more_is_taken():
    jobs, place = Jobs(), Place(Path("film"), Cursor(1), wait_s=60)
    jobs.keep(place)
    jobs.put(other := job("other"))
    jobs.close()
    assert jobs.take(place) is other
    assert jobs.take() is None
    with pytest.raises(RuntimeError, match="this DecoderPool is closed"):
        jobs.put(other)


def test_of_two_processes_one_reads_all_of_a_file(tmp_path):
    path, other = tmp_path / "steps", tmp_path / "other"
    path.write_text("steps")
    other.write_text("fine")
    with DecoderPool(Reading(), LIMITS, workers=2, decode=faults.obey) as pool:
        by = [pool.submit(path).result(60)]
        assert pool.submit(other).result(60).parts == (Part(Modality.TEXT, "fine"),)
        while by[-1].next is not None:
            by.append(pool.submit(path, by[-1].next).result(60))
    assert len(by) == 10
    assert len({chunk.fields["pid"] for chunk in by[1:]}) == 1


@pytest.mark.parametrize(("name", "message"), [("a\0b", "no file can have the name"), ("none", "no such file")])
def test_a_file_that_cannot_be_is_a_sentence(tmp_path, name, message):
    with pytest.raises(MediaError, match=message):
        Decoder()(tmp_path / name, READING, LIMITS, None)
