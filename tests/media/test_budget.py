"""What a file may take over all its chunks: files that are small and claim to be endless end in words."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.media import faults

from duretrieval.collection import Collection
from duretrieval.errors import LimitExceeded, MediaError
from duretrieval.media import Chunk, Cursor, DecoderPool, Limits, budget, decode
from duretrieval.media.chunk import Spent
from duretrieval.types import Modality, Part, Reading

MIB = 2**20


def read_all(path: Path, limits: Limits, decode=decode, reading: Reading | None = None) -> tuple[list[Part], str]:
    """The parts of a file, and why there are no more."""
    parts: list[Part] = []
    start: Cursor | None = None
    with DecoderPool(reading or Reading(), limits, workers=1, decode=decode) as pool:
        try:
            while True:
                chunk = pool.submit(path, start).result(100)
                parts += chunk.parts
                if (start := chunk.next) is None:
                    return parts, ""
        except MediaError as error:
            return parts, f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(
    ("spent", "limits", "message"),
    [
        (Spent(parts=11), Limits(max_parts=10), "gave more than 10 parts; raise `max_parts` to read the rest of it"),
        (
            Spent(bytes=6),
            Limits(max_decoded_bytes=5),
            "more than 5 bytes of decoded content; raise `max_decoded_bytes`",
        ),
        (
            Spent(bytes=64 * MIB + 10_001),
            Limits(),
            "more than 67,118,864 bytes of decoded content out of 10 bytes of file; raise `max_growth`",
        ),
        (Spent(seconds=301), Limits(), "decoding all of it took more than 300 s; raise `file_timeout_s`"),
    ],
)
def test_a_file_that_has_had_its_share_is_refused_the_next_chunk(tmp_path, spent, limits, message):
    path = tmp_path / "small"
    path.write_bytes(bytes(10))
    with pytest.raises(LimitExceeded, match=message):
        budget.patience(path, spent, limits)


def test_the_wait_for_a_chunk_ends_with_that_for_the_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(MIB))
    whole = budget.patience(path, Spent(), Limits())
    assert (whole.seconds, whole.complaint[:26]) == (120, "decoding took more than 12")
    rest = budget.patience(path, Spent(seconds=300), Limits())
    assert rest.seconds == 10
    assert rest.complaint == "decoding all of it took more than 310 s; raise `file_timeout_s` to read the rest of it"


def test_a_large_film_has_hours_and_may_give_what_six_of_them_hold(tmp_path):
    path = tmp_path / "film"
    with path.open("wb") as file:
        file.truncate(4 * 2**30)
    assert budget.patience(path, Spent(4 * 3600, 10_000, 5 * 2**30), Limits()).seconds == 120


def test_a_file_that_is_gone_is_left_to_its_decoder(tmp_path):
    assert budget.patience(tmp_path / "gone", Spent(), Limits()).seconds == 120


@given(st.lists(st.integers(1, 9)))
def test_parts_and_bytes_add_up(lengths):
    spent = Spent()
    for length in lengths:
        parts = (Part(Modality.TEXT, "x" * length), Part(Modality.AUDIO, np.zeros(length, np.float32)))
        spent = budget.after(spent, 0.5, Chunk(parts))
    assert spent == Spent(0.5 * len(lengths), 2 * len(lengths), 5 * sum(lengths))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(max_parts=5), "it gave more than 5 parts; raise `max_parts`"),
        (
            Limits(max_decoded_bytes=5_000),
            "it gave more than 5,000 bytes of decoded content; raise `max_decoded_bytes`",
        ),
        (Limits(file_timeout_s=2), "decoding all of it took more than 2 s; raise `file_timeout_s`"),
    ],
)
def test_a_file_without_end_ends_and_what_came_before_is_kept(tmp_path, limits, message):
    path = tmp_path / "file"
    path.write_text("endless")
    parts, why = read_all(path, limits, faults.obey)
    assert len(parts) >= 6
    assert why == f"LimitExceeded: {message} to read the rest of it"


def write_slow_wave(path: Path) -> Path:
    """40 kB of noise that claims one sample a second: five and a half hours."""
    noise = np.random.default_rng(0).integers(-30_000, 30_000, 20_000).astype("<i2").tobytes()
    about = struct.pack("<IHHIIHH", 16, 1, 1, 1, 2, 2, 16)
    body = b"WAVEfmt " + about + b"data" + struct.pack("<I", len(noise)) + noise
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


@pytest.mark.slow
def test_hours_of_sound_in_40_kilobytes_end(tmp_path):
    parts, why = read_all(write_slow_wave(tmp_path / "slow.wav"), Limits(max_growth=100))
    said = "it gave more than 71,113,264 bytes of decoded content out of 40,044 bytes of file; raise `max_growth`"
    assert why == f"LimitExceeded: {said} to read the rest of it"
    assert 200 < len(parts) < 300


def test_of_a_file_that_is_cut_off_what_came_before_is_indexed_and_the_reason_listed(tmp_path):
    write_slow_wave(tmp_path / "slow.wav")
    with Collection.open(tmp_path / "c", limits=Limits(max_parts=10)) as collection:
        report = collection.add(tmp_path / "slow.wav")
        (item,) = collection.items()
    assert report.problems == {item.source: "it gave more than 10 parts; raise `max_parts` to read the rest of it"}
    assert len(item.parts) > 10


@pytest.mark.slow
def test_a_picture_of_very_many_frames_ends(tmp_path):
    path = write_many_frames(tmp_path / "many.gif", 60_000)
    parts, why = read_all(path, Limits(max_parts=30))
    assert len(parts) > 30
    assert why == "LimitExceeded: it gave more than 30 parts; raise `max_parts` to read the rest of it"


def write_many_frames(path: Path, frames: int) -> Path:
    """A GIF of 2 by 2 pixels, a frame every 20 ms."""
    head = b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    pixels = b"," + struct.pack("<HHHHB", 0, 0, 2, 2, 0) + b"\x02\x03\x44\x02\x05\0"
    frame = b"!\xf9\x04\x04" + struct.pack("<H", 2) + b"\0\0" + pixels
    path.write_bytes(head + frame * frames + b";")
    return path


def test_a_film_with_a_frame_after_thirty_years_is_refused(tmp_path):
    """Three frames, and one whose time stamp is absurd."""
    path = tmp_path / "far.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for ms in (0, 40, 80, 10**12):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), ms % 255, np.uint8))
            frame.pts, frame.time_base = ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    parts, why = read_all(path, Limits())
    assert not parts
    assert why.startswith("LimitExceeded: it has 1,000,000,000 seconds, above the limit of 21,600; raise `max_seconds`")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="Windows has no such files")
def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe"):
        with pytest.raises(MediaError, match="it is not a file but a device, pipe or socket"):
            decode(path, Reading(), Limits())
