"""What files hold, where a column or a folder leaves it open: asked elsewhere, many at once."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from unittest.mock import Mock

import av
import pytest
from tests.media.samples import write_animation, write_picture, write_video, write_wave

from duretrieval.errors import MediaError
from duretrieval.media import Chunk, Limits, container, holding
from duretrieval.media.chunk import Ask
from duretrieval.media.holding import modalities_of
from duretrieval.media.kinds import modality_of
from duretrieval.training.data.class_folders import read_class_folders
from duretrieval.training.data.json_folder import read_json_folder
from duretrieval.training.data.manifest import read_manifest
from duretrieval.types import Modality, Reading

REAL = holding.tell


def files(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    write_picture(folder / "picture.png")
    write_animation(folder / "moving.gif")
    write_video(folder / "film.mp4", seconds=1)
    write_wave(folder / "sound.wav", seconds=1)
    write_wave(folder / "other.wav", seconds=1)
    (folder / "words.txt").write_text("words")
    (folder / "noise.xyz").write_bytes(bytes(4000))
    return folder


def harmful(path: Path, reading: Reading, limits: Limits, start: Ask) -> Chunk:
    """In the place of `tell`: some files do harm, by their names."""
    if path.stem == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if path.stem == "lie":
        return Chunk((), {"kind": "whole"})
    if path.stem == "silent":
        return Chunk(())
    return REAL(path, reading, limits, start)


def test_each_as_one_process_would_say(tmp_path: Path) -> None:
    paths = sorted(files(tmp_path).iterdir())
    found = modalities_of([*paths, *paths, tmp_path / "absent.mp4"])
    assert set(found) == {*paths, tmp_path / "absent.mp4"}
    for path in paths:
        try:
            expected: object = modality_of(path)
        except MediaError as error:
            expected = str(error)
        assert (found[path] if isinstance(found[path], Modality) else str(found[path])) == expected
    assert {path.stem: str(found[path]) for path in paths if path.stem != "noise"} == {
        "picture": "image",
        "moving": "image",
        "film": "video",
        "sound": "audio",
        "other": "audio",
        "words": "text",
    }
    assert "no such file" in str(found[tmp_path / "absent.mp4"])


def test_no_container_is_opened_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By no reader whose columns leave it open."""
    place = files(tmp_path / "class")
    opened = Mock(side_effect=AssertionError("opened here"))
    monkeypatch.setattr(container, "opened", opened)
    monkeypatch.setattr(av, "open", opened)
    (tmp_path / "rows.csv").write_text("text,file\na,class/film.mp4\nb,class/sound.wav\nc,class/picture.png\n")
    read = read_manifest(tmp_path / "rows.csv")
    assert [sample.columns["file"].modality for sample in read.samples] == ["video", "audio", "image"]
    (tmp_path / "json").mkdir()
    for name in ("film.mp4", "noise.xyz"):
        (tmp_path / "json" / f"{name}.json").write_text(f'{{"text": "a", "file": "../class/{name}"}}')
    read = read_json_folder(tmp_path / "json")
    assert [sorted(sample.columns) for sample in read.samples] == [["file", "text"], ["text"]]
    assert "nothing here reads this kind of file" in str(read.problems[0])
    place.rename(tmp_path / "classes-of-films")
    (tmp_path / "all").mkdir()
    (tmp_path / "classes-of-films").rename(tmp_path / "all" / "films")
    read = read_class_folders(tmp_path / "all")
    assert [sample.id for sample in read.samples] == sorted(sample.id for sample in read.samples)
    assert len(read.samples) == 6
    assert [problem.file.name for problem in read.problems if problem.file] == ["noise.xyz"]
    opened.assert_not_called()


def test_a_file_that_harms_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "tell", harmful)
    for name in ("crash", "lie", "silent", "fine", "good"):
        write_wave(tmp_path / f"{name}.wav", seconds=1)
    (tmp_path / "rows.csv").write_text(
        "text,file\n" + "".join(f"{name},{name}.wav\n" for name in ("crash", "fine", "lie", "silent", "good"))
    )
    read = read_manifest(tmp_path / "rows.csv")
    there = [sample.columns["text"].content for sample in read.samples if "file" in sample.columns]
    assert there == ["fine", "good"]
    assert [problem.line for problem in read.problems] == [2, 4, 5]
    assert "it crashed its decoder (SIGSEGV)" in str(read.problems[0])
    assert "its decoder was taken over or is broken: it answered what is no modality" in str(read.problems[1])
    assert "it answered what is no modality" in str(read.problems[2])
