"""docs/training.md: every name and every setting is there with its default; its recipes and Python run."""

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from tests.shell import in_process
from tests.test_readme import pairs

from duretrieval.training.parts import TABLE
from duretrieval.training.recipe.recipe import Data, Encoding, Fit, Objective, Recipe, Relations
from duretrieval.training.recipe.toml import read_recipe
from duretrieval.training.tuning.search import read_search
from duretrieval.training.tuning.trial import Search

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
TEXT = PAGE.read_text(encoding="utf-8")
TABLES = {
    "The top of the file": Recipe,
    "`[encoders]`": Encoding,
    "`[loss]`": Objective,
    "`[data]`": Data,
    "`[data] relations`": Relations,
    "`[fit]`": Fit,
    "`[tune]`": Search,
}
BLOCKS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("kind", [kind for kind in TABLE if kind.startswith("train.")])
def test_every_name_is_there(kind: str) -> None:
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| {kind.partition('.')[2]} |")]
    assert re.findall(r"`([^`]+)`", row.split("|")[3]) == sorted(TABLE[kind])


@pytest.mark.parametrize("title", list(TABLES))
def test_every_setting_is_there_with_its_default(title: str) -> None:
    (section,) = [part for part in TEXT.split("\n### ")[1:] if part.startswith(title)]
    written = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE))
    assert written == {f.name: default(f) for f in fields(TABLES[title]) if f.name != "options"}


def default(field: Any) -> str:
    """As the page writes it; nothing for what is a table, a list, or none."""
    if field.default is MISSING and field.default_factory is MISSING:
        return "must be given"
    return f"`{json.dumps(field.default)}`" if isinstance(field.default, str | int | float) else ""


def test_every_recipe_is_read(tmp_path: Path) -> None:
    assert len(BLOCKS) == 6
    for block in BLOCKS:
        path = tmp_path / "recipe.toml"
        path.write_text(block)
        assert read_recipe(path)
    table, search = read_search(path)
    assert search.trials == 30
    assert set(search.space) == {"fit.lr", "heads.hidden", "loss.use"}
    assert table == {"heads": {"use": "mlp"}}


@pytest.mark.slow
def test_the_python_and_the_recipe_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(code, {"__name__": "__main__"})
    assert "model" in capfd.readouterr().out
    (tmp_path / "mine.toml").write_text(BLOCKS[0])
    done = in_process(capfd, monkeypatch)("train", "mine.toml", "--data", "pairs.jsonl", "--set", "fit.epochs=2")
    assert done.code == 0, done.err
    assert "model" in done.out
    assert (tmp_path / "runs" / "mine" / "model" / "model.toml").is_file()
