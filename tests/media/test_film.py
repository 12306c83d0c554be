"""What is seen and heard when: colours and tones, a known number of seconds each."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import media_files
import numpy as np
import pytest
from media_files import BLUE, GREEN, RED, WHITE, write_film
from reading import LIMITS, READING, chunks, colour, colours, loudest_hz, of

from duretrieval.errors import DuretrievalError, EmptyMedia, LimitExceeded, UnsupportedMedia
from duretrieval.media.decode import decode
from duretrieval.media.limits import Limits
from duretrieval.types import Modality

RATE = READING.sample_rate
SUFFIXES = [".mp4", ".mov", ".mkv", ".webm", ".avi"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_window_has_its_colours_and_its_tone(suffix: str, tmp_path: Path) -> None:
    path = write_film(tmp_path / f"a{suffix}", (RED, GREEN, BLUE), (440, 880, 1320), step_s=5)
    chunk = decode(path, READING, LIMITS)
    seen, sounds = of(chunk, Modality.VIDEO), of(chunk, Modality.AUDIO)
    assert (chunk.fields["kind"], chunk.fields["width"], chunk.fields["height"]) == ("video", 64, 48)
    assert chunk.fields["seconds"] == pytest.approx(15, abs=0.2)
    assert [(part.start_s, part.end_s) for part in seen] == [(0, 5), (5, 10), (10, pytest.approx(15, abs=0.15))]
    assert [colours(part) for part in seen] == [["red"] * 4, ["green"] * 4, ["blue"] * 4]
    assert [(part.start_s, part.end_s) for part in sounds] == [(part.start_s, part.end_s) for part in seen]
    assert [round(loudest_hz(part.content, RATE), -1) for part in sounds] == [440, 880, 1320]
    assert seen[0].content.shape == (4, 32, 32, 3)
    assert seen[0].content.dtype == np.uint8


@pytest.mark.parametrize("fps", [1, 5, 29.97])
def test_the_colour_at_each_moment(fps: float, tmp_path: Path) -> None:
    """A second of each colour; frames are taken in the middle of each quarter of a window: 0.625 s, 1.875 s ..."""
    path = write_film(tmp_path / "a.mp4", (RED, GREEN, BLUE, WHITE, RED), (), fps=fps)
    [part] = decode(path, READING, LIMITS).parts
    assert colours(part) == ["red", "green", "white", "red"]
    fine = replace(READING, window_s=1.0, frames_per_window=2)
    shown = [colours(part) for part in decode(path, fine, LIMITS).parts]
    assert shown == [["red"] * 2, ["green"] * 2, ["blue"] * 2, ["white"] * 2, ["red"] * 2]


def test_a_frame_stays_until_the_next(tmp_path: Path) -> None:
    """Slides: frames at 0, 2 and 11 s, the last for 4."""
    import av

    with av.open(str(tmp_path / "a.mkv"), "w") as film:
        stream = film.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for at, shade in ((0, RED), (2000, GREEN), (11_000, BLUE), (15_000, BLUE)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), shade, np.uint8), format="rgb24")
            frame.pts, frame.time_base = at, stream.codec_context.time_base
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    parts = decode(tmp_path / "a.mkv", READING, LIMITS).parts
    assert [colours(part) for part in parts] == [
        ["red", "red", "green", "green"],
        ["green"] * 4,
        ["green", "blue", "blue", "blue"],
    ]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_long_film_in_chunks(suffix: str, tmp_path: Path) -> None:
    """Two minutes and a half at 4 frames a second: every window where it belongs, none missing, none twice."""
    shades, scale = (RED, GREEN, BLUE), [400 + 50 * i for i in range(30)]
    path = write_film(tmp_path / f"a{suffix}", [shades[i % 3] for i in range(30)], scale, step_s=5, fps=4, rate=48_000)
    found = chunks(path)
    seen = [part for chunk in found for part in of(chunk, Modality.VIDEO)]
    sounds = [part for chunk in found for part in of(chunk, Modality.AUDIO)]
    assert [len(of(chunk, Modality.VIDEO)) for chunk in found] == [12, 12, 6]
    for parts in (seen, sounds):
        assert [part.start_s for part in parts] == [5 * i for i in range(30)]
        assert [part.end_s for part in parts][:-1] == [5 * i for i in range(1, 30)]
    assert [set(colours(part)) for part in seen] == [{("red", "green", "blue")[i % 3]} for i in range(30)]
    assert [round(loudest_hz(part.content[2000:-2000], RATE), -1) for part in sounds] == scale


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_telephone_held_any_way(rotation: int, tmp_path: Path) -> None:
    """rotation is counter-clockwise: a frame with red on its left, turned by 90, has red below."""
    import av

    left_red = np.full((48, 64, 3), WHITE, np.uint8)
    left_red[:, :32] = RED
    with av.open(str(tmp_path / "a.mp4"), "w") as film:
        stream = film.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(rotation)
        for _ in range(20):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(left_red, format="rgb24")))
        film.mux(stream.encode())
    chunk = decode(tmp_path / "a.mp4", replace(READING, image_fit="stretch"), LIMITS)
    frame = chunk.parts[0].content[0]
    sides = {0: frame[16, 4], 90: frame[27, 16], 180: frame[16, 27], 270: frame[4, 16]}
    assert [angle for angle, pixel in sides.items() if colour(pixel) == "red" and rotation == angle] == [rotation]
    assert colour(sides[(rotation + 180) % 360]) == "white"
    upright = (64, 48) if rotation % 180 == 0 else (48, 64)
    assert (chunk.fields["width"], chunk.fields["height"]) == upright


def test_a_film_without_sound(tmp_path: Path) -> None:
    chunk = decode(write_film(tmp_path / "a.mp4", frequencies=()), READING, LIMITS)
    assert {part.modality for part in chunk.parts} == {Modality.VIDEO}


def test_silent_windows_of_a_film_have_no_sound(tmp_path: Path) -> None:
    """A coder spreads a sound a little, so that the windows beside it may not be quite silent."""
    path = write_film(tmp_path / "a.mkv", (RED,) * 5, (0, 0, 440, 0, 0), step_s=5)
    heard = {(part.start_s, part.end_s) for part in of(decode(path, READING, LIMITS), Modality.AUDIO)}
    assert {(10, 15)} <= heard <= {(5, 10), (10, 15), (15, 20)}


def test_sound_alone_in_a_films_container(tmp_path: Path) -> None:
    chunk = decode(write_film(tmp_path / "a.mp4", ()), READING, LIMITS)
    assert (chunk.fields["kind"], {part.modality for part in chunk.parts}) == ("audio", {Modality.AUDIO})


def test_sound_that_begins_later(tmp_path: Path) -> None:
    """Both by one clock: the sound of this film begins 3 s after its pictures."""
    import av

    path = write_film(tmp_path / "a.mp4", (RED, GREEN), (440,), step_s=6)
    with av.open(str(path)) as source, av.open(str(tmp_path / "b.mp4"), "w") as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                if packet.stream.type == "audio":
                    packet.pts += round(3 / packet.time_base)
                    packet.dts += round(3 / packet.time_base)
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    line = np.concatenate([part.content for part in of(decode(tmp_path / "b.mp4", READING, LIMITS), Modality.AUDIO)])
    loud = np.flatnonzero(np.abs(line) > 0.1) / RATE
    assert (loud[0], loud[-1]) == (pytest.approx(3, abs=0.05), pytest.approx(9, abs=0.05))


def test_a_gap_in_the_sound_stays_silent(tmp_path: Path) -> None:
    """Packets from 3 to 5 s were lost: what comes after is heard at its time, not earlier."""
    import av

    path = write_film(tmp_path / "a.mka", (), (440, 880), step_s=4)
    with av.open(str(path)) as source, av.open(str(tmp_path / "b.mka"), "w") as out:
        stream = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux():
            if packet.dts is not None and not 3 <= packet.pts * packet.time_base < 5:
                packet.stream = stream
                out.mux(packet)
    line = np.concatenate([part.content for part in decode(tmp_path / "b.mka", READING, LIMITS).parts])
    assert np.abs(line[round(3.2 * RATE) : round(4.8 * RATE)]).max() < 0.01
    assert loudest_hz(line[: 3 * RATE], RATE) == pytest.approx(440, abs=1)
    assert loudest_hz(line[round(5.2 * RATE) : round(7.8 * RATE)], RATE) == pytest.approx(880, abs=1)
    assert len(line) == pytest.approx(8 * RATE, abs=0.1 * RATE)


def test_damaged_packets_in_the_middle(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", (RED, GREEN, BLUE), step_s=5, size=(160, 120))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(0).bytes(3000)
    path.write_bytes(data)
    seen = of(decode(path, READING, LIMITS), Modality.VIDEO)
    assert colours(seen[0]) == ["red"] * 4
    assert colours(seen[-1])[-1] == "blue"


@pytest.mark.parametrize("seconds", [8, 130])
def test_a_film_that_does_not_say_how_long_it_is(seconds: int, tmp_path: Path) -> None:
    """As browsers record: the header is written before the end is known."""
    import av

    path = write_film(tmp_path / "a.webm", (RED, BLUE), (440, 880), step_s=seconds / 2, fps=2, options={"live": "1"})
    with av.open(str(path)) as file:
        assert file.duration is None
    found = chunks(path)
    assert found[-1].fields["seconds"] == pytest.approx(seconds, abs=0.5)
    seen = [part for chunk in found for part in of(chunk, Modality.VIDEO)]
    assert [(part.start_s, part.end_s) for part in seen][:2] == [(0, 5), (5, pytest.approx(min(10, seconds), abs=0.2))]
    assert seen[-1].end_s == pytest.approx(seconds, abs=0.5)
    assert (colours(seen[0])[0], colours(seen[-1])[-1]) == ("red", "blue")


def test_one_frame(tmp_path: Path) -> None:
    [part] = decode(write_film(tmp_path / "a.mp4", (RED,), (), step_s=0.1), READING, LIMITS).parts
    assert (colours(part), part.start_s, part.end_s) == (["red"], 0, pytest.approx(0.1, abs=0.05))


def test_what_the_camera_wrote(tmp_path: Path) -> None:
    path = write_film(
        tmp_path / "a.mov",
        metadata={
            "title": "By the sea",
            "com.apple.quicktime.make": "Apple",
            "com.apple.quicktime.model": "iPhone 16",
            "com.apple.quicktime.location.ISO6709": "-33.8600+151.2111+010.000/",
            "creation_time": "2024-05-01T10:30:00.000000Z",
        },
        options={"movflags": "use_metadata_tags"},
    )
    fields = decode(path, READING, LIMITS).fields
    assert (fields["title"], fields["camera"]) == ("By the sea", "Apple iPhone 16")
    assert (fields["lat"], fields["lon"], fields["taken"].isoformat()) == (
        -33.86,
        151.2111,
        "2024-05-01T10:30:00+00:00",
    )


def test_limits(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", step_s=0.5)
    with pytest.raises(LimitExceeded, match=r"it lasts .* hours or more; the limit is .* \(Limits.max_seconds\)"):
        decode(path, READING, Limits(max_seconds=1))
    with pytest.raises(LimitExceeded, match=r"64 x 48 is 0 megapixels; the limit is 0 \(Limits.max_pixels\)"):
        decode(path, READING, Limits(max_pixels=1000))


def test_not_a_film_after_all(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(50))
    with pytest.raises(DuretrievalError, match="no reader knows this kind of file, or its header is damaged"):
        decode(tmp_path / "a.mp4", READING, LIMITS)
    (tmp_path / "b").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(UnsupportedMedia, match="no reader knows this kind of file"):
        decode(tmp_path / "b", READING, LIMITS)


def test_nothing_but_subtitles(tmp_path: Path) -> None:
    path = media_files.write_text(tmp_path / "a.bin", "\0\x01\x02")
    with pytest.raises((EmptyMedia, UnsupportedMedia), match=r"it holds no frame|no reader knows"):
        decode(path, READING, LIMITS)
