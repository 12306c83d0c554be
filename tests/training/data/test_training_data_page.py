"""Every example in docs/training-data.md runs and prints what it says."""

import doctest
import tomllib
from pathlib import Path
from typing import Any

from duretrieval.training import parts
from duretrieval.training.augment.composed import STEPS, compose
from duretrieval.training.build.network_of import draw_of
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.types import Modality, Part

PAGE = Path(__file__).parents[3] / "docs" / "training-data.md"


def test_the_page() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 30
    assert found.failed == 0


def recipes() -> list[dict[str, Any]]:
    return [tomllib.loads(block.split("```")[0]) for block in PAGE.read_text(encoding="utf-8").split("```toml")[1:]]


def test_its_samplers_draw() -> None:
    rows = [sample(n, "text+audio" if n % 2 else "text+image") for n in range(64)]
    wanted = [to_recipe(table).fit for table in recipes() if "fit" in table]
    assert [fit.sampler.use for fit in wanted] == ["per-class", "weighted"]
    for fit in wanted:
        assert len(draw_of(fit.sampler, rows, ["text", "audio", "image"])(32, 0)(5)) == 32
    for name in parts.TABLE["train.samplers"]:
        assert f"| `{name}` |" in PAGE.read_text(encoding="utf-8")


def sample(n: int, columns: str) -> Sample:
    """One of eight classes."""
    parts = {name: Part(Modality(name), "x") for name in columns.split("+")}
    return Sample(str(n), parts, label=f"class {n % 8}")


def test_the_recipe_names_every_step() -> None:
    (settings,) = [table["augment"] for table in recipes() if "augment" in table]
    compose(settings)
    for modality, steps in STEPS.items():
        own = set(steps) - (set(settings["image"]) if modality == "video" else set())
        assert own <= set(settings[modality]) | {"drop", "clip"}
        assert set(settings[modality]) <= set(steps)


def test_every_reader_is_in_the_table() -> None:
    for name in parts.TABLE["train.readers"]:
        assert f"| `{name}` |" in PAGE.read_text(encoding="utf-8")
