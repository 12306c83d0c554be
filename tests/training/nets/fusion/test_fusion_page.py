"""Every example in docs/fusion.md runs and prints what it says, and its tables name what there is."""

import doctest
import re
import tomllib
from pathlib import Path

from duretrieval.training.parts import TABLE, find

PAGE = Path(__file__).parents[4] / "docs" / "fusion.md"


def test_the_page() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 20
    assert found.failed == 0


def test_the_table_names_every_fusion() -> None:
    assert set(re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.M)) == set(TABLE["train.fusions"])


def test_the_recipes_can_be_made() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    tables = [tomllib.loads(block) for block in blocks]
    assert [table["weights"]["use"] for table in tables if "weights" in table] == ["onnx-weights"]
    made = [table["fusion"] for table in tables if "weights" not in table]
    recipes = [entry for entry in made if entry["use"] != "onnx-fusion"]
    assert len(recipes) >= 3
    for entry in recipes:
        assert find("train.fusions", entry["use"])(modalities=["text", "image"], width=8, **entry["options"]).dim == 8
