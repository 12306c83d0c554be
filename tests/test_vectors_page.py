"""docs/vectors.md: its example runs and prints what it says, its recipes are recipes."""

import doctest
import re
from pathlib import Path

from duretrieval.training.recipe.parts import check_names
from duretrieval.training.recipe.toml import read_recipe

PAGE = Path(__file__).parents[1] / "docs" / "vectors.md"


def test_the_example() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 12
    assert found.failed == 0


def test_the_recipes(tmp_path: Path) -> None:
    recipes = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(recipes) == 2
    for text in recipes:
        (tmp_path / "r.toml").write_text(text)
        check_names(read_recipe(tmp_path / "r.toml"))
