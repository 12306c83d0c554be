"""Every example in docs/image-video-encoders.md runs and prints what it says; its recipes name parts and options."""

import doctest
import inspect
import re
import tomllib
from pathlib import Path

from duretrieval.training import parts

PAGE = Path(__file__).parents[4] / "docs" / "image-video-encoders.md"


def test_the_page() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 20
    assert found.failed == 0


def test_recipes_name_options_that_there_are() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        for settings in tomllib.loads(block)["encoders"].values():
            takes = inspect.signature(parts.find("train.encoders", settings["use"])).parameters
            assert set(settings) - {"use", "train", "lr"} <= set(takes)


def test_the_table_lists_every_option() -> None:
    rows = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `[a-z0-9-]+`(, `[^`]+`)? \|", line)
    ]
    options = rows[-8:]
    for row in options:
        _, names, described, _ = row.split("|")
        for name in re.findall(r"`([^`]+)`", names):
            for option in inspect.signature(parts.find("train.encoders", name)).parameters:
                assert option == "threads" or re.search(rf"`{option}( = [^`]*)?`", described), f"{name}: {option}"
    assert len(options) == 8
