"""Every example in docs/losses.md runs and prints what it says, and its tables name what there is."""

import doctest
import inspect
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from duretrieval.training import parts
from duretrieval.training.recipe.recipe import Objective

OF_EVERY_PART = {*(field.name for field in fields(Objective)), "mix", "support"}
PAGE = Path(__file__).parents[3] / "docs" / "losses.md"


def test_the_page() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 20
    assert found.failed == 0


@pytest.mark.parametrize("kind", ["losses", "scores"])
def test_the_tables_name_every_part_and_its_options(kind: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    package = {"losses": "duretrieval.training.losses.", "scores": "duretrieval.training.nets.score."}[kind]
    names = [name for name, (where, _) in parts.TABLE[f"train.{kind}"].items() if where.startswith(package)]
    assert len(names) > 5
    for name in names:
        options = inspect.signature(parts.find(f"train.{kind}", name)).parameters
        rows = [line for line in text.splitlines() if line.startswith("| `") and f"`{name}`" in line.split("|")[1]]
        assert rows, name
        for option in set(options) - {"dim", "numbers", "width"}:
            assert any(f"`{option}" in line for line in rows), (name, option)


def test_its_recipes_name_parts_and_options_that_exist() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    for table in map(tomllib.loads, blocks):
        named = [("losses", part) for part in (*table.get("losses", []), *filter(None, [table.get("loss")]))]
        named += [("scores", table["score"])] if "score" in table else []
        assert named
        for kind, part in named:
            options = {k: v for k, v in part.items() if k not in OF_EVERY_PART}
            inspect.signature(parts.find(f"train.{kind}", part["use"])).bind_partial(**options)
