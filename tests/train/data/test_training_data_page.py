"""Every example in docs/training-data.md runs and prints what it says."""

import doctest
import tomllib
from pathlib import Path

from duretrieval import plugins
from duretrieval.train.augment.compose import STEPS, compose

PAGE = Path(__file__).parents[3] / "docs" / "training-data.md"


def test_the_page() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 30
    assert found.failed == 0


def test_the_recipe_names_every_step() -> None:
    recipe = PAGE.read_text(encoding="utf-8").split("```toml")[1].split("```")[0]
    settings = tomllib.loads(recipe)["augment"]
    compose(settings)
    for modality, steps in STEPS.items():
        own = set(steps) - (set(settings["image"]) if modality == "video" else set())
        assert own <= set(settings[modality]) | {"drop", "clip"}
        assert set(settings[modality]) <= set(steps)


def test_every_reader_is_in_the_table() -> None:
    for name in plugins.BUILT_IN["train.readers"]:
        assert f"| `{name}` |" in PAGE.read_text(encoding="utf-8")
