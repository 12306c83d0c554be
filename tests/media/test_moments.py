"""Films and sounds: the colour and the tone of each second, across windows and chunks."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from tests.media.samples import BLUE, GREEN, RED, TONES, chunks_of, tone, write_sound, write_video, write_wave

from duretrieval.errors import DamagedMedia, EmptyMedia, LimitExceeded, UnsupportedMedia
from duretrieval.media import Limits, decode
from duretrieval.media.sampling import CHUNK_S
from duretrieval.types import Modality, Part, Reading

READING = Reading(image_side=32)
LIMITS = Limits()
RATE = READING.sample_rate
CYCLE = {RED: TONES[0], GREEN: TONES[1], BLUE: TONES[2]}


def read(path: Path, reading: Reading = READING, limits: Limits = LIMITS) -> tuple[list[Part], dict, int]:
    """All parts, the fields, and how many chunks there were."""
    parts: list[Part] = []
    fields, start, chunks = {}, None, 0
    while chunks == 0 or start is not None:
        chunk = decode(path, reading, limits, start)
        fields = fields or dict(chunk.fields)
        parts, start, chunks = [*parts, *chunk.parts], chunk.next, chunks + 1
    return parts, fields, chunks


def pitch(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax()) * RATE / len(samples)


def colour(frame: np.ndarray) -> tuple[int, ...]:
    return max(CYCLE, key=lambda c: (frame[12:20, 12:20].mean(axis=(0, 1)) * np.array(c)).sum())


def check_moments(parts: list[Part], seconds: float, slack_s: float = 0.1) -> None:
    """Every 5 s window is there once, in order, and shows and sounds as `write_video` made it."""
    for modality in {part.modality for part in parts}:
        chosen = [part for part in parts if part.modality is modality]
        assert [part.start_s for part in chosen] == [5.0 * n for n in range(len(chosen))]
        assert [part.end_s for part in chosen[:-1]] == [part.start_s for part in chosen[1:]]
        assert chosen[-1].end_s == pytest.approx(seconds, abs=slack_s)
    for part in parts:
        expected = list(CYCLE.items())[int(part.start_s // 5) % 3]
        if part.modality is Modality.AUDIO:
            assert len(part.content) == pytest.approx((part.end_s - part.start_s) * RATE, abs=slack_s * RATE)
            half = RATE // 2
            for piece in (part.content[:half], part.content[-half - 1000 : -1000]):
                assert pitch(piece) == pytest.approx(expected[1], abs=5)
        else:
            assert {colour(frame) for frame in part.content} == {expected[0]}


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_sound(tmp_path, suffix):
    parts, fields, _ = read(write_wave(tmp_path / f"s.{suffix}", 12))
    assert fields == {"kind": "audio", "seconds": 12.0}
    assert all(part.content.dtype == np.float32 and np.abs(part.content).max() <= 1 for part in parts)
    check_moments(parts, 12, slack_s=0.001)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp3", "libmp3lame"), ("m4a", "aac"), ("opus", "libopus"), ("aac", "aac"), ("mka", "flac")]
)
def test_sound_through_ffmpeg(tmp_path, suffix, codec):
    path = write_sound(tmp_path / f"s.{suffix}", codec, 12, tags={"title": "Song", "artist": "Me"})
    parts, fields, _ = read(path.rename(tmp_path / "no-name"))
    assert fields["kind"] == "audio"
    if suffix != "aac":
        assert (fields["title"], fields["artist"]) == ("Song", "Me")
    check_moments(parts, 12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "codec", "chunk_s"),
    [("wav", "pcm_s16le", CHUNK_S), ("mp3", "libmp3lame", 40.0), ("opus", "libopus", 40.0)],
)
def test_a_long_sound_joins_without_gap_or_doubling(tmp_path, monkeypatch, suffix, codec, chunk_s):
    chunks_of(monkeypatch, chunk_s)
    long_s = int(2.5 * chunk_s)
    parts, fields, chunks = read(write_sound(tmp_path / f"s.{suffix}", codec, long_s + 2))
    assert chunks > 2
    assert fields["seconds"] == pytest.approx(long_s + 2, abs=0.1)
    check_moments(parts, long_s + 2)
    line = np.concatenate([part.content for part in parts])
    level = np.abs(line[: long_s * RATE].reshape(-1, 160)).max(axis=1)  # a gap or a seam out of phase would dip
    assert level[5:].min() > 0.3


def test_a_short_rest_joins_the_window_before(tmp_path):
    parts, _, _ = read(write_wave(tmp_path / "s.wav", 10.9))
    assert [(part.start_s, part.end_s) for part in parts] == [(0, 5), (5, pytest.approx(10.9))]
    parts, _, _ = read(write_wave(tmp_path / "s.wav", 11.1))
    assert [part.start_s for part in parts] == [0, 5, 10]


def test_silence_is_sound_in_a_sound_file_and_none_in_a_film(tmp_path):
    parts, _, _ = read(write_wave(tmp_path / "s.wav", samples=np.zeros(3 * RATE, np.float32), rate=RATE))
    assert [part.modality for part in parts] == [Modality.AUDIO]
    parts, _, _ = read(write_video(tmp_path / "f.mp4", 6, samples=np.zeros(6 * 48_000, np.float32)))
    assert {part.modality for part in parts} == {Modality.VIDEO}


def test_stereo_becomes_the_mean(tmp_path):
    left = 1.8 * tone(2, RATE)
    for right, peak in ((0 * left, 0.45), (left, 0.9), (-0.4 * left, 0.27)):
        parts, _, _ = read(write_wave(tmp_path / "s.wav", samples=np.stack([left, right], axis=1), rate=RATE))
        assert np.abs(parts[0].content).max() == pytest.approx(peak, abs=0.01)


def test_length_0_is_empty(tmp_path):
    with pytest.raises(EmptyMedia, match="length 0"):
        read(write_wave(tmp_path / "s.wav", samples=np.zeros(0, np.float32)))


def test_cover_art_is_not_a_film(tmp_path):
    import io

    from PIL import Image

    song = write_sound(tmp_path / "s.mp3", "libmp3lame", 6)
    picture = io.BytesIO()
    Image.new("RGB", (50, 50), RED).save(picture, "JPEG")
    body = b"\0image/jpeg\0\3\0" + picture.getvalue()
    frame = b"APIC" + struct.pack(">I", len(body)) + b"\0\0" + body
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    song.write_bytes(b"ID3\3\0\0" + size + frame + song.read_bytes())
    parts, fields, _ = read(song)
    assert fields["kind"] == "audio"
    assert {part.modality for part in parts} == {Modality.AUDIO}


@pytest.mark.parametrize(
    ("suffix", "video", "audio"),
    [
        ("mp4", "libx264", "aac"),
        ("mov", "libx264", "aac"),
        ("mkv", "libx264", "libmp3lame"),
        ("webm", "libvpx-vp9", "libopus"),
        ("avi", "mpeg4", "libmp3lame"),
        ("ts", "mpeg2video", "mp2"),
    ],
)
def test_film(tmp_path, suffix, video, audio):
    path = write_video(tmp_path / f"f.{suffix}", 12, fps=25, video=video, audio=audio)
    parts, fields, _ = read(path.rename(tmp_path / "no-name"))
    assert (fields["kind"], fields["width"], fields["height"]) == ("video", 64, 48)
    assert fields["seconds"] == pytest.approx(12, abs=0.05)
    check_moments(parts, 12, slack_s=0.05)
    assert [len(p.content) for p in parts if p.modality is Modality.VIDEO] == [4, 4, 2]
    assert sum(p.modality is Modality.AUDIO for p in parts) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "video", "audio"),
    [("mp4", "libx264", "aac"), ("mkv", "libx264", "libopus"), ("ts", "mpeg2video", "mp2")],
)
def test_a_long_film_joins_across_chunks(tmp_path, monkeypatch, suffix, video, audio):
    chunks_of(monkeypatch, 40.0)
    path = write_video(tmp_path / f"f.{suffix}", 92, fps=25 if suffix == "ts" else 5, video=video, audio=audio, gop=60)
    parts, _, chunks = read(path)
    assert chunks > 2
    check_moments(parts, 92)
    assert sum(p.modality is Modality.VIDEO for p in parts) == sum(p.modality is Modality.AUDIO for p in parts) == 19


def test_a_chunk_stays_small_whatever_the_reading(tmp_path):
    path = write_video(tmp_path / "f.mp4", 60, fps=5)
    chunk = decode(path, Reading(image_side=448, frames_per_window=8), Limits())
    assert chunk.next is not None
    assert sum(part.content.nbytes for part in chunk.parts) < 30e6


def test_rotation_is_undone(tmp_path):
    parts, fields, _ = read(write_video(tmp_path / "f.mp4", 2, rotation=90))
    assert (fields["width"], fields["height"]) == (48, 64)
    frame = parts[0].content[0]
    assert (frame[:, 1] == 255).all()  # the white of a tall picture is at its sides
    assert frame[1].min() < 50


def test_films_without_sound_and_sound_in_a_film_s_container(tmp_path):
    parts, _, _ = read(write_video(tmp_path / "f.mp4", 6, audio=None))
    assert {part.modality for part in parts} == {Modality.VIDEO}
    parts, fields, _ = read(write_video(tmp_path / "s.mp4", 6, video=None))
    assert {part.modality for part in parts} == {Modality.AUDIO}
    assert fields["kind"] == "audio"


def test_a_film_of_half_a_second_has_a_frame(tmp_path):
    parts, _, _ = read(write_video(tmp_path / "f.mp4", 0.5, audio=None))
    assert [(p.start_s, p.end_s, len(p.content)) for p in parts] == [(0, pytest.approx(0.5), 1)]


def test_music_over_one_picture_sounds_to_its_end(tmp_path):
    path = tmp_path / "f.mkv"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=1)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        container.mux(picture.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), RED, np.uint8), "rgb24")))
        container.mux(picture.encode())
        frame = av.AudioFrame.from_ndarray(tone(12, 48_000)[None], "fltp", "mono")
        frame.sample_rate = 48_000
        container.mux(sound.encode(frame))
        container.mux(sound.encode())
    parts, _, _ = read(path)
    check_moments([part for part in parts if part.modality is Modality.AUDIO], 12)
    assert sum(part.modality is Modality.VIDEO for part in parts) == 1


def test_damage_in_the_middle_costs_only_what_is_damaged(tmp_path):
    path = write_video(tmp_path / "f.mp4", 12)
    data = bytearray(path.read_bytes())
    middle = (data.find(b"mdat") + len(data)) // 2
    data[middle : middle + 300] = np.random.default_rng(0).bytes(300)
    path.write_bytes(data)
    check_moments(read(path)[0], 12, slack_s=0.2)


def test_a_cut_film_gives_what_is_there(tmp_path):
    path = write_video(tmp_path / "f.mkv", 12)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    parts, fields, _ = read(path)
    assert 6 < fields["seconds"] < 11
    assert parts[-1].end_s == pytest.approx(fields["seconds"], abs=0.01)


def test_a_film_without_its_index_says_so(tmp_path):
    path = write_video(tmp_path / "f.mp4", 2)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DamagedMedia, match="begins as mp4 does but cannot be opened"):
        read(path)


def test_limits(tmp_path):
    path = write_video(tmp_path / "f.mp4", 2)
    with pytest.raises(LimitExceeded, match="2 seconds, above the limit of 1; raise `max_seconds`"):
        read(path, limits=Limits(max_seconds=1))
    with pytest.raises(LimitExceeded, match="3,072 pixels in a frame, above the limit of 3,000; raise `max_pixels`"):
        read(path, limits=Limits(max_pixels=3000))


def test_what_nothing_reads(tmp_path):
    (tmp_path / "x").write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(UnsupportedMedia, match="nothing here reads this kind of file"):
        read(tmp_path / "x")


def test_a_name_that_looks_like_a_protocol_is_a_file(tmp_path, monkeypatch):
    write_video(tmp_path / "f.mp4", 1).rename(tmp_path / "concat:f.mp4")
    monkeypatch.chdir(tmp_path)
    assert read(Path("concat:f.mp4"))[0]


def test_place_and_time(tmp_path):
    tags = {"creation_time": "2024-05-01T10:30:00Z", "location": "+27.5916-086.5640+8850/", "title": "山"}
    fields = read(write_video(tmp_path / "f.mp4", 1, tags=tags))[1]
    assert (fields["title"], fields["lat"], fields["lon"]) == ("山", 27.5916, -86.564)
    assert fields["taken"].isoformat() == "2024-05-01T10:30:00+00:00"
