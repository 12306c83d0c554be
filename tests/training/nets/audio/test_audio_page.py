"""Every example in docs/audio-encoders.md runs and prints what it says; its recipes name what there is."""

import doctest
import inspect
import re
import tomllib
from pathlib import Path

from duretrieval.encode.sound import OnnxSound
from duretrieval.training import parts
from duretrieval.training.nets.audio.cnn import Cnn
from duretrieval.training.nets.audio.statistics import MfccStatistics

PAGE = Path(__file__).parents[4] / "docs" / "audio-encoders.md"


def test_the_page() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 15
    assert found.failed == 0


def test_its_recipes_name_what_there_is() -> None:
    recipes = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(recipes) == 2
    for recipe in recipes:
        encoding = tomllib.loads(recipe)["encoders"]["audio"]
        known = inspect.signature(parts.find("train.encoders", encoding["use"])).parameters.keys()
        assert encoding["options"].keys() <= known | inspect.signature(Cnn).parameters.keys()


def test_its_tables_name_every_encoder_and_option() -> None:
    page = PAGE.read_text(encoding="utf-8")
    ours = [name for name, (where, _) in parts.TABLE["train.encoders"].items() if ".nets.audio." in where]
    assert len(ours) == 8
    options = {name for use in ours for name in inspect.signature(parts.find("train.encoders", use)).parameters}
    for made in (Cnn, MfccStatistics, OnnxSound.load):
        options |= inspect.signature(made).parameters.keys()
    for name in {*ours, *options} - {"sizes", "folder", "threads"}:
        assert f"`{name}`" in page, name
