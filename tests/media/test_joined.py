"""Media joined end to end: all of it, in order, pictures and sound together, whatever the container says."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from tests.media.samples import BLUE, GREEN, RED, WHITE, chunks_of, write_wave
from tests.media.test_moments import RATE, pitch, read

from duretrieval.errors import LimitExceeded
from duretrieval.media import Limits, edges
from duretrieval.types import Modality, Part

COLOURS = {"r": RED, "g": GREEN, "b": BLUE, "w": WHITE}
TONES = {"r": 440.0, "g": 660.0, "b": 880.0, "w": 1320.0}


def write_piece(
    path: Path,
    colour: str,
    seconds: float,
    video: str | None = "mpeg2video",
    audio: str | None = "mp2",
    size: tuple[int, int] = (64, 48),
    rate: int = 48_000,
    layout: str = "stereo",
    later_s: float = 0.0,
) -> bytes:
    """A film of one colour and its tone, whose time stamps begin at `later_s`."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(video, rate=25) if video else None
        sound = container.add_stream(audio, rate=rate, layout=layout) if audio else None
        if pictures:
            pictures.width, pictures.height, pictures.pix_fmt = *size, "yuv420p"
            pictures.codec_context.gop_size = 25
            image = np.full((size[1], size[0], 3), COLOURS[colour], np.uint8)
            for number in range(round(seconds * 25)):
                frame = av.VideoFrame.from_ndarray(image, "rgb24")
                frame.pts, frame.time_base = number + round(later_s * 25), Fraction(1, 25)
                container.mux(pictures.encode(frame))
            container.mux(pictures.encode())
        if sound:
            heard = 0.5 * np.sin(2 * np.pi * TONES[colour] * np.arange(round(seconds * rate)) / rate)
            for start in range(0, len(heard), 1152):
                piece = np.stack([heard[start : start + 1152]] * (1 if layout == "mono" else 2)).astype(np.float32)
                frame = av.AudioFrame.from_ndarray(piece, "fltp", layout)
                frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                frame.pts = start + round(later_s * rate)
                container.mux(sound.encode(frame))
            container.mux(sound.encode())
    return path.read_bytes()


def seen(frame: np.ndarray) -> str:
    middle = frame[12:20, 12:20].mean(axis=(0, 1))
    return min(COLOURS, key=lambda name: np.abs(middle - COLOURS[name]).sum())


def check(parts: Sequence[Part], order: Sequence[tuple[str, float]], slack_s: float = 0.1) -> None:
    """Times rise and leave nothing out; each second looks and sounds as the piece that is on then."""
    ends = np.cumsum([seconds for _, seconds in order])
    for modality in {part.modality for part in parts}:
        chosen = [part for part in parts if part.modality is modality]
        assert [part.start_s for part in chosen] == [5.0 * n for n in range(len(chosen))]
        assert chosen[-1].end_s == pytest.approx(ends[-1], abs=slack_s * len(order))

    def on(at_s: float) -> str | None:
        near = np.abs(ends - at_s).min() < 0.3 + slack_s * len(order)
        return None if near else order[int((ends < at_s).sum())][0]

    for part in parts:
        if part.modality is Modality.VIDEO:
            for number, frame in enumerate(part.content):
                assert on(at := part.start_s + 1.25 * (number + 0.5)) in (None, seen(frame)), at
        else:
            for second in range(round(part.end_s - part.start_s)):
                heard = part.content[second * RATE + 100 : (second + 1) * RATE - 100]
                wanted = [on(part.start_s + second), on(part.start_s + second + 1)]
                if wanted[0] == wanted[1] is not None and len(heard) > RATE // 2:
                    assert pitch(heard) == pytest.approx(TONES[wanted[0]], abs=3), part.start_s + second


def join(folder: Path, suffix: str, *pieces: dict, **common) -> Path:
    path = folder / f"all.{suffix}"
    path.write_bytes(b"".join(write_piece(folder / f"one.{suffix}", **common, **piece) for piece in pieces))
    return path


ORDER = [("r", 3.0), ("b", 4.0), ("g", 5.0)]
LONG = [("r", 23.0), ("b", 17.0), ("g", 43.0), ("w", 1.0), ("r", 7.0)]
PIECES = [{"colour": colour, "seconds": seconds} for colour, seconds in ORDER]


@pytest.mark.parametrize("name", ["name", "name.ts", "name.mp4"])
@pytest.mark.parametrize("later_s", [(0, 0, 0), (100, 0, 50), (0, 20, 40), (0, 90_000, 0), (95_400, 0, 0), (7, 7, 7)])
def test_transport_streams_whatever_their_clocks_say(tmp_path, later_s, name):
    pieces = [{**piece, "later_s": later} for piece, later in zip(PIECES, later_s, strict=True)]
    parts, fields, _ = read(join(tmp_path, "ts", *pieces).rename(tmp_path / name))
    assert (fields["kind"], fields["seconds"]) == ("video", pytest.approx(12, abs=0.3))
    assert {part.modality for part in parts} == {Modality.VIDEO, Modality.AUDIO}
    check(parts, ORDER)


@pytest.mark.parametrize("suffix", ["ts", "mpg", "m2ts"])
@pytest.mark.parametrize("codecs", [("mpeg2video", "mp2"), ("libx264", "aac"), ("mpeg2video", None), (None, "mp2")])
def test_program_and_transport_streams(tmp_path, suffix, codecs):
    if suffix == "mpg" and codecs == ("libx264", "aac"):
        codecs = ("mpeg1video", "mp2")
    parts, fields, _ = read(join(tmp_path, suffix, *PIECES, video=codecs[0], audio=codecs[1]))
    assert fields["seconds"] == pytest.approx(12, abs=0.4)
    assert len({part.modality for part in parts}) == sum(codec is not None for codec in codecs)
    check(parts, ORDER)


def test_pieces_of_other_sizes_rates_and_codecs(tmp_path):
    path = join(
        tmp_path,
        "ts",
        {**PIECES[0], "video": "libx264", "audio": "aac", "size": (64, 48)},
        {**PIECES[1], "video": "mpeg2video", "audio": "mp2", "size": (128, 96), "rate": 32_000, "layout": "mono"},
        {**PIECES[2], "video": "libx264", "audio": "aac", "size": (80, 80), "rate": 24_000},
    )
    check(read(path)[0], ORDER)


def test_pieces_that_lack_pictures_or_sound(tmp_path):
    path = join(tmp_path, "ts", PIECES[0], {**PIECES[1], "audio": None}, PIECES[2])
    parts, _, _ = read(path)
    check([part for part in parts if part.modality is Modality.VIDEO], ORDER)
    heard = np.concatenate([part.content for part in parts if part.modality is Modality.AUDIO])
    assert np.abs(heard[int(3.5 * RATE) : int(6.5 * RATE)]).max() < 0.01
    assert pitch(heard[8 * RATE : 11 * RATE]) == pytest.approx(660, abs=3)


@pytest.mark.parametrize(
    ("suffix", "video", "audio"),
    [
        *(("mp4", "libx264", "aac"), ("mov", "mpeg4", "aac"), ("mkv", "libx264", "aac"), ("webm", "libvpx", "libopus")),
        *(("wav", None, "pcm_s16le"), ("ac3", None, "ac3"), ("mp2", None, "mp2"), ("m2v", "mpeg2video", None)),
    ],
)
def test_other_containers(tmp_path, suffix, video, audio):
    parts, fields, _ = read(join(tmp_path, suffix, *PIECES, video=video, audio=audio))
    assert fields["seconds"] == pytest.approx(12, abs=0.3)
    check(parts, ORDER)


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_long_pieces_join_across_chunks(tmp_path, monkeypatch, suffix):
    """Chunks begin and end anywhere, at a joint too."""
    chunks_of(monkeypatch, 40.0)
    pieces = [{"colour": colour, "seconds": seconds} for colour, seconds in LONG]
    parts, fields, chunks = read(join(tmp_path, suffix, *pieces))
    assert chunks > 2
    assert fields["seconds"] == pytest.approx(91, abs=0.5)
    check(parts, LONG)
    assert {part.modality for part in parts} == {Modality.VIDEO, Modality.AUDIO}


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mp3", "libmp3lame"), ("aac", "aac"), ("opus", "libopus"), ("flac", "flac")],
)
@pytest.mark.parametrize("rates", [(48_000, 48_000, 48_000), (48_000, 24_000, 16_000), (44_100, 22_050, 48_000)])
def test_sounds_of_any_rates(tmp_path, suffix, codec, rates):
    if codec == "libopus":
        rates = tuple(rate if rate in (48_000, 24_000, 16_000) else 12_000 for rate in rates)
    layouts = ("stereo", "mono", "stereo")
    pieces = [{**p, "rate": r, "layout": lay} for p, r, lay in zip(PIECES, rates, layouts, strict=True)]
    parts, fields, _ = read(join(tmp_path, suffix, *pieces, video=None, audio=codec))
    assert (fields["kind"], fields["seconds"]) == ("audio", pytest.approx(12, abs=0.3))
    check(parts, ORDER)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp3", "libmp3lame"), ("opus", "libopus"), ("aac", "aac"), ("flac", "flac")]
)
def test_long_sounds_join_across_chunks(tmp_path, monkeypatch, suffix, codec):
    chunks_of(monkeypatch, 40.0)
    pieces = [{"colour": colour, "seconds": seconds, "layout": "mono"} for colour, seconds in LONG]
    parts, fields, chunks = read(join(tmp_path, suffix, *pieces, video=None, audio=codec))
    assert chunks > 2
    assert fields["seconds"] == pytest.approx(91, abs=0.5)
    check(parts, LONG)


def test_ogg_of_vorbis_and_flac(tmp_path):
    first = write_wave(
        tmp_path / "a.ogg", samples=0.5 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE), rate=RATE
    )
    rest = join(tmp_path, "oga", *PIECES[1:], video=None, audio="flac")
    first.write_bytes(first.read_bytes() + rest.read_bytes())
    check(read(first)[0], ORDER)


def test_the_whole_length_is_what_is_limited(tmp_path):
    path = join(tmp_path, "mp3", *PIECES, video=None, audio="libmp3lame")
    with pytest.raises(LimitExceeded, match="12 seconds, above the limit of 8; raise `max_seconds`"):
        read(path, limits=Limits(max_seconds=8))


def test_one_packet_with_another_time_is_no_joint(tmp_path):
    """Its time stamp is damaged: what comes before and after it stays one film."""
    data = bytearray(write_piece(tmp_path / "f.ts", "r", 12.0))
    packets = range(0, len(data), 188)
    heads = [
        at
        for at in packets
        if data[at + 1] & 0x40 and data[at + 4 + (1 + data[at + 4]) * (data[at + 3] >> 5 & 1) :][:4] == b"\0\0\1\xe0"
    ]
    at = heads[len(heads) // 2]
    stamp = data.index(b"\0\0\1\xe0", at) + 9
    data[stamp] ^= 0x08  # the highest bit but one: some 13 hours
    (tmp_path / "f.ts").write_bytes(data)
    parts, fields, _ = read(tmp_path / "f.ts")
    assert fields["seconds"] == pytest.approx(12, abs=0.3)
    check(parts, [("r", 12.0)])


@pytest.mark.parametrize(
    ("suffix", "video", "audio"),
    [
        *(("flv", "flv1", "libmp3lame"), ("flv", "libx264", "aac"), ("asf", "msmpeg4", "libmp3lame")),
        *(("nut", "mpeg4", "libmp3lame"), ("rm", "rv10", "ac3"), ("avi", "mpeg4", "libmp3lame")),
        *(("aiff", None, "pcm_s16be"), ("caf", None, "pcm_s16be"), ("caf", None, "alac"), ("w64", None, "pcm_s16le")),
        *(("tta", None, "tta"), ("wv", None, "wavpack"), ("voc", None, "pcm_u8"), ("au", None, "pcm_s16be")),
        *(("ac3", None, "ac3"), ("eac3", None, "eac3"), ("m2v", "mpeg2video", None), ("h264", "libx264", None)),
    ],
)
def test_files_of_rarer_containers(tmp_path, suffix, video, audio):
    parts, fields, _ = read(join(tmp_path, suffix, *PIECES, video=video, audio=audio))
    assert fields["seconds"] == pytest.approx(12, abs=0.5)
    assert {part.modality for part in parts} == {
        modality for modality, codec in ((Modality.VIDEO, video), (Modality.AUDIO, audio)) if codec
    }
    check(parts, ORDER)


@pytest.mark.parametrize("between", [b"", bytes(3), b"APETAGEX" + bytes(24)])
def test_wavpack_with_tags_between(tmp_path, between):
    pieces = [write_piece(tmp_path / "p.wv", name, s, None, "wavpack", layout="stereo") for name, s in ORDER]
    path = tmp_path / "all.wv"
    path.write_bytes(between.join(pieces))
    check(read(path)[0], ORDER)


def test_a_sign_across_two_blocks_is_found():
    sign = edges._SIGNS["nut"]
    for at in range(edges.BLOCK - 40, edges.BLOCK + 40, 7):
        data = bytes(at) + b"nut/multimedia container\0" + bytes(edges.BLOCK)
        assert list(edges._signs(BytesIO(data), sign)) == [at]


def test_what_looks_like_a_sign_within_a_file_costs_nothing(tmp_path):
    whole = write_piece(tmp_path / "one.flv", "r", 6.0, "flv1", "libmp3lame")
    path = tmp_path / "odd.flv"
    path.write_bytes(whole + b"FLV\1\5\0\0\0\x09\0\0\0\0")
    check(read(path)[0], [("r", 6.0)])
