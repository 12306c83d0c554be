"""Rows of frozen encoders: computed once, found by content, and a reason where there is none."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.training.full import no_file_above

from duretrieval.errors import ConfigError
from duretrieval.media.limits import Limits
from duretrieval.similarity import unit
from duretrieval.training.build.features import features
from duretrieval.training.build.frozen import Frozen
from duretrieval.training.data.feature_cache import FeatureCache, content_digest
from duretrieval.types import Array, Modality, Part, Reading


class Colour:
    """The mean colour of a picture, or the lengths of the words of a text; counts what it encodes."""

    dim = 3
    modalities = frozenset({Modality.IMAGE, Modality.TEXT})

    def __init__(self) -> None:
        self.seen = 0

    def encode(self, batch: Sequence[Part], /) -> Array:
        self.seen += len(batch)
        return unit(np.stack([self._one(part.content) for part in batch]).astype(np.float32))

    def _one(self, content: object) -> Array:
        if isinstance(content, str):
            return np.array([len(content), content.count("a"), content.count(" ")], dtype=np.float32)
        return np.asarray(content, dtype=np.float32).reshape(-1, 3).mean(axis=0)


def picture(path: Path, colour: tuple[int, int, int]) -> Part:
    Image.new("RGB", (32, 32), colour).save(path)
    return Part(Modality.IMAGE, path)


def rows(encoder: Colour, parts: Sequence[Part | None], folder: Path) -> tuple[Array, dict[int, str]]:
    made, starts, problems = features(Frozen(encoder), parts, Reading(), Limits(), FeatureCache(folder))
    assert (starts is None) == (len(made) == len(parts))
    return made, problems


def test_red_and_blue(tmp_path: Path) -> None:
    parts = [picture(tmp_path / "r.png", (200, 0, 0)), None, picture(tmp_path / "b.png", (0, 0, 90))]
    made, problems = rows(Colour(), parts, tmp_path / "cache")
    np.testing.assert_allclose(made, [[1, 0, 0], [0, 0, 0], [0, 0, 1]], atol=0.02)
    assert made.dtype == np.float32
    assert problems == {}


def test_the_second_run_computes_nothing_and_content_decides(tmp_path: Path) -> None:
    parts = [picture(tmp_path / f"{i}.png", (20 * i, 100, 9)) for i in range(5)]
    parts.append(picture(tmp_path / "again.png", (0, 100, 9)))  # the same content as the first
    first = Colour()
    made, _ = rows(first, parts, tmp_path / "cache")
    assert first.seen == 5
    second = Colour()
    (tmp_path / "0.png").rename(tmp_path / "renamed.png")
    moved = [Part(Modality.IMAGE, tmp_path / "renamed.png"), *parts[1:]]
    np.testing.assert_array_equal(rows(second, moved, tmp_path / "cache")[0], made)
    assert second.seen == 0
    picture(tmp_path / "1.png", (1, 2, 250))  # the same path, other content
    rows(second, moved, tmp_path / "cache")
    assert second.seen == 1


def test_a_stretch_and_a_modality_are_part_of_what_it_is(tmp_path: Path) -> None:
    path = picture(tmp_path / "x.png", (1, 2, 3)).content
    assert isinstance(path, Path)
    kinds = [
        Part(Modality.IMAGE, path),
        Part(Modality.IMAGE, path, start_s=1.0),
        Part(Modality.IMAGE, path, start_s=1.0, end_s=2.0),
        Part(Modality.VIDEO, path),
        Part(Modality.TEXT, str(path)),
        Part(Modality.IMAGE, np.zeros((2, 3), np.uint8)),
        Part(Modality.IMAGE, np.zeros((3, 2), np.uint8)),
    ]
    assert len({content_digest(part) for part in kinds}) == len(kinds)


@pytest.mark.parametrize("harm", ["cut", "foreign", "other keys", "of another format", "uneven"])
def test_a_damaged_file_is_computed_again(harm: str, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    parts: list[Part | None] = [Part(Modality.TEXT, "a b"), Part(Modality.TEXT, "aaa")]
    made, _ = rows(Colour(), parts, tmp_path)
    (file,) = tmp_path.glob("*.safetensors")
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:-5])
    elif harm == "foreign":
        file.write_bytes(b"not a tensor")
    elif harm == "other keys":
        save_file({"a": np.zeros(3)}, file)
    else:
        held = {"digests": np.zeros((2, 16), np.uint8), "rows": np.zeros((3, 3), np.float32)}
        save_file(held if harm == "of another format" else {**held, "counts": np.array([1, 1])}, file)
    encoder = Colour()
    np.testing.assert_array_equal(rows(encoder, parts, tmp_path)[0], made)
    assert encoder.seen == 2


def test_what_cannot_be_read_is_zero_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (tmp_path / "words.txt").write_text("only words")
    parts = [
        Part(Modality.IMAGE, tmp_path / "gone.png"),
        Part(Modality.IMAGE, tmp_path / "broken.png"),
        picture(tmp_path / "good.png", (0, 50, 0)),
        Part(Modality.IMAGE, tmp_path / "words.txt"),
        Part(Modality.TEXT, ""),
    ]
    encoder = Colour()
    made, problems = rows(encoder, parts, tmp_path / "cache")
    assert set(problems) == {0, 1, 3, 4}
    assert "gone.png cannot be opened: no such file" in problems[0]
    assert "broken.png" in problems[1]
    assert "words.txt: it holds text, no image" in problems[3]
    assert problems[4] == "the encoder finds nothing in it"
    np.testing.assert_allclose(made, [[0] * 3, [0] * 3, [0, 1, 0], [0] * 3, [0] * 3], atol=0.02)


def test_a_content_has_a_row_a_passage(tmp_path: Path) -> None:
    from duretrieval.collection.reading import Road

    file = tmp_path / "long.txt"
    file.write_text("\n\n".join(f"banana {'pear ' * (60 + 40 * i)}" for i in range(6)))
    part = Part(Modality.TEXT, file)
    with Road(Reading(), Limits(), workers=1) as road:
        read = road.read(part).wanted()
    assert len(read) > 1
    encoder = Colour()
    made, _ = rows(encoder, [part], tmp_path / "cache")
    each = np.stack([Colour().encode([piece])[0] for piece in read])
    np.testing.assert_allclose(made, each, atol=1e-6)
    again = [None, part, Part(Modality.TEXT, "a b"), part]
    made, starts, _ = features(Frozen(encoder), again, Reading(), Limits(), FeatureCache(tmp_path / "cache"))
    n = len(read)
    assert starts is not None
    assert starts.tolist() == [0, 1, 1 + n, 2 + n, 2 + 2 * n]
    np.testing.assert_array_equal(made[1 : 1 + n], made[2 + n :])
    assert encoder.seen == n + 1  # the rest was kept
    inline = [Part(Modality.TEXT, file.read_text())]
    np.testing.assert_array_equal(rows(Colour(), inline, tmp_path / "other")[0], made[1 : 1 + n])


def test_progress_counts_every_part(tmp_path: Path) -> None:
    told: list[int] = []
    parts = [Part(Modality.TEXT, f"a {i}a") for i in range(40)]
    features(Frozen(Colour()), parts, Reading(), Limits(), FeatureCache(tmp_path), told.append)
    assert told == list(range(1, 41))


def write(folder: str, start: int) -> None:
    cache = FeatureCache(Path(folder))
    for i in range(start, start + 50):
        cache.put(i.to_bytes(16, "big"), np.full((1, 3), i, np.float32))
        if i % 7 == 0:
            cache.flush()
    cache.flush()


def test_two_processes_may_write(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=write, args=(str(tmp_path), start), daemon=True) for start in (0, 30)]
    for process in both:
        process.start()
    for process in both:
        process.join()
        assert process.exitcode == 0
    found = FeatureCache(tmp_path)
    for i in range(80):
        np.testing.assert_array_equal(found[i.to_bytes(16, "big")], np.full((1, 3), i, np.float32))
    assert not list(tmp_path.glob("*.part*"))


def test_a_full_disk_and_a_folder_that_is_none(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache")
    for i in range(200):
        cache.put(bytes([i]) * 16, np.ones((1, 32), np.float32))
    with (
        no_file_above(1000),
        pytest.raises(ConfigError, match=r"cannot be kept in .*cache: File too large"),
    ):
        cache.flush()
    assert list((tmp_path / "cache").iterdir()) == []  # nothing half
    cache.flush()
    assert bytes([7]) * 16 in FeatureCache(tmp_path / "cache")
    (tmp_path / "file").touch()
    other = FeatureCache(tmp_path / "file")
    other.put(b"x" * 16, np.ones((1, 3), np.float32))
    with pytest.raises(ConfigError, match=r"cannot be kept in .*file: File exists\. Make room there, or name another"):
        other.flush()


def test_a_file_that_cannot_be_read_now_is_not_taken_for_damaged(tmp_path: Path) -> None:
    """A folder of that name stands for a disk that fails for a moment; an empty file is damaged, and goes."""
    (tmp_path / "a.safetensors").mkdir()
    (tmp_path / "b.safetensors").touch()
    FeatureCache(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


class Sick(Colour):
    """Infinite for a dark picture."""

    def _one(self, content: object) -> Array:
        mean = super()._one(content)
        return mean if mean.any() else np.array([np.inf, 0, 0], np.float32)

    def encode(self, batch: Sequence[Part], /) -> Array:
        return np.stack([self._one(part.content) for part in batch])


def test_rows_that_are_not_finite_are_problems(tmp_path: Path) -> None:
    parts = [picture(tmp_path / "r.png", (200, 0, 0)), picture(tmp_path / "black.png", (0, 0, 0))]
    made, problems = rows(Sick(), parts, tmp_path / "cache")
    assert problems == {1: "the encoder makes numbers of it that are not finite"}
    assert made[1].tolist() == [0, 0, 0]
    assert len(FeatureCache(tmp_path / "cache")._rows) == 1
