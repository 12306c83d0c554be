"""What a recipe takes from a hub, and its way without one: read, told, and taken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from duretrieval.cli.app import app
from duretrieval.cli.ready_recipes import online
from duretrieval.errors import ConfigError, ModelError
from duretrieval.training.recipe.offline import hub_models
from duretrieval.training.recipe.ready import ready
from duretrieval.training.recipe.recipe import Encoding
from duretrieval.training.recipe.toml import read_recipe, read_table
from duretrieval.training.tuning.search import read_search
from duretrieval.types import Modality

HUB = """
name = "mine"
[encoders.text]
use = "transformer"
model = "someone/bert"
[encoders.video]
use = "frames"
image = { use = "vision", options = { model = "someone/resnet" } }
"""
OFFLINE = """
[offline]
"encoders.text" = { use = "builtin" }
"encoders.video" = { use = "builtin-image-features" }
"fit.epochs" = 3
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(HUB + OFFLINE)
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_offline_settings_stand_whole_in_the_place_of_others_and_changes_come_after(recipe: Path) -> None:
    read = read_recipe(recipe, ["fit.epochs=4"], offline=True)
    assert read.encoders == {
        Modality.TEXT: Encoding("builtin"),
        Modality.VIDEO: Encoding("builtin-image-features"),
    }
    assert read.fit.epochs == 4
    assert read_recipe(recipe, offline=True).fit.epochs == 3
    assert read_recipe(recipe).encoders[Modality.TEXT].options == {"model": "someone/bert"}
    assert read_recipe(recipe).fit.epochs == 20


def test_models_of_a_hub_are_found_wherever_they_stand(recipe: Path, tmp_path: Path) -> None:
    assert hub_models(read_table(recipe)) == {"text": "someone/bert", "video.image": "someone/resnet"}
    local = tmp_path / "someone"
    local.mkdir()
    assert hub_models({"encoders": {"text": {"use": "transformer", "model": str(local)}}}) == {}
    assert hub_models({"encoders": {"text": {"use": "word2vec", "model": "words.bin"}}}) == {}
    assert hub_models({"encoders": {"use": "clip", "model": "openai/clip"}}) == {"all": "openai/clip"}
    assert hub_models({"encoders": {"use": "clip", "options": {"model": "openai/clip"}}}) == {"all": "openai/clip"}


def test_a_recipe_without_a_way_is_refused_with_what_it_takes(recipe: Path) -> None:
    recipe.write_text(HUB)
    said = (
        r"takes from a hub: someone/bert \(encoders.text\), someone/resnet \(encoders.video.image\), and says nothing"
    )
    with pytest.raises(ConfigError, match=said):
        read_recipe(recipe, offline=True)
    recipe.write_text("offline = 3\n" + HUB)
    with pytest.raises(ConfigError, match=r"\[offline\] is 3; it must be a table"):
        read_recipe(recipe, offline=True)


def test_every_ready_recipe_has_a_way_without_a_hub() -> None:
    for found in ready():
        read_recipe(found.name, offline=True)
        assert hub_models(read_table(found.name, offline=True)) == {}


def test_recipes_says_what_each_needs_and_reached() -> None:
    shown = run("recipes").stdout
    for block, found in zip(re.split(r"\n\n", shown), ready(), strict=False):
        first, *lines = block.splitlines()
        assert first.startswith(found.name)
        told = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines if line[:4] == "    "}
        assert set(told) == {"rows", "hub", "--offline", "reached"}
        assert found.rows.startswith(("(", "two", "any"))
    assert "google-bert/bert-base-uncased (text), facebook/convnext-tiny-224 (image)" in shown
    assert "encoders.text is builtin in the place of transformer (google-bert/bert-base-uncased)" in shown
    listed = {row["name"]: row for row in map(json.loads, run("recipes", "--json").stdout.splitlines())}
    assert listed["b-dual-encoders"]["hub"] == {"text": "google-bert/bert-base-uncased", "image": "microsoft/resnet-50"}
    assert listed["b-dual-encoders"]["offline"]["encoders.text"]["use"] == "char-ngrams"
    assert listed["e-attention"]["hub"] == {}


def test_what_stands_in_is_said_aloud(recipe: Path) -> None:
    said = run("train", recipe, "--data", "nowhere.jsonl", "--offline").stderr
    assert "offline: encoders.text is builtin in the place of transformer (someone/bert); encoders.video is" in said
    assert "in the place of frames; fit.epochs is 3 in the place of nothing" in said
    said = run("train", "pairs", "--data", "nowhere.jsonl", "--offline").stderr
    assert "offline: the recipe takes nothing from a hub" in said


def test_a_model_that_no_hub_gives_names_the_way_without(recipe: Path) -> None:
    unfetched = "transformer:someone/bert is not in this machine's cache. Fetch it by: hf download someone/bert"
    without = r"(?s)hf download someone/bert.*Or train without: --offline \(encoders.text"
    with pytest.raises(ModelError, match=without), online(recipe, offline=False):
        raise ModelError(unfetched)
    with pytest.raises(ModelError, match=r"someone/bert$"), online(recipe, offline=True):
        raise ModelError(unfetched)
    with pytest.raises(ModelError, match=r"^another$"), online(recipe, offline=False):
        raise ModelError("another")


def test_without_a_network_train_names_it_too(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    data = tmp_path / "rows.jsonl"
    rows = [{"id": str(n), "text": f"row {n}", "label": str(n % 2)} for n in range(40)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    failed = run("train", recipe, "--data", data, "--out", tmp_path / "out")
    assert isinstance(failed.exception, ModelError)
    assert "Or train without: --offline (encoders.text is builtin" in str(failed.exception)


def test_a_search_for_settings_takes_it(recipe: Path) -> None:
    recipe.write_text(HUB + OFFLINE + '[tune]\ntrials = 1\nspace = { "fit.lr" = [1e-3] }\n')
    table, search = read_search(recipe, offline=True)
    assert (table["encoders"]["text"], table["fit"]) == ({"use": "builtin"}, {"epochs": 3})
    assert search.trials == 1
    assert read_search(recipe)[0]["encoders"]["text"]["use"] == "transformer"
