"""Every command and the Python of docs/evaluation.md, run as they stand."""

import csv
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.media.samples import write_picture, write_wave
from typer.testing import CliRunner

from duretrieval.cli.app import app
from duretrieval.collection.collection import Collection
from duretrieval.evaluation.runs import write_judgements, write_run

PAGE = (Path(__file__).parents[2] / "docs/evaluation.md").read_text(encoding="utf-8")
ENGLISH, CHINESE = PAGE.split("\n# 评测\n")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the page's names lead somewhere."""
    media = tmp_path / "media"
    media.mkdir()
    Image.new("RGB", (64, 48), "red").save(media / "bus.png")
    write_picture(media / "halves.png")
    write_wave(media / "tone.wav", seconds=2)
    (media / "rain.txt").write_text("Rain runs down the window.")
    with Collection.open(tmp_path / "photos") as collection:
        collection.add(media)
    rows = [{"caption": "a red bus", "image": "media/bus.png"}, {"caption": "two colours", "image": "media/halves.png"}]
    (tmp_path / "pairs.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    chinese = "标题,图片\n" + "".join(f"{row['caption']},{row['image']}\n" for row in rows)
    (tmp_path / "pairs.csv").write_text(chinese, encoding="utf-8")
    write_run(tmp_path / "run.trec", {"q1": {"d1": 1.0, "d2": 0.5}})
    write_judgements(tmp_path / "qrels.txt", {"q1": {"d2": 1.0}})
    np.save(tmp_path / "similarities.npy", np.repeat(np.eye(3), 5, axis=1))
    with (tmp_path / "captions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("audiocap_id", "youtube_id", "start_time", "caption"))
        writer.writerows((5 * i + j, f"clip{i}", i, f"sound {i}") for i in range(3) for j in range(5))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train_in(here: Path) -> None:
    """The run that the page calls runs/first."""
    from duretrieval import train
    from duretrieval.training import to_recipe

    rows = []
    for place, colour in enumerate(("red", "green", "blue", "yellow", "black", "white", "pink", "brown") * 3):
        Image.new("RGB", (64, 48 + place), colour).save(here / f"{place}.png")
        split = ("train", "val", "test")[place // 8]
        rows.append({"text": f"{colour} paper, {place}", "image": f"{place}.png", "split": split})
    (here / "papers.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    table = {"name": "first", "dim": 16, "views": [["text"], ["image"]], "data": {"near_duplicates": False}}
    recipe = to_recipe({**table, "heads": {"use": "linear"}, "fit": {"epochs": 1, "accelerator": "cpu"}})
    train(recipe, here / "papers.jsonl", here / "runs/first", cache=here / "features")


def commands(text: str) -> list[str]:
    return re.findall(r"^\$ duretrieval (.+)$", text, re.MULTILINE)


@pytest.mark.slow
def test_commands(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In either language, those that both have once."""
    train_in(here)
    monkeypatch.setattr("duretrieval.cli.judging.at_a_terminal", lambda: True)  # the keys come from a pipe here
    english, chinese = commands(ENGLISH), commands(CHINESE)
    assert min(len(english), len(chinese)) >= 5
    for command in dict.fromkeys([*english, *chinese]):
        done = CliRunner().invoke(app, shlex.split(command), input="ynyynnyynnq")
        assert done.exit_code == 0, f"{command}\n{done.output}\n{done.exception!r}"
        assert done.stdout.strip(), f"{command} printed nothing"
    assert (here / "out/report.html").is_file()


def test_python(here: Path) -> None:
    [code] = re.findall(r"```python\n(.+?)```", ENGLISH, re.DOTALL)
    exec(code, {})
    assert (here / "out/python/result.json").is_file()


def test_protocols_are_all_named() -> None:
    from duretrieval.evaluation.protocols import PROTOCOLS

    assert all(name in ENGLISH for name in PROTOCOLS)
