"""`duretrieval export clip:ID OUT`: a pretrained model as a folder, from the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tests.training.joint.tiny_joint import pictures
from typer.testing import CliRunner, Result

from duretrieval.cli.app import app
from duretrieval.errors import ConfigError, UnknownPart
from duretrieval.model.card import read_card
from duretrieval.model.model import Model

Tiny = Callable[[str], Path]
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = sys.modules["transformers"] = None
from duretrieval.cli import main
sys.argv[0] = "duretrieval"
main()
"""


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def without_torch(*arguments: str | Path) -> str:
    command = [sys.executable, "-c", WITHOUT_TORCH, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_model_is_written_by_its_name_and_found_with_without_torch(tiny: Tiny, tmp_path: Path) -> None:
    for i, array in enumerate(pictures(3)):
        (tmp_path / "files").mkdir(exist_ok=True)
        Image.fromarray(array).save(tmp_path / "files" / f"{i}.png")
    name, model = f"clip:{tiny('clip')}", tmp_path / "model"
    said = run("export", name, model, "--name", "ours", "--licence", "MIT").output
    assert "Model 'ours' (image, text, video; 16 dimensions)" in said
    assert "Next: duretrieval index FOLDER --model" in said
    assert Model.load(model).name == "ours"
    assert {entry["licence"] for entry in read_card(model)["files"].values()} == {"MIT"}
    without_torch("index", tmp_path / "files", "-c", tmp_path / "c", "--model", model, "--workers", "1")
    found = without_torch("search", "--image", tmp_path / "files" / "1.png", "-c", tmp_path / "c", "-k", "1")
    assert "1.png" in found


@pytest.mark.parametrize(("kind", "maker"), [("st", "sentence"), ("siglip", "siglip"), ("clap", "clap")])
def test_other_kinds_and_what_is_not_said(tiny: Tiny, tmp_path: Path, kind: str, maker: str) -> None:
    run("export", f"{kind}:{tiny(maker)}", tmp_path / "model")
    card = read_card(tmp_path / "model")
    assert card["name"] == tiny(maker).name
    assert {entry["licence"] for entry in card["files"].values()} == {"see the model's card"}


@pytest.mark.parametrize(
    "option",
    [("--checkpoint", "best"), ("--data", "rows.jsonl"), ("--cache", "cache"), ("--trust",), ("--with", "run")],
)
def test_options_of_a_run_are_not_for_a_name(tmp_path: Path, option: tuple[str, ...]) -> None:
    why = f"{option[0]} is for the folder of a run, and clip:a/b is the name of a model; leave it out"
    with pytest.raises(ConfigError, match=why):
        run("export", "clip:a/b", tmp_path / "model", *option)
    assert not (tmp_path / "model").exists()


def test_the_licence_of_a_run_is_not_asked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--licence is for the name of a model \(clip:ID\), and .* folder of a run"):
        run("export", tmp_path, tmp_path / "model", "--licence", "MIT")


def test_a_kind_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(UnknownPart, match=r"no kind of model 'clop'\. Did you mean 'clip'"):
        run("export", "clop:a/b", tmp_path / "model")
