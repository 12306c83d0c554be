"""The code of docs/joint-models.md runs, with tiny models in the place of the large ones."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tests.training.joint.tiny_joint import pictures

from duretrieval import plugins
from duretrieval.model.model import Model
from duretrieval.training import parts
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.types import Modality

PAGE = Path(__file__).parents[3] / "docs" / "joint-models.md"
ID = "openai/clip-vit-base-patch32"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_python_of_the_page_runs(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for i, array in enumerate(pictures(5)):
        Image.fromarray(array).save(f"photos/{i}.png")
    Path("sentences.txt").write_text("a red bus\nthe dog barks\nrain\n")
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block.replace(ID, str(tiny("clip"))), names)
    assert len(names["hits"]) == 5  # type: ignore[arg-type]
    assert set(Model.load("clip-with-background").background) == {Modality.TEXT, Modality.IMAGE}
    assert (Path("folder") / "text.onnx").is_file()


def test_the_recipe_of_the_page_is_one() -> None:
    (block,) = blocks("toml")
    recipe = to_recipe(tomllib.loads(block))
    assert recipe.encoders[Modality.IMAGE].train == ("last 2",)
    assert {encoding.options["model"] for encoding in recipe.encoders.values()} == {ID}
    assert {encoding.use for encoding in recipe.encoders.values()} <= set(parts.names("train.encoders"))


def test_every_kind_of_name_on_the_page_is_known() -> None:
    kinds = set(re.findall(r"^\| `([a-z0-9-]+):", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert kinds == set(plugins.names("hub"))
