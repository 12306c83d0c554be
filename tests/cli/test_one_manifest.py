"""One file, the same to `index`, `check`, `evaluate`; and `--column` as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer import BadParameter
from typer.testing import CliRunner, Result

from duretrieval.cli.app import app
from duretrieval.cli.columns import ROLES, columns, setting
from duretrieval.errors import ConfigError
from duretrieval.evaluation.labels.labelled import read_labelled
from duretrieval.media import roles
from duretrieval.training.data.manifest import read_manifest


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for colour in ("red", "blue"):
        Image.new("RGB", (48, 48), colour).save(tmp_path / f"{colour}.png")
    return tmp_path


def test_captions_in_a_list_mean_the_same_to_all(folder: Path) -> None:
    rows = [{"id": n, "image": f"{n}.png", "captions": [f"a {n} square", n]} for n in ("red", "blue")]
    path = folder / "two.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert "Every row can be used" in run("check", path, "--set", "data.near_duplicates=false").stdout
    indexed = json.loads(run("index", "--manifest", path, "-c", folder / "c", "--json").stdout)
    assert (indexed["indexed"], indexed["failed"], indexed["parts"], indexed["problems"]) == (2, 0, 6, 0)
    figures = [json.loads(line) for line in run("evaluate", "builtin", "--data", path, "--json").stdout.splitlines()]
    assert {(row["pair"], row["queries"]) for row in figures} >= {("text-image", 4), ("image-text", 2)}


@pytest.mark.parametrize("mark", [";", "\t"])
def test_the_same_table_with_other_marks(folder: Path, mark: str) -> None:
    lines = [["ID", "Text", "Image"], ["1", "a red square, plain", "red.png"], ["2", "blue", "blue.png"]]
    path = folder / "m.csv"
    path.write_text("\n".join(mark.join(line) for line in lines))
    assert [dict(sample.columns).keys() for sample in read_manifest(path).samples] == [{"text", "image"}] * 2
    assert list(read_labelled(path).together.right(range(4), range(4))) == [[0, 1]] * 2 + [[2, 3]] * 2
    assert run("index", "--manifest", path, "-c", folder / "c").stdout.startswith("2 indexed; 4 parts")
    judged = folder / "j.csv"
    judged.write_text(f"Query{mark}Item{mark}Gain\nred{mark}{folder / 'm.csv'}#1{mark}1\n")
    assert "hit@1" in run("evaluate", folder / "c", "--data", judged).stdout


def test_rows_of_one_key_belong_together(folder: Path) -> None:
    path = folder / "m.csv"
    path.write_text("text,image,key\nred,red.png,k\nscarlet,red.png,k\nblue,blue.png,\n")
    assert read_labelled(path).together.right([0], range(5))[0] == [0, 1, 2]


def test_a_bad_cell_is_the_same_to_all(folder: Path) -> None:
    path = folder / "m.jsonl"
    rows = [
        {"id": "1", "text": "red", "image": "red.png", "caption": {"a": 1}, "boxes": [[1, 2]]},
        {"id": "2", "text": "blue", "image": "blue.png"},
        {"id": "2", "text": "again", "image": "blue.png"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    read = read_manifest(path)  # nothing is learned from fields: those of detection data hold lists, and may
    assert [sample.id for sample in read.samples] == ["1", "2"]
    assert [(problem.line, problem.reason, problem.used) for problem in read.problems] == [
        (1, "column 'caption' holds dict, not text", True),
        (3, "its id '2' is that of line 2; give it another, or none", False),
    ]
    assert read_labelled(path).notes == (
        f"{path}: line 1: column 'caption' holds dict, not text",
        f"{path}: line 3: its id '2' is that of line 2; give it another, or none",
    )
    checked = run("check", path, "--set", "data.near_duplicates=false")
    assert checked.exit_code == 1
    assert checked.stdout.splitlines()[-1] == "1 rows cannot be used, 1 not wholly; nothing leaks."
    summary = json.loads(run("check", path, "--json").stdout.splitlines()[-1])
    assert (summary["usable"], summary["unusable"], summary["partly"]) == (2, 1, 1)


def test_a_row_without_its_split_is_no_sample(folder: Path) -> None:
    path = folder / "m.jsonl"
    path.write_text('{"text": "red", "image": "red.png", "split": ["train", "test"]}')
    read = read_manifest(path)
    assert (read.samples, read.problems[0].reason) == ((), "column 'split' holds 2 values; give one")


def test_a_sample_without_an_id_is_called_as_no_other(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"text": "a"}\n{"id": "m.jsonl#1", "text": "b"}')
    assert [sample.id for sample in read_manifest(path).samples] == ["m.jsonl#1'", "m.jsonl#1"]


def test_the_report_says_how_many_failed(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("标题,货号\n" + "花,1\n" * 5, encoding="utf-8")
    command = ("index", "--manifest", path, "-c", tmp_path / "c")
    assert run(*command).stdout.startswith("5 failed; 0 parts")
    assert run(*command, "--column", "标题=text").stdout.startswith("5 indexed; 5 parts")
    assert run(*command, "--column", "标题=text,货号=id").stdout.startswith("1 indexed, 4 failed, 1 removed; 1 parts")


def test_check_reads_a_manifest_without_torch(folder: Path) -> None:
    (folder / "m.csv").write_text("text,image\nred,red.png\nblue,blue.png\n")
    code = (
        "import sys\nfor name in ('torch', 'transformers', 'lightning'): sys.modules[name] = None\n"
        "from duretrieval.cli.app import app\nif __name__ == '__main__': app(sys.argv[1:])"
    )
    (folder / "main.py").write_text(code)
    command = [sys.executable, folder / "main.py", "check", folder / "m.csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "2 usable rows" in done.stdout, done.stderr
    assert done.returncode == 0, done.stderr


class TestColumn:
    def test_the_help_names_every_role(self) -> None:
        assert ROLES.split(", ") == list(roles.ROLES)

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            (["标题=text"], {"标题": "text"}),
            (["标题=text,图片=image，货号=id"], {"标题": "text", "图片": "image", "货号": "id"}),
            (["标题=text; 图片 = image", "a,b=file"], {"标题": "text", "图片": "image", "a,b": "file"}),
            (["a=b=text"], {"a=b": "text"}),
            (["标题=text,图片=imge"], {"标题": "text", "图片": "imge"}),
        ],
    )
    def test_several_in_one(self, typed: list[str], meant: dict[str, str]) -> None:
        assert columns(typed) == meant

    @pytest.mark.parametrize("typed", ["标题", "=text", "标题=text,货号", ""])
    def test_what_is_none(self, typed: str) -> None:
        with pytest.raises(BadParameter, match="write NAME=ROLE, such as 文字=text or 图片=image"):
            columns([typed])

    def test_one_column_is_one_thing(self) -> None:
        with pytest.raises(BadParameter, match="--column says that 'a' is text and image; say one of them"):
            columns(["a=text", "a=image"])

    def test_as_a_change_of_a_recipe(self) -> None:
        assert setting(None) == []
        assert setting(['标"题=text']) == ['data.columns={ "标\\u0022题" = "text" }']

    def test_of_check(self, folder: Path) -> None:
        (folder / "m.csv").write_text("标题,图片\nred,red.png\nblue,blue.png\n", encoding="utf-8")
        shown = run("check", folder / "m.csv", "--column", "标题=text,图片=image").stdout
        assert "2 usable rows" in shown
        with pytest.raises(ConfigError, match=r"m\.csv has no column '图像'\. Its columns are: 标题, 图片"):
            run("check", folder / "m.csv", "--column", "图像=image")
        with pytest.raises(ConfigError, match=r"column '图片' cannot be 'imge'\. Did you mean 'image'\?"):
            run("check", folder / "m.csv", "--column", "图片=imge")
