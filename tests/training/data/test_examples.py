"""Samples with their files decoded, the same whoever asks."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.media.samples import (
    BLUE,
    GREEN,
    RED,
    tone,
    write_animation,
    write_picture,
    write_sound,
    write_video,
    write_wave,
)
from torch.utils.data import DataLoader

from duretrieval.errors import ConfigError, DamagedMedia, MediaError
from duretrieval.media import DecoderPool, Limits
from duretrieval.media.chunk import Clip
from duretrieval.media.window import window
from duretrieval.training.data.content import load
from duretrieval.training.data.examples import Examples
from duretrieval.training.data.sample import Sample
from duretrieval.training.samplers.order import Order
from duretrieval.types import Modality, Part, Reading

READING = Reading(image_side=32, sample_rate=8000, window_s=2.0, frames_per_window=4)
VIDEO, AUDIO, IMAGE, TEXT = Modality.VIDEO, Modality.AUDIO, Modality.IMAGE, Modality.TEXT


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 12 s, red, green, blue, red (5 s each), its sound, a picture, a text."""
    folder = tmp_path_factory.mktemp("media")
    write_video(folder / "film.mp4")
    write_wave(folder / "sound.wav", seconds=12)
    write_picture(folder / "picture.png")
    write_animation(folder / "moving.gif")
    (folder / "words.txt").write_text("A red bus.\n\nIt rains.")
    (folder / "broken.png").write_bytes((folder / "picture.png").read_bytes()[:60])
    return folder


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(READING, Limits(), workers=1) as held:
        yield held


def colour(frame: np.ndarray) -> tuple[int, ...]:
    """The pure colour nearest to a frame's middle."""
    return tuple(255 * (frame[16, 16] > 127))


def test_a_sample_of_everything(media: Path) -> None:
    columns = {
        "text": Part(TEXT, "a bus"),
        "image": Part(IMAGE, media / "picture.png"),
        "video": Part(VIDEO, media / "film.mp4"),
        "audio": Part(AUDIO, media / "sound.wav"),
        "words": Part(TEXT, media / "words.txt"),
        "features": Part(VIDEO, np.ones((5, 3), np.float32)),
    }
    sample = Sample("1", columns, label="bus", key="k")
    examples = Examples([sample], READING)
    assert len(examples) == 1
    out = examples[0]
    assert (out.id, out.label, out.key) == ("1", "bus", "k")
    content = {column: part.content for column, part in out.columns.items()}
    assert content["text"] == "a bus"
    assert content["image"].shape == (32, 32, 3)
    assert content["image"].dtype == np.uint8
    assert content["video"].shape == (4, 32, 32, 3)
    assert content["audio"].shape == (16000,)
    assert content["audio"].dtype == np.float32
    assert content["words"] == "A red bus.\n\nIt rains."
    np.testing.assert_array_equal(content["features"], np.ones((5, 3)))


@pytest.mark.parametrize(
    ("start", "end", "at", "wanted"),
    [
        (None, None, 0.5, (9.0, 11.0)),
        (None, None, 0.0, (0.0, 2.0)),
        (None, None, 1.0, (18.0, 20.0)),
        (4.0, 5.5, 0.5, (4.0, 5.5)),  # shorter than a window: all of it
        (4.0, 10.0, 0.25, (5.0, 7.0)),
        (19.0, 30.0, 0.5, (19.0, 20.0)),
    ],
)
def test_where_a_window_lies(start: float, end: float, at: float, wanted: tuple[float, float]) -> None:
    span = window(Part(VIDEO, None, start_s=start, end_s=end), 20.0, 2.0, at)
    assert (span.start_s, span.end_s) == pytest.approx(wanted)


def test_a_film_of_unknown_length_gives_its_first_window() -> None:
    assert window(Part(VIDEO, None), None, 2.0, 0.7).start_s == 0


def test_a_window_after_the_end() -> None:
    with pytest.raises(DamagedMedia, match=r"to be read from 25 s on, but ends at 20 s; correct the row's start"):
        window(Part(VIDEO, None, start_s=25), 20.0, 2.0, 0.5)


@pytest.mark.parametrize(("start", "wanted"), [(1.0, RED), (6.0, GREEN), (10.0, BLUE)])
def test_the_stretch_that_a_row_names(media: Path, start: float, wanted: tuple[int, ...], pool: DecoderPool) -> None:
    """Red until 5 s, green until 10 s, then blue; and the tone of that second."""
    part = load(Part(VIDEO, media / "film.mp4", start_s=start, end_s=start + 1.5), pool)
    assert part.content.shape == (4, 32, 32, 3)
    assert {colour(frame) for frame in part.content} == {wanted}
    assert (part.start_s, part.end_s) == (start, start + 1.5)
    sound = load(Part(AUDIO, media / "sound.wav", start_s=start, end_s=start + 1.5), pool)
    spectrum = np.abs(np.fft.rfft(sound.content))
    heard = np.argmax(spectrum) * 8000 / len(sound.content)
    assert heard == pytest.approx(dict(zip((RED, GREEN, BLUE), (440, 880, 1760), strict=True))[wanted], rel=0.02)


def test_frames_are_spread_over_the_window(media: Path) -> None:
    """From 3 s to 7 s: two frames before the film turns green at 5 s, two after."""
    with DecoderPool(replace(READING, window_s=4.0), Limits(), workers=1) as pool:
        part = load(Part(VIDEO, media / "film.mp4", start_s=3, end_s=7), pool)
    assert [colour(frame) for frame in part.content] == [RED, RED, GREEN, GREEN]


def test_the_sound_of_a_film(media: Path, pool: DecoderPool) -> None:
    part = load(Part(AUDIO, media / "film.mp4", start_s=6, end_s=7), pool)
    assert part.content.shape == (8000,)
    assert np.abs(part.content).max() > 0.3


def test_a_film_whose_pictures_end_early_gives_its_first_window(tmp_path: Path, pool: DecoderPool) -> None:
    """Matroska tells the length of the whole only: here 12 s of sound, and pictures for 2."""
    path = write_video(tmp_path / "early.mkv", seconds=2, samples=tone(12, 48_000))
    part = load(Part(VIDEO, path), pool)
    assert (part.start_s, part.end_s) == (0, 2)
    assert {colour(frame) for frame in part.content} == {RED}
    with pytest.raises(DamagedMedia, match="no pictures can be decoded between 6 s and 8 s"):
        load(Part(VIDEO, path, start_s=6, end_s=8), pool)


def test_compressed_sound_is_cut_where_it_is_asked(tmp_path: Path, pool: DecoderPool) -> None:
    path = write_sound(tmp_path / "a.mp3", "mp3")
    sound = load(Part(AUDIO, path, start_s=6, end_s=7), pool).content
    assert np.argmax(np.abs(np.fft.rfft(sound))) == pytest.approx(880, abs=15)


def test_an_animated_picture_is_a_picture_or_a_film(media: Path, pool: DecoderPool) -> None:
    assert load(Part(IMAGE, media / "moving.gif"), pool).content.shape == (32, 32, 3)
    film = load(Part(VIDEO, media / "moving.gif"), pool)
    assert film.content.shape == (4, 32, 32, 3)
    assert colour(film.content[0]) == GREEN  # the middle one of three windows


def test_training_takes_windows_at_random_validation_the_middle(media: Path) -> None:
    rows = [Sample(str(n), {"video": Part(VIDEO, media / "film.mp4")}) for n in range(6)]
    still = Examples(rows, READING)
    assert {still[n].columns["video"].start_s for n in range(6)} == {5.0}
    moving = Examples(rows, READING, training=True)
    starts = [moving[n].columns["video"].start_s for n in range(6)]
    assert len(set(starts)) == 6
    assert all(0 <= start <= 10 for start in starts)
    moving.set_epoch(1)
    assert [moving[n].columns["video"].start_s for n in range(6)] != starts
    moving.set_epoch(0)
    assert [moving[n].columns["video"].start_s for n in (5, 0)] == [starts[5], starts[0]]
    assert Examples(rows, READING, seed=1, training=True)[0].columns["video"].start_s != starts[0]


def brighter(part: Part, rng: np.random.Generator) -> Part:
    if part.modality is not IMAGE:
        return part
    return replace(part, content=np.minimum(part.content, 254) + np.uint8(rng.integers(2)))


def test_augmentation_sees_decoded_parts(media: Path) -> None:
    sample = Sample("1", {"image": Part(IMAGE, media / "picture.png"), "text": Part(TEXT, "a")})
    out = Examples([sample], READING, augment=brighter)[0]
    assert out.columns["image"].content.shape == (32, 32, 3)
    assert out.columns["text"].content == "a"


@pytest.mark.slow
def test_the_same_with_any_number_of_workers(media: Path) -> None:
    """Also in the second epoch, which running workers must hear of.

    Started anew, not forked: a fork takes along the locks of Lance's threads, not the threads, and may wait for ever.
    """
    rows = [
        Sample(str(n), {"image": Part(IMAGE, media / "picture.png"), "video": Part(VIDEO, media / "moving.gif")})
        for n in range(6)
    ]
    seen = []
    for workers in (0, 2):
        examples = Examples(rows, READING, augment=brighter, training=True)
        order = Order(6, 4, seed=0, steps=2)
        start = "spawn" if workers else None
        batches = DataLoader(
            examples, batch_sampler=order, collate_fn=list, num_workers=workers, multiprocessing_context=start
        )
        heard = []
        for epoch in range(2):
            examples.set_epoch(epoch)
            order.set_epoch(epoch)
            heard += [(s.id, s.columns["image"].content.sum(), s.columns["video"].start_s) for b in batches for s in b]
        seen.append(heard)
    assert seen[0] == seen[1]
    assert len(seen[0]) == 16
    assert seen[0][:8] != seen[0][8:]


def test_a_copy_in_another_process_gives_the_same(media: Path) -> None:
    rows = [Sample(str(n), {"video": Part(VIDEO, media / "moving.gif")}) for n in range(3)]
    examples = Examples(rows, READING, training=True)
    examples.set_epoch(3)
    copy = pickle.loads(pickle.dumps(examples))
    assert copy.epoch == 3
    assert [copy[n].columns["video"].start_s for n in range(3)] == [
        examples[n].columns["video"].start_s for n in range(3)
    ]


def test_a_file_that_does_not_decode_names_row_and_file(media: Path) -> None:
    rows = [Sample("7", {"image": Part(IMAGE, media / "broken.png")})]
    with pytest.raises(MediaError, match=r"row '7', column 'image', .*broken.png: .*Validate the data before training"):
        Examples(rows, READING)[0]


@pytest.mark.parametrize(
    ("modality", "name", "reason"),
    [
        (IMAGE, "film.mp4", "it is a film or a sound; the column holds a picture"),
        (VIDEO, "sound.wav", "it is a sound and has no pictures; name it in an audio column"),
        (AUDIO, "picture.png", "it is a picture; the column holds a sound"),
        (TEXT, "picture.png", "it is a picture; the column holds a text"),
        (IMAGE, "absent.png", "it cannot be opened: no such file"),
    ],
)
def test_a_file_of_another_kind(media: Path, modality: Modality, name: str, reason: str, pool: DecoderPool) -> None:
    with pytest.raises(MediaError, match=reason):
        load(Part(modality, media / name), pool)


def test_a_file_that_is_no_film_any_more_when_it_is_decoded(media: Path, pool: DecoderPool) -> None:
    with pytest.raises(MediaError, match="it is neither a film nor a sound, and has no windows"):
        pool.submit(media / "picture.png", Clip(VIDEO, 0.5)).result()


def test_a_film_without_sound(tmp_path: Path, pool: DecoderPool) -> None:
    path = write_video(tmp_path / "mute.mp4", seconds=1, audio=None)
    with pytest.raises(MediaError, match="it is a film without sound; name it in a video column"):
        load(Part(AUDIO, path), pool)


def test_a_film_past_a_limit(media: Path) -> None:
    said = r"12 seconds, above the limit of 3; raise `max_seconds`"
    with DecoderPool(READING, Limits(max_seconds=3), workers=1) as pool, pytest.raises(MediaError, match=said):
        load(Part(VIDEO, media / "film.mp4"), pool)


def test_an_index_beyond_the_end() -> None:
    examples = Examples([Sample("1", {"text": Part(TEXT, "a")})])
    assert examples[-1].id == "1"
    with pytest.raises(IndexError, match="there is no sample 1; there are 1"):
        examples[1]


def test_by_reader(media: Path) -> None:
    path = media / "m.csv"
    path.write_text("id,text,image,split\na,one,picture.png,train\nb,two,picture.png,test\nc,,,test\n")
    examples = Examples.read("manifest", path, READING, split="test", leave_out=True, columns={"text": "text"})
    assert [sample.id for sample in examples.samples] == ["b"]
    with pytest.raises(ConfigError, match=r"m.csv: 1 rows cannot be used: .*m.csv:4: .*set leave_out to go on"):
        Examples.read("manifest", path)
    with pytest.raises(ConfigError, match="there is no sample in split 'val'; its splits are: test, train"):
        Examples.read("manifest", path, split="val", leave_out=True)
