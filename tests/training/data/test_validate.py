"""Every sample is good, or is named with a reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.media.samples import write_animation, write_picture, write_video, write_wave

from duretrieval.training.data.checks import validate
from duretrieval.training.data.examples import Examples
from duretrieval.training.data.read import Problem
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part, Reading

READING = Reading(image_side=32, sample_rate=8000, window_s=2.0)
VIDEO, AUDIO, IMAGE, TEXT = Modality.VIDEO, Modality.AUDIO, Modality.IMAGE, Modality.TEXT


def files(folder: Path) -> Path:
    write_picture(folder / "good.png")
    write_animation(folder / "moving.gif")
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:60])
    write_video(folder / "film.mp4", seconds=6)
    write_video(folder / "mute.mp4", seconds=1, audio=None)
    write_wave(folder / "sound.wav", seconds=3)
    (folder / "empty.txt").write_text("  \n")
    (folder / "words.txt").write_text("words")
    (folder / "noise.xyz").write_bytes(bytes(4000))
    return folder


def test_every_reason(tmp_path: Path) -> None:
    folder = files(tmp_path)
    caption = Part(TEXT, "a bus")
    parts = {
        "good": Part(IMAGE, folder / "good.png"),
        "moving": Part(IMAGE, folder / "moving.gif"),
        "film": Part(VIDEO, folder / "film.mp4", start_s=1, end_s=3),
        "heard": Part(AUDIO, folder / "film.mp4"),
        "sound": Part(AUDIO, folder / "sound.wav"),
        "words": Part(TEXT, folder / "words.txt"),
        "features": Part(VIDEO, np.ones((3, 4), np.float32)),
        "missing": Part(IMAGE, folder / "missing.png"),
        "cut": Part(IMAGE, folder / "cut.png"),
        "noise": Part(IMAGE, folder / "noise.xyz"),
        "late": Part(VIDEO, folder / "film.mp4", start_s=60),
        "mute": Part(AUDIO, folder / "mute.mp4"),
        "deaf": Part(VIDEO, folder / "sound.wav"),
        "other": Part(AUDIO, folder / "good.png"),
        "blank": Part(TEXT, " \n"),
        "nothing": Part(TEXT, folder / "empty.txt"),
        "string": Part(IMAGE, "good.png"),
        "nan": Part(AUDIO, np.full((3, 4), np.nan, np.float32)),
        "hollow": Part(AUDIO, np.zeros((0, 4), np.float32)),
    }
    samples = [Sample(name, {"caption": caption, "column": part}) for name, part in parts.items()]
    calls: list[tuple[int, int]] = []
    found = validate(samples, READING, progress=lambda done, total: calls.append((done, total)), workers=1)
    good = {sample.id for sample in found.good}
    assert good == {"good", "moving", "film", "heard", "sound", "words", "features"}
    reasons = {problem.sample: problem.reason for problem in found.problems}
    assert set(reasons) == set(parts) - good
    assert {problem.column for problem in found.problems} == {"column"}
    assert reasons["missing"] == "it cannot be opened: no such file or directory"
    assert reasons["cut"].startswith("the png decoder failed")
    assert "nothing here reads this kind of file" in reasons["noise"]
    assert reasons["late"] == "the row starts at 60 s, the file ends at 6 s"
    assert reasons["mute"] == "it is a film without sound"
    assert reasons["deaf"] == "it is a sound and has no pictures"
    assert reasons["other"] == "it is a picture; the column holds a sound"
    assert reasons["blank"] == "the text is empty"
    assert reasons["nothing"] == "it has no text"
    assert reasons["string"] == "the column holds a picture, but this is a string; a file is named by a Path"
    assert reasons["nan"] == "the array holds numbers that are not finite"
    assert reasons["hollow"] == "the array is empty, of shape (0, 4)"
    total = len({part.content for part in parts.values() if isinstance(part.content, Path)})
    assert calls == [(done, total) for done in range(1, total + 1)]
    examples = Examples(found.good, READING)
    assert [examples[n].id for n in range(len(examples))] == [sample.id for sample in found.good]


def test_rows_that_teach_nothing() -> None:
    word = {"text": Part(TEXT, "a")}
    samples = [
        Sample("1", word, label="a"),
        Sample("1", word, label="b"),
        Sample("2", word),
        Sample("3", {}),
        Sample("4", {**word, "title": Part(TEXT, "b")}),
    ]
    found = validate(samples)
    assert [sample.label for sample in found.good] == ["a", None]
    assert [str(problem) for problem in found.problems] == [
        "row '1': the id is already that of sample 1; this is sample 2",
        "row '2': there is only the column 'text' and no label: nothing to learn it with",
        "row '3': it has no column",
    ]


def test_what_a_recipe_needs() -> None:
    samples = [Sample("1", {"text": Part(TEXT, "a"), "title": Part(TEXT, "b")})]
    assert [p.reason for p in validate(samples, labels=True).problems] == ["it has no label"]
    assert [p.reason for p in validate(samples, columns=["text", "image"]).problems] == [
        "it has no column 'image'; its columns are: text, title"
    ]
    assert validate(samples, columns=["text"]).problems == ()


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (Problem(Path("m.csv"), 7, "no"), "m.csv:7: no"),
        (Problem(Path("a.png"), None, "no", "7", "image"), "a.png: row '7', column 'image': no"),
        (Problem(None, None, "no", "7"), "row '7': no"),
    ],
)
def test_a_problem_in_words(problem: Problem, said: str) -> None:
    assert str(problem) == said
