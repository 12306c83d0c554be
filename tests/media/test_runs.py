"""Frames of sound are mixed several at a time, and each stays where its time stamp puts it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from tests.media.test_moments import RATE, read

FRAME = RATE // 100


def write_frames(path: Path, begins: list[int], rate: int = RATE) -> Path:
    """Frames of 10 ms in stereo, 0.5 and 0.25 throughout, that begin at these samples."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="stereo")
        for begin in begins:
            values = np.tile(np.array([0.5, 0.25]) * 2**15, rate // 100).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(values, "s16", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_gap_between_two_frames_is_silence_of_its_length(tmp_path):
    begins = [n * FRAME if n < 37 else n * FRAME + RATE // 2 for n in range(100)]  # half a second is missing at 0.37 s
    (part,), _, _ = read(write_frames(tmp_path / "s.mkv", begins))
    sounding = np.abs(part.content) > 0.2
    assert len(part.content) == RATE * 3 // 2
    assert abs(int(sounding.argmin()) - 37 * FRAME) < 40
    assert sounding[: 37 * FRAME - 40].all()
    assert not sounding[37 * FRAME + 40 : 37 * FRAME + RATE // 2 - 40].any()
    assert sounding[37 * FRAME + RATE // 2 + 40 :].all()


def test_stamps_that_are_rounded_leave_no_gap(tmp_path):
    begins = [n * FRAME + (n * 37) % 160 for n in range(1_000)]  # up to 10 ms off
    parts, _, _ = read(write_frames(tmp_path / "s.mkv", begins))
    heard = np.concatenate([part.content for part in parts])
    assert len(heard) == 10 * RATE
    np.testing.assert_allclose(heard[100:-400], 0.375, atol=0.01)
