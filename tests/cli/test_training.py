"""`train`, `check`, `tune`, `export` and `recipes` as a person types them."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image, ImageDraw
from typer.testing import CliRunner, Result

from duretrieval.cli.app import app
from duretrieval.cli.training_progress import interruptible
from duretrieval.errors import ConfigError, DuretrievalError
from duretrieval.model.model import Model
from duretrieval.training.recipe.ready import locate, ready
from duretrieval.training.recipe.toml import read_recipe
from duretrieval.types import Modality, Part

pytestmark = pytest.mark.slow

COLOURS = ("red", "green", "blue", "black", "orange", "purple")
FEW = ("--set", "fit.epochs=4", "--set", "data.near_duplicates=false", "--set", "heads.image.hidden=32")
SPACE = """
[tune]
trials = 2
sampler = "grid"
[tune.space]
"fit.lr" = [1e-3, 1e-2]
[heads]
use = "mlp"
hidden = 16
[fit]
epochs = 3
[data]
near_duplicates = false
"""


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty drawings and what they are called, twelve of them for validation and test."""
    folder = tmp_path_factory.mktemp("pairs")
    rows = []
    for colour in COLOURS:
        for shape in ("circle", "square", "cross", "ring", "bar"):
            draw(shape, colour).save(folder / f"{colour}-{shape}.png")
            split = {"ring": "val", "bar": "test"}.get(shape, "train")
            name = f"{colour}-{shape}"
            rows.append({"id": name, "text": f"a {colour} {shape}", "image": f"{name}.png", "split": split})
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder / "pairs.jsonl"


def draw(shape: str, colour: str) -> Image.Image:
    image = Image.new("RGB", (64, 64), "white")
    pen, box = ImageDraw.Draw(image), (12, 12, 52, 52)
    if shape == "circle":
        pen.ellipse(box, fill=colour)
    elif shape == "square":
        pen.rectangle(box, fill=colour)
    elif shape == "ring":
        pen.ellipse(box, outline=colour, width=8)
    elif shape == "bar":
        pen.rectangle((28, 4, 36, 60), fill=colour)
    else:
        pen.line((8, 8, 56, 56), fill=colour, width=10)
        pen.line((56, 8, 8, 56), fill=colour, width=10)
    return image


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return "--cache", tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def trained(pairs: Path, cache: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("runs") / "r"
    return folder, run("train", "pairs", "--data", pairs, "--out", folder, *FEW, *cache)


def test_training_ends_with_figures_and_the_next_command(trained: tuple[Path, Result]) -> None:
    folder, result = trained
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["validation", "queries", "hit@1", "hit@5", "hit@10", "rr", "ap"] in lines
    assert ["test", "queries", "hit@1", "hit@5", "hit@10", "rr", "ap"] in lines
    assert [line[1] for line in lines if line[:1] == ["text→image"]] == ["6", "6"]
    assert result.stdout.splitlines()[-1] == f"Next: duretrieval index FOLDER --model {folder / 'model'}"
    for said in ("text: 30 done", "image: 30 done", "check 1: rr ", "check 4: rr "):
        assert said in result.stderr


def test_the_next_command_is_true(trained: tuple[Path, Result], pairs: Path, tmp_path: Path) -> None:
    last = trained[1].stdout.splitlines()[-1].removeprefix("Next: duretrieval ")
    (tmp_path / "shown").mkdir()
    for name in ("red-circle.png", "blue-square.png", "black-cross.png", "green-ring.png"):
        (tmp_path / "shown" / name).symlink_to(pairs.parent / name)
    command = shlex.split(last.replace("FOLDER", str(tmp_path / "shown")))
    assert run(*command, "-c", tmp_path / "c").exit_code == 0
    for colour, shape in (("red", "circle"), ("blue", "square"), ("black", "cross")):  # of four pictures each
        found = run("search", f"a {colour} {shape}", "-c", tmp_path / "c", "-k", "1", "--json")
        assert json.loads(found.stdout)["fields"]["name"] == f"{colour}-{shape}.png"


def test_json_is_one_line(trained: tuple[Path, Result], pairs: Path, cache: tuple[str, Path]) -> None:
    folder, _ = trained
    result = run("train", "pairs", "--data", pairs, "--out", folder, *FEW, *cache, "--resume", "--json")
    row = json.loads(result.stdout)
    assert row["model"] == str(folder / "model")
    assert row["epochs"] == 4
    assert set(row["test"]) > {"text→image/hit@1", "image→text/rr", "monitor"}


def test_a_folder_in_use_is_not_trained_over(
    trained: tuple[Path, Result], pairs: Path, cache: tuple[str, Path]
) -> None:
    with pytest.raises(ConfigError, match=r"there is a run in .* already; go on with it .--resume"):
        run("train", "pairs", "--data", pairs, "--out", trained[0], *FEW, *cache)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pair"], r"there is no recipe pair; give a TOML file, .* Did you mean 'pairs'\?"),
        (["here"], r"here is a folder; give a TOML file"),
        (["pairs", "--set", "fit.epoch=3"], r"\[fit\] has no setting 'epoch'. Did you mean 'epochs'\?"),
        (["pairs", "--set", "fit.epochs"], r"'fit.epochs' is not a setting; write KEY=VALUE"),
        (["pairs", "--set", "heads.use=mpl"], r"no part called 'mpl' among the train.heads. Did you mean 'mlp'\?"),
        (["pairs", "--set", "data.reader=jsonl"], r"no part called 'jsonl' among the train.readers"),
        (["pairs", "--set", "data.column=3"], r"'manifest' has no option 'column'. Did you mean 'columns'\?"),
        (["pairs", "--set", 'views=["text","film"]'], r"a view of the column 'film', and no row has it"),
        (["pairs", "--out", "file"], r"file is a file; a run is a folder"),
        (["pairs", "--data", "gone.csv"], r"there is no data at gone.csv; give the file or folder that reader"),
        (["pairs", "--data", "empty.csv"], r"no row of empty.csv can be used by the reader 'manifest': .*no text"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_computed(
    arguments: list[str], said: str, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    Path("file").write_text("")
    Path("empty.csv").write_text("name,price\nbus,3\n")
    data = [] if "--data" in arguments else ["--data", str(pairs)]
    with pytest.raises(DuretrievalError, match=said):
        run("train", *arguments, *data)


def test_trackers_are_known_and_data_must_be_given() -> None:
    assert "'foo' is not one of 'tensorboard'" in run("train", "pairs", "--data", "x", "--track", "foo").stderr
    assert "Missing option '--data'" in run("train", "pairs").stderr


def test_check_names_each_row_that_cannot_be_used(pairs: Path) -> None:
    clean = run("check", pairs)
    assert clean.exit_code == 0
    assert "30 usable rows" in clean.stdout
    assert "train 18, val 6, test 6" in clean.stdout
    assert clean.stdout.splitlines()[-1] == "Every row can be used; nothing leaks."
    rows = [*pairs.read_text().splitlines(), json.dumps({"id": "gone", "text": "a", "image": "gone.png"}), "{"]
    (pairs.parent / "worse.jsonl").write_text("\n".join(rows))
    worse = run("check", pairs.parent / "worse.jsonl")
    assert worse.exit_code == 1
    assert "row 'gone', column 'image': it cannot be opened: no such file" in worse.stdout
    assert "worse.jsonl:32: line 32 is not JSON" in worse.stdout
    assert worse.stdout.splitlines()[-1] == "2 rows cannot be used; nothing leaks."


def test_check_knows_columns_without_a_recipe(pairs: Path) -> None:
    rows = [json.loads(line) for line in pairs.read_text().splitlines()]
    chinese = pairs.parent / "配对.jsonl"
    lines = [json.dumps({"文字": row["text"], "图片": row["image"]}, ensure_ascii=False) for row in rows]
    chinese.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match=r"its columns are 文字, 图片: .* data\.columns={ '文字' = 'text' }"):
        run("check", chinese)
    result = run("check", chinese, "--set", "data.columns={ '文字' = 'text', '图片' = 'image' }")
    assert "30 usable rows" in result.stdout
    assert "Columns: 文字 (text) in 30, 图片 (image) in 30." in result.stdout


def test_check_finds_what_is_in_two_splits(pairs: Path) -> None:
    row = {"id": "again", "text": "red ring, again", "image": "red-ring.png", "split": "train"}
    (pairs.parent / "leaky.jsonl").write_text("\n".join([pairs.read_text(), json.dumps(row)]))
    result = run("check", pairs.parent / "leaky.jsonl", "--json")
    assert result.exit_code == 1
    found = [json.loads(line) for line in result.stdout.splitlines()]
    leaks = [row["rows"] for row in found if row["kind"] == "leak"]
    assert {"train": ["again"], "val": ["red-ring"]} in leaks
    assert found[-1] == {**found[-1], "kind": "summary", "usable": 31, "unusable": 0}


def test_check_holds_rows_against_a_recipe(pairs: Path) -> None:
    with pytest.raises(ConfigError, match="a view of the column 'query', and no row has it; there are: text, image"):
        run("check", pairs, "--recipe", "e-attention")


@pytest.mark.slow
def test_tune_tries_trains_and_goes_on(pairs: Path, cache: tuple[str, Path], tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(SPACE)
    command = ("tune", tmp_path / "r.toml", "--data", pairs, "--out", tmp_path / "t", *cache)
    first = run(*command)
    assert first.exit_code == 0
    assert [line.split()[:2] for line in first.stdout.splitlines()[:2]] == [["trial", "0"], ["trial", "1"]]
    assert all(f"fit.lr={lr}" in first.stdout for lr in ("0.001", "0.01"))
    assert f"Report: {tmp_path / 't' / 'report.html'}" in first.stdout
    assert (tmp_path / "t" / "best" / "model" / "model.toml").is_file()
    again = run(*command, "--json")
    rows = [json.loads(line) for line in again.stdout.splitlines()]
    assert [row["kind"] for row in rows] == ["best"]  # both trials were there
    assert set(rows[0]["settings"]) == {"fit.lr"}


def test_tune_needs_something_to_search(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is nothing to search; add \[tune.space\]"):
        run("tune", "pairs", "--data", pairs, "--out", tmp_path / "t")


def test_train_takes_a_recipe_that_tune_takes(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(SPACE)
    assert read_recipe(tmp_path / "r.toml").fit.epochs == 3


def test_export_writes_the_model_again(trained: tuple[Path, Result], cache: tuple[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "m"
    result = run("export", trained[0], folder, "--name", "drawings", *cache)
    assert result.stdout.splitlines()[0] == f"Model 'drawings' (audio, image, text, video; 384 dimensions): {folder}"
    rows = [Model.load(path).encode([Part(Modality.TEXT, "a red bus")]) for path in (folder, trained[0] / "model")]
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)
    with pytest.raises(ConfigError, match=r"m is in use; give a folder that is empty"):
        run("export", trained[0], folder, *cache)


def test_export_averages_runs_that_differ(
    trained: tuple[Path, Result], cache: tuple[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(
        ConfigError, match="--checkpoint is for one run, and of several the best checks are averaged; l"
    ):
        run("export", trained[0], tmp_path / "m", "--with", trained[0], "--checkpoint", "last")
    with pytest.raises(ConfigError, match="one run alone has nothing to be averaged with"):
        run("export", trained[0], tmp_path / "m", "--with", trained[0], *cache)


def test_export_says_what_is_missing(trained: tuple[Path, Result], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no run in .*; make one with: duretrieval train RECIPE"):
        run("export", tmp_path, tmp_path / "m")
    copy = tmp_path / "r"
    shutil.copytree(trained[0], copy)
    facts = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps({**facts, "data": str(tmp_path / "moved.jsonl")}))
    with pytest.raises(ConfigError, match=r"the data of the run in .* is not at .*moved.jsonl; say where it is"):
        run("export", copy, tmp_path / "m")


def test_ready_recipes_are_listed_and_right() -> None:
    result = run("recipes")
    names = [r.name for r in ready()]
    assert "pairs" in names
    assert [line.split()[0] for line in result.stdout.splitlines() if line[:1].strip()][: len(names)] == names
    for name in names:
        assert read_recipe(Path(name)).name == name
    listed = [json.loads(line) for line in run("recipes", "--json").stdout.splitlines()]
    assert [Path(row["path"]) for row in listed] == [locate(Path(name)) for name in names]


def test_a_setting_can_be_dropped() -> None:
    assert Modality.AUDIO in read_recipe(Path("a-duretrieval")).encoders
    assert Modality.AUDIO not in read_recipe(Path("a-duretrieval"), ["encoders.audio="]).encoders


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_interruption_says_how_to_go_on(wrapped: bool, capsys: pytest.CaptureFixture[str]) -> None:
    def stop() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            if not wrapped:
                raise
            sys.exit(1)  # what Lightning does

    with pytest.raises(typer.Exit) as exit_, interruptible("--resume"):
        stop()
    assert exit_.value.exit_code == 130
    assert "run the same command again with --resume to go on" in capsys.readouterr().err


def test_an_exit_of_another_kind_stays_one() -> None:
    with pytest.raises(SystemExit) as exit_, interruptible():
        sys.exit(3)
    assert exit_.value.code == 3


def test_without_torch_the_commands_say_what_to_install() -> None:
    code = """
import sys
for name in ("torch", "pytorch_lightning", "transformers"):
    sys.modules[name] = None
from duretrieval.cli import main
main()
"""
    for command, status, said in (
        (["train", "pairs", "--data", "x"], 1, "error: training needs torch: pip install 'duretrieval[train]'"),
        (["recipes"], 0, ""),
        (["--help"], 0, ""),
    ):
        done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.strip()) == (status, said)
