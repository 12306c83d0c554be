"""What sounds when: tones of known frequency, a second each."""

import itertools
from pathlib import Path

import media_files
import numpy as np
import pytest
import soundfile
from media_files import tones, write_sound
from reading import LIMITS, READING, chunks, loudest_hz

from duretrieval.errors import DuretrievalError, EmptyMedia, LimitExceeded
from duretrieval.media import container, sound
from duretrieval.media.decode import decode
from duretrieval.media.limits import Limits
from duretrieval.types import Array, Modality, Reading

RATE = READING.sample_rate
SCALE = [300 + 100 * i for i in range(30)]
SUFFIXES = [".wav", ".flac", ".ogg", ".mp3", ".m4a"]


def heard(path: Path) -> Array:
    """All sound of a file, its chunks and windows joined."""
    return np.concatenate([part.content for chunk in chunks(path) for part in chunk.parts])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_window_has_its_tone(suffix: str, tmp_path: Path) -> None:
    path = write_sound(tmp_path / f"a{suffix}", (440, 880, 1320, 1760), step_s=5)
    chunk = decode(path, READING, LIMITS)
    assert chunk.fields["kind"] == "audio"
    assert chunk.fields["seconds"] == pytest.approx(20, abs=0.1)
    assert {part.modality for part in chunk.parts} == {Modality.AUDIO}
    assert [(part.start_s, part.end_s) for part in chunk.parts][:3] == [(0, 5), (5, 10), (10, 15)]
    assert chunk.parts[-1].end_s == pytest.approx(20, abs=0.1)
    assert [round(loudest_hz(part.content, RATE), -1) for part in chunk.parts] == [440, 880, 1320, 1760]
    for part in chunk.parts:
        assert part.content.dtype == np.float32
        assert len(part.content) == pytest.approx((part.end_s - part.start_s) * RATE, abs=RATE / 1000)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_tones_begin_on_time(suffix: str, tmp_path: Path) -> None:
    """Encoders' delay (MP3, AAC) is taken off: the second half of the first second is silent, then comes the tone."""
    line = heard(write_sound(tmp_path / f"a{suffix}", (0, 1000, 0), step_s=0.5))
    loud = np.flatnonzero(np.abs(line) > 0.1) / RATE
    assert (loud[0], loud[-1]) == (pytest.approx(0.5, abs=0.03), pytest.approx(1.0, abs=0.03))


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_any_rate_becomes_the_models(rate: int, tmp_path: Path) -> None:
    line = heard(write_sound(tmp_path / "a.wav", (440,), rate=rate))
    assert len(line) == pytest.approx(RATE, abs=1)
    assert loudest_hz(line, RATE) == pytest.approx(440, abs=1)
    assert np.abs(line[500:-500]).max() == pytest.approx(0.5, abs=0.01)


def test_what_needs_no_resampling_is_exact(tmp_path: Path) -> None:
    line = tones((440, 600), RATE)
    soundfile.write(tmp_path / "a.wav", line, RATE, subtype="FLOAT")
    assert np.array_equal(heard(tmp_path / "a.wav"), line)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_channels_are_averaged(suffix: str, tmp_path: Path) -> None:
    left, right = tones((440,)), tones((1760,))
    soundfile.write(tmp_path / f"a{suffix}", np.stack([left, right], axis=1), 44_100)
    spectrum = np.abs(np.fft.rfft(heard(tmp_path / f"a{suffix}"))[: RATE // 2])
    assert sorted(np.argsort(spectrum)[-2:]) == [440, 1760]
    six = np.stack([left] * 6, axis=1)
    soundfile.write(tmp_path / "six.wav", six, 44_100)
    assert loudest_hz(heard(tmp_path / "six.wav"), RATE) == pytest.approx(440, abs=1)


def test_samples_stay_between_minus_one_and_one(tmp_path: Path) -> None:
    loud = tones((440,), RATE, loudness=3)
    loud[100] = np.nan
    soundfile.write(tmp_path / "a.wav", loud, RATE, subtype="FLOAT")
    line = heard(tmp_path / "a.wav")
    assert np.isfinite(line).all()
    assert (line.min(), line.max()) == (-1, 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_chunks_join_without_a_gap_or_a_doubling(suffix: str, tmp_path: Path) -> None:
    """Over two minutes in three chunks: the same samples as when read in one go."""
    path = write_sound(tmp_path / f"a{suffix}", SCALE, step_s=4.5, rate=RATE)  # not resampled
    found = chunks(path)
    edges = [(part.start_s, part.end_s) for chunk in found for part in chunk.parts]
    assert (len(found), edges[0][0], edges[-1][1]) == (3, 0, pytest.approx(135, abs=0.2))
    assert all(left[1] == right[0] for left, right in itertools.pairwise(edges))
    with container.opened(path) as file:
        whole = sound.between(file, container.sound_stream(file), 0, 200, RATE)
    joined = heard(path)
    assert abs(len(joined) - len(whole)) <= 2
    n = min(len(joined), len(whole))
    assert np.abs(joined[:n] - whole[:n]).max() < 0.03
    for i, frequency in enumerate(SCALE):
        second = joined[round((4.5 * i + 1) * RATE) :][: 2 * RATE]
        assert loudest_hz(second, RATE) == pytest.approx(frequency, abs=2)


def test_a_short_rest_joins_the_last_window(tmp_path: Path) -> None:
    def edges(seconds: float) -> list[tuple[float, float]]:
        path = write_sound(tmp_path / f"{seconds}.wav", (440,), step_s=seconds, rate=RATE)
        assert len(chunks(path)) == 1
        return [(part.start_s, part.end_s) for part in decode(path, READING, LIMITS).parts]

    assert edges(0.3) == [(0, 0.3)]
    assert edges(5.5) == [(0, 5.5)]
    assert edges(6.5) == [(0, 5), (5, 6.5)]
    assert edges(60)[-1] == (55, 60)
    assert edges(60.5)[-1] == (55, 60.5)


def test_a_window_may_be_longer_than_a_chunk(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", (440, 880), step_s=90, rate=RATE)
    found = chunks(path, Reading(sample_rate=RATE, window_s=90))
    edges = [(part.start_s, part.end_s) for chunk in found for part in chunk.parts]
    assert edges == [(0, 90), (90, 180)]


def test_silence_in_a_sound_is_kept(tmp_path: Path) -> None:
    chunk = decode(write_sound(tmp_path / "a.wav", (0, 440), step_s=5), READING, LIMITS)
    assert [float(np.abs(part.content[:RATE]).max()) > 0.1 for part in chunk.parts] == [False, True]


def test_a_cover_is_no_film(tmp_path: Path) -> None:
    import av

    song, cover = write_sound(tmp_path / "a.mp3"), media_files.write_jpeg(tmp_path / "cover.jpg")
    with (
        av.open(str(song)) as source,
        av.open(str(cover)) as picture,
        av.open(str(tmp_path / "b.mp3"), "w") as out,
    ):
        audio = out.add_stream_from_template(source.streams.audio[0])
        art = out.add_stream_from_template(picture.streams.video[0])
        art.disposition = av.stream.Disposition.attached_pic
        out.metadata.update({"title": "Scales", "artist": "A pianist"})
        for stream, demuxed in ((art, picture.demux()), (audio, source.demux())):
            for packet in demuxed:
                if packet.size:
                    packet.stream = stream
                    out.mux(packet)
    with av.open(str(tmp_path / "b.mp3")) as file:
        assert len(file.streams.video) == 1
    chunk = decode(tmp_path / "b.mp3", READING, LIMITS)
    assert {part.modality for part in chunk.parts} == {Modality.AUDIO}
    assert {key: chunk.fields[key] for key in ("kind", "title", "artist")} == {
        "kind": "audio",
        "title": "Scales",
        "artist": "A pianist",
    }


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".mp3"])
def test_damage_in_the_middle_costs_the_middle(suffix: str, tmp_path: Path) -> None:
    path = write_sound(tmp_path / f"a{suffix}", (440, 880, 1320, 1760), step_s=5)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)
    parts = decode(path, READING, LIMITS).parts
    assert round(loudest_hz(parts[0].content, RATE), -1) == 440
    assert round(loudest_hz(parts[-1].content[RATE:], RATE), -1) == 1760


def test_too_long(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", (440,), step_s=36, rate=RATE)
    with pytest.raises(LimitExceeded, match=r"it lasts 0.01 hours or more; the limit is 0.005 \(Limits.max_seconds\)"):
        decode(path, READING, Limits(max_seconds=18))


def test_no_samples(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0, np.float32), RATE)
    with pytest.raises(EmptyMedia, match="it holds no frame and no sound that can be decoded"):
        decode(tmp_path / "a.wav", READING, LIMITS)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_truncated(suffix: str, share: float, tmp_path: Path) -> None:
    path = write_sound(tmp_path / f"a{suffix}", (440, 880), step_s=5)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    try:
        parts = decode(path, READING, LIMITS).parts
    except DuretrievalError:
        return
    assert len(parts[0].content)
