"""The commands and the Python of both READMEs are run as they stand."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from PIL import Image, ImageDraw
from tests.shell import Shell, in_process

ROOT = Path(__file__).parents[1]
READMES = ["README.md", "README.zh-CN.md"]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder in which the READMEs' names lead somewhere."""
    media = tmp_path / "media"
    media.mkdir()
    bus = Image.new("RGB", (320, 240), "white")
    ImageDraw.Draw(bus).rectangle((40, 60, 280, 180), fill="red")
    bus.save(media / "bus.png")
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000 * 3) / 16_000)
    soundfile.write(media / "tone.wav", tone, 16_000)
    (media / "notes.txt").write_text("The red bus stops in front of the station.")
    (media / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0nothing")
    film(media / "film.mp4")
    rows = [
        {"id": "bike-1", "title": "A bicycle to ride to work", "image": "media/bus.png", "price": 80},
        {"id": "lamp-1", "title": "A lamp", "price": 20},
    ]
    (tmp_path / "products.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    pairs(tmp_path)
    return tmp_path


def pairs(folder: Path) -> None:
    """Drawings and what they are called, to train with."""
    (folder / "drawings").mkdir()
    rows = []
    for colour in ("red", "green", "blue", "black", "orange", "purple"):
        for shape, split in {"circle": "train", "square": "train", "bar": "val", "ring": "test"}.items():
            image, box = Image.new("RGB", (64, 64), "white"), (12, 12, 52, 52)
            pen = ImageDraw.Draw(image)
            if shape == "bar":
                pen.rectangle((28, 4, 36, 60), fill=colour)
            elif shape == "square":
                pen.rectangle(box, fill=colour)
            else:
                pen.ellipse(box, fill=colour if shape == "circle" else None, outline=colour, width=8)
            name = f"drawings/{colour}-{shape}.png"
            image.save(folder / name)
            rows.append({"text": f"a {colour} {shape}", "image": name, "split": split})
    (folder / "pairs.jsonl").write_text("\n".join(json.dumps(row) for row in rows))


def film(path: Path) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for i in range(30):
            frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), i * 8, np.uint8), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


@pytest.fixture
def shell(here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Runs `duretrieval ARGUMENTS` in that folder."""
    monkeypatch.chdir(here)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "cache"))
    return in_process(capfd, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("readme", READMES)
def test_commands(readme: str, shell: Shell) -> None:
    """Of the Chinese page, those that the English one lacks, and what makes the collection they ask."""
    text, english = ((ROOT / name).read_text(encoding="utf-8") for name in (readme, READMES[0]))
    commands = re.findall(r"^\$ duretrieval (.+)$", text, re.MULTILINE)
    assert len(commands) >= 14
    if readme != READMES[0]:
        ours = ("index media", "index --manifest products.jsonl")
        commands = [c for c in commands if c in ours or (f"$ duretrieval {c}\n" not in english and "-c mine" not in c)]
        assert len(commands) > 5
    for command in commands:
        done = shell(*shlex.split(command))
        assert done.code == 0, f"{command}\n{done.err}"
        assert done.out.strip(), f"{command} printed nothing"


@pytest.mark.parametrize("readme", READMES)
def test_python(readme: str, here: Path) -> None:
    [code] = re.findall(r"```python\n(.+?)```", (ROOT / readme).read_text(encoding="utf-8"), re.DOTALL)
    done = run(here, "-c", code)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4


def test_both_languages_show_the_same() -> None:
    """Commands differ in the words asked for, and in nothing else."""

    def shape(readme: str) -> list[str]:
        lines = re.findall(r"^\$ .+$", (ROOT / readme).read_text(encoding="utf-8"), re.MULTILINE)
        return sorted(re.sub(r'"[^"]*"', '""', line) for line in lines if "--where" not in line)

    assert shape(READMES[0]) == shape(READMES[1])


def test_commands_page_is_up_to_date() -> None:
    done = run(ROOT, "scripts/write_cli_docs.py", "--check")
    assert done.returncode == 0, done.stderr


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
