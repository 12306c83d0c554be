"""Sound whatever its channels: how many, in what arrangement, in which of them, and in opposite phases."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.media.samples import tone, write_wave
from tests.media.test_moments import RATE, pitch, read

from duretrieval.types import Modality

SECONDS = 6


def sine(seconds: float = SECONDS, rate: int = RATE) -> np.ndarray:
    return tone(seconds, rate, tones=(440.0,))


def check(path: Path, peak: float | None = None) -> None:
    """440 Hz, loud, from the first second to the last."""
    parts, _, _ = read(path)
    heard = np.concatenate([part.content for part in parts if part.modality is Modality.AUDIO])
    assert len(heard) == pytest.approx(SECONDS * RATE, abs=0.1 * RATE)
    for at in range(0, (SECONDS - 1) * RATE, RATE):
        second = heard[at + 500 : at + RATE]
        assert pitch(second) == pytest.approx(440, abs=2)
        assert np.abs(second).max() > 0.1
        assert peak is None or np.abs(second).max() == pytest.approx(peak, abs=0.03)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 24, 32])
def test_any_number_of_channels_in_each_of_which_is_heard(tmp_path, channels):
    for sounding in {0, channels // 2, channels - 1}:
        samples = np.zeros((SECONDS * RATE, channels), np.int16)
        samples[:, sounding] = sine() * 2**15
        with wave.open(str(tmp_path / "s.wav"), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())
        check(tmp_path / "s.wav")


def write_channels(path: Path, codec: str, layout: str, samples: np.ndarray, options: dict | None = None) -> Path:
    """samples: (n, channels) at 48 kHz."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout=layout, options=options or {})
        form = stream.codec_context.format.name
        into = av.AudioResampler(format=form, layout=layout, rate=48_000, frame_size=960)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), "flt", layout)
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        for piece in [*into.resample(frame), *into.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("codec", "layout", "options"),
    [
        *(("pcm_s16le", name, {}) for name in ("2.1", "quad", "5.0", "5.1", "7.1", "22.2", "hexagonal")),
        *(("pcm_f32le", "24c", {}), ("pcm_f64le", "7.1", {}), ("pcm_s24le", "5.1", {}), ("pcm_u8", "stereo", {})),
        *(("flac", "7.1", {}), ("ac3", "5.1", {}), ("aac", "quad", {}), ("aac", "7.1", {}), ("libopus", "7.1", {})),
        ("libopus", "24c", {"mapping_family": "255"}),
    ],
)
def test_any_arrangement_in_any_coding(tmp_path, codec, layout, options):
    channels = av.AudioLayout(layout).nb_channels
    samples = np.zeros((SECONDS * 48_000, channels), np.float32)
    samples[:, channels - 2] = 0.9 * sine(rate=48_000)
    check(write_channels(tmp_path / "s.mka", codec, layout, samples, options))


@pytest.mark.parametrize("codec", ["pcm_s16le", "flac", "aac", "libopus", "libmp3lame", "ac3"])
def test_opposite_phases_do_not_cancel_out(tmp_path, codec):
    left = sine(rate=48_000)
    check(write_channels(tmp_path / "s.mka", codec, "stereo", np.stack([left, -left], axis=1)), peak=0.5)


@pytest.mark.parametrize("weights", [(1, -0.9), (0, 1, -1), (1, 1, -1, -1), (1, -1, 1, -1), (1, 0, 0, 0, -1, 0)])
def test_nor_in_other_arrangements(tmp_path, weights):
    check(write_wave(tmp_path / "s.wav", samples=sine()[:, None] * np.array(weights), rate=RATE), peak=0.5)


def test_phases_that_are_opposite_for_a_while(tmp_path):
    left, right = sine(), sine()
    right[2 * RATE : 4 * RATE] *= -1
    check(write_wave(tmp_path / "s.wav", samples=np.stack([left, right], axis=1), rate=RATE), peak=0.5)


def test_what_all_channels_share_is_their_mean(tmp_path):
    voice = 0.5 * sine()
    apart = 0.3 * tone(SECONDS, RATE, tones=(1760.0,))
    (first, *_), _, _ = read(
        write_wave(tmp_path / "s.wav", samples=np.stack([voice + apart, voice - apart], axis=1), rate=RATE)
    )
    np.testing.assert_allclose(first.content, voice[: len(first.content)], atol=1e-3)


def test_silence_stays_silence(tmp_path):
    (part, *_), _, _ = read(write_wave(tmp_path / "s.wav", samples=np.zeros((SECONDS * RATE, 3)), rate=RATE))
    assert not part.content.any()


def test_numbers_that_are_none_are_silence(tmp_path):
    samples = np.stack([sine(), -sine()], axis=1).astype(np.float32)
    samples[100:200] = np.nan
    samples[200:300] = np.inf
    path = write_channels(tmp_path / "s.mka", "pcm_f32le", "stereo", np.repeat(samples, 3, axis=0))
    parts, _, _ = read(path)
    assert all(np.isfinite(part.content).all() for part in parts)


def test_opposite_phases_and_many_channels_in_a_film(tmp_path):
    left = sine(rate=48_000)
    for layout, samples in (
        ("stereo", np.stack([left, -left], axis=1)),
        ("7.1", np.stack([0 * left] * 6 + [left, -left], axis=1)),
    ):
        with av.open(str(tmp_path / "f.mov"), "w") as container:
            pictures = container.add_stream("libx264", rate=10)
            pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
            sound = container.add_stream("aac", rate=48_000, layout=layout)
            for _ in range(SECONDS * 10):
                container.mux(pictures.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")))
            container.mux(pictures.encode())
            into = av.AudioResampler(format="fltp", layout=layout, rate=48_000, frame_size=1024)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), "flt", layout)
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
            for piece in [*into.resample(frame), *into.resample(None)]:
                container.mux(sound.encode(piece))
            container.mux(sound.encode())
        check(tmp_path / "f.mov")
        assert {part.modality for part in read(tmp_path / "f.mov")[0]} == {Modality.AUDIO, Modality.VIDEO}
