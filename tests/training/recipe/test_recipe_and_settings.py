"""A recipe read, changed, refused, and written out again; parts made by name."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import pytest

from duretrieval.errors import ConfigError
from duretrieval.training.recipe.json import from_json, to_json
from duretrieval.training.recipe.parts import check_names, make
from duretrieval.training.recipe.recipe import Data, Encoding, Fit, Objective, Recipe, Relations, Use
from duretrieval.training.recipe.settings import build, merge, parse
from duretrieval.training.recipe.toml import read_recipe, to_recipe
from duretrieval.training.runs.folder import described
from duretrieval.types import Modality

TWENTY_LINES = """
name = "clipart"
dim = 256
seed = 7
views = [["text"], ["image", "audio"]]

[encoders.image]
use = "convnext"
model = "facebook/convnext-tiny-224"
train = ["*stages.3*"]
lr = 1e-5

[heads]
use = "mlp"
hidden = 64

[fusion]
use = "concat"

[[losses]]
use = "hinge"
weight = 0.5
margin = 0.1
views = ["text", "image+audio"]

[fit]
epochs = 2
lr = 1
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(TWENTY_LINES)
    return path


def test_twenty_lines(path: Path) -> None:
    made = read_recipe(path)
    assert (made.name, made.dim, made.seed) == ("clipart", 256, 7)
    assert made.views == (("text",), ("image", "audio"))
    image = Encoding("convnext", {"model": "facebook/convnext-tiny-224"}, ("*stages.3*",), 1e-5)
    assert made.encoders == {Modality.IMAGE: image}
    assert made.heads == {m: Use("mlp", {"hidden": 64}) for m in Modality if m is not Modality.VIDEO}  # the picture's
    assert made.fusion == Use("concat")
    assert made.losses == (Objective("hinge", {"margin": 0.1}, 0.5, ("text", "image+audio")),)
    assert made.fit == Fit(epochs=2, lr=1.0)
    assert isinstance(made.fit.lr, float)


def test_what_is_not_said_has_its_default() -> None:
    assert to_recipe({}) == Recipe()
    fit = {
        "epochs": 20,
        "batch": 128,
        "accumulate": 1,
        "chunk": 0,
        "sampler": {"use": "shuffled", "options": {}},
        "lr": 1e-3,
        "optimizer": "adamw",
        "weight_decay": 1e-4,
        "warmup": 0.05,
        "schedule": "cosine",
        "clip": 1.0,
        "patience": 5,
        "monitor": "rr",
        "check_steps": 0,
        "precision": "32",
        "accelerator": "auto",
        "devices": 1,
        "workers": 0,
        "memory": 0,
        "hard_negatives": 0,
        "mine_every": 1,
    }
    assert asdict(Fit()) == fit
    assert Data() == Data("manifest", {}, 0.1, 0.1, None, True, 8, None, Relations(), 4.0)
    assert (Data().nearness, Data(radius=3).nearness, Data(near_duplicates=False).nearness) == (8, 3, -1)
    assert Recipe().losses == (Objective("infonce", {}, 1.0, None, "scores"),)
    assert Encoding() == Encoding("builtin", {}, (), None, 0)
    for kind in (Recipe, Fit, Data, Objective, Encoding):
        names = [f.name for f in fields(kind)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (["fit.lr=1e-4"], 1e-4),
        (["fit.lr=1"], 1.0),
        (["fit.lr = 0.5", "fit.lr=0.25"], 0.25),
    ],
)
def test_changes_replace_settings(path: Path, changes: list[str], expected: float) -> None:
    assert read_recipe(path, changes).fit.lr == expected


def test_changes_reach_options_and_new_tables(path: Path) -> None:
    made = read_recipe(path, ["heads.hidden=8", "encoders.image.model=else/where", "data.val=0.3", "seed=1"])
    assert made.heads[Modality.TEXT].options == {"hidden": 8}
    assert made.encoders[Modality.IMAGE].options == {"model": "else/where"}
    assert (made.data.val, made.seed) == (0.3, 1)
    assert made.encoders[Modality.IMAGE].train == ("*stages.3*",)


def test_merge_leaves_the_table_as_it_is() -> None:
    table = {"fit": {"lr": 1.0}}
    assert merge(table, [(("fit", "lr"), 2.0), (("a", "b", "c"), 3)]) == {"fit": {"lr": 2.0}, "a": {"b": {"c": 3}}}
    assert table == {"fit": {"lr": 1.0}}


def test_values_of_changes_are_toml_or_words() -> None:
    assert parse("a.b=true") == (("a", "b"), True)
    assert parse("a=[1, 2]") == (("a",), [1, 2])
    assert parse("a=some/path-1.x") == (("a",), "some/path-1.x")
    assert parse('a="7"') == (("a",), "7")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"fits": {}}, r"has no setting 'fits'\. Did you mean 'fit'\?.*There are: name, dim"),
        ({"fit": {"epoch": 3}}, r"\[fit\] has no setting 'epoch'\. Did you mean 'epochs'\?"),
        ({"encoders": {"imag": {"use": "x"}}}, r"\[encoders\] has no setting 'imag'\. Did you mean 'image'\?"),
        ({"heads": {"text": {"hidden": 3}}}, r"\[heads\.text\] does not say what to use"),
        ({"fit": {"lr": "fast"}}, r"\[fit\]: lr is 'fast'; it must be a number"),
        ({"fit": {"epochs": 1.5}}, r"epochs is 1\.5; it must be a whole number"),
        ({"fit": {"epochs": True}}, r"epochs is True; it must be a whole number"),
        ({"fit": {"optimizer": "adam"}}, r"optimizer is 'adam'; it must be 'adamw', 'sgd'"),
        ({"data": {"near_duplicates": 1}}, r"near_duplicates is 1; it must be true or false"),
        ({"data": {"radius": 40}}, r"data\.radius is 40; it must be from 0 \(the same picture\) to 32\. To let looks"),
        ({"data": {"radius": -1}}, r"for nothing, set near_duplicates = false"),
        ({"data": {"val": 0.6, "test": 0.5}}, r"data\.val is 0\.6 and data\.test 0\.5; they are shares of the rows"),
        ({"encoders": {"image": {"use": "a", "train": "*"}}}, r"train is '\*'; it must be a list"),
        ({"fit": {"batch": 1}}, r"fit\.batch is 1; it must be at least 2"),
        ({"fit": {"lr": 0}}, r"lr must be above 0"),
        ({"fit": {"warmup": 1.5}}, r"warmup a share from 0 to 1"),
        ({"fit": {"batch": 9, "devices": 2}}, r"make it a multiple of the devices"),
        ({"views": [["a", "b"]]}, r"several columns and nothing fuses them"),
        ({"views": ["a", "b"], "loss": {"use": "hinge", "views": ["a", "c"]}}, r"view 'c'; there are: a, b"),
        ({"views": ["a", "b"], "loss": {"use": "hinge", "views": ["a"]}}, r"names 1 views; it compares 2"),
        ({"align": "ridge", "heads": {"use": "mlp"}}, r"\[align\] takes the place"),
        ({"views": "text"}, r"views is 'text'; it must be a list of lists"),
        ({"views": 3}, r"views is 3; it must be a list of lists"),
        ({"views": [["text", 3]]}, r"it must be a list of lists"),
        ({"views": [[]]}, r"views has \[\]; each view is a list of different columns"),
        ({"views": ["a", "a"]}, r"views has \['a'\]; .* no two are alike"),
        ({"views": [["a", "a"]], "fusion": "gated"}, r"views has \['a', 'a'\]"),
        ({"encoders": 3}, r"\[encoders\] is 3; it must be a table"),
        ({"heads": [1]}, r"\[heads\] is \[1\]; it must be a table"),
        ({"encoders": {"text": 3}}, r"\[encoders\.text\] is 3; it must be a table"),
        ({"encoders": {"image": {"use": "a", "train": [3]}}}, r"train is \(3,\); it must be a list of strings"),
        ({"encoders": {"image": {"use": "a", "lr": -1}}}, r"encoder 'a' has lr -1 and lora 0; lr must be above 0"),
        ({"encoders": {"image": {"use": "a", "lora": -1}}}, r"encoder 'a' has lora -1; .* lora 0 or more"),
        ({"fusion": 3}, r"\[fusion\] is 3; it must be a table"),
        ({"loss": 3}, r"\[loss\] is 3; it must be a table"),
        ({"loss": {"use": "hinge", "options": 3}}, r"\[loss\]: options is 3; it must be a table"),
        ({"loss": {"use": "hinge", "weight": float("nan")}}, r"weight is nan; it must be a number"),
        ({"loss": {"use": "hinge", "views": "a"}}, r"views is 'a'; it must be a list of strings$"),
        ({"loss": {"use": "hinge", "views": ["a", "a"]}}, r"the loss 'hinge' compares the view 'a' with itself"),
        ({"data": "manifest"}, r"\[data\] is 'manifest'; it must be a table"),
        ({"fit": 3}, r"\[fit\] is 3; it must be a table"),
        ({"fit": {"lr": float("inf")}}, r"lr is inf; it must be a number"),
        ({"dim": 0}, r"dim 0 .* 1 dimension or more"),
        ({"seed": -1}, r"seed -1; .* a seed from 0 to 4294967295"),
        ({"seed": 2**32}, r"seed 4294967296"),
        ({"name": " "}, r"name is ' '.* a model has a name"),
    ],
)
def test_what_cannot_be_is_said(table: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        to_recipe(table)


def test_a_loss_or_several() -> None:
    """As TOML has them: [loss], [[loss]], [[losses]], or names alone."""
    one, both = to_recipe({"loss": {"use": "hinge"}}), to_recipe({"loss": [{"use": "hinge"}, {"use": "infonce"}]})
    assert [loss.use for loss in one.losses] == ["hinge"]
    assert [loss.use for loss in both.losses] == ["hinge", "infonce"]
    assert to_recipe({"losses": ["hinge", "infonce"]}) == both
    assert to_recipe({"losses": {"use": "hinge"}}) == to_recipe({"loss": "hinge"}) == one
    assert to_recipe({"heads": "linear"}) == to_recipe({"heads": {"use": "linear"}})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"heads": {"use": "mpl"}}, "no part called 'mpl'"),
        ({"fit": {"monitor": "recal@1"}}, r"no metric called 'recal@1'"),
        ({"augment": {"imag": {"flip": True}}}, r"nothing is augmented that is called 'imag'"),
        ({"augment": {"image": {"flip": 3}}}, r"flip\.chance is 3"),
        ({"codes": "itqq"}, r"no part called 'itqq'"),
        ({"codes": "ridge"}, r"\[codes\] fits codes to vectors; use itq, not 'ridge'"),
        ({"codes": "itq"}, r"'itq' needs the option 'bits'"),
        ({"codes": {"use": "itq", "bits": "64"}}, r"'itq': bits is '64'; it must be a whole number"),
        (
            {"codes": {"use": "itq", "bits": 64}, "dim": 32},
            r"bits = 64; a code of vectors of 32 dimensions has 1 to 32",
        ),
    ],
)
def test_what_cannot_be_found_is_said_before_anything_is_computed(table: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_names(to_recipe(table))
    check_names(to_recipe({"codes": {"use": "itq", "bits": 8}, "fit": {"monitor": "f1"}}))


def test_files_that_are_no_recipe(tmp_path: Path, path: Path) -> None:
    with pytest.raises(ConfigError, match="none"):
        read_recipe(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a = = 1")
    with pytest.raises(ConfigError, match=r"bad\.toml is not TOML"):
        read_recipe(tmp_path / "bad.toml")
    (tmp_path / "bare.toml").write_text('[data]\ncolumns = { 文字 = "text" }')
    with pytest.raises(ConfigError, match=r'is not TOML: .* names with other letters than a to z: { "文字" = "text" }'):
        read_recipe(tmp_path / "bare.toml")
    with pytest.raises(ConfigError, match=r"data\.columns is set to '{文字=text}', which is not TOML: .* Words need"):
        read_recipe(path, ["data.columns={文字=text}"])
    with pytest.raises(ConfigError, match=r"'fit\.lr' is not a setting; write KEY=VALUE"):
        read_recipe(path, ["fit.lr"])
    with pytest.raises(ConfigError, match=r"name is 'clipart', not a table"):
        read_recipe(path, ["name.x=1"])


def test_json_and_back(path: Path) -> None:
    for made in (
        Recipe(),
        read_recipe(path),
        to_recipe({"align": {"use": "ridge", "onto": "text"}, "data": {"reader": "pairs", "texts": ["a"], "sep": ";"}}),
        to_recipe({"fit": {"sampler": {"use": "weighted", "by": "columns", "weights": {"text+image": 2}}}}),
        to_recipe({"views": [["*"]], "fusion": "concat", "score": {"use": "pair-scorer", "hidden": [8, 4]}}),
        to_recipe({"augment": {"image": {"crop": 0.5}}, "losses": [{"use": "hinge", "on": "vectors"}]}),
        to_recipe({"losses": [{"use": "mine:Loss", "weight": 2, "options": {"weight": 3, "on": 4, "use": None}}]}),
    ):
        assert from_json(to_json(made)) == made


def test_a_run_whose_recipe_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text('{"name": ')
    with pytest.raises(ConfigError, match=r"recipe\.json is damaged \(Expecting value.*\); train again elsewhere"):
        described(tmp_path)


class Scaled:
    """A part with a needed option, a known one, and one with a default."""

    def __init__(self, scale: float, dim: int, *, sharp: bool = False) -> None:
        self.scale, self.dim, self.sharp = scale, dim, sharp


def test_parts_are_made_with_options_and_what_is_known() -> None:
    here = f"{__name__}:Scaled"
    part = make("train.losses", Use(here, {"scale": 2.0}), {"dim": 5, "classes": 9})
    assert (part.scale, part.dim, part.sharp) == (2.0, 5, False)
    assert make("train.losses", Use(here, {"scale": 2.0, "dim": 6}), {"dim": 5}).dim == 6
    with pytest.raises(ConfigError, match=r"has no option 'sharpp'\. Did you mean 'sharp'\? It has: scale, sharp"):
        make("train.losses", Use(here, {"scale": 1.0, "sharpp": True}), {"dim": 5})
    with pytest.raises(ConfigError, match=r"needs the option 'scale'; add a line such as: scale = "):
        make("train.losses", Use(here), {"dim": 5})
    with pytest.raises(ConfigError, match=r"has no option 'width'"):
        make("train.heads", Use(here, {"scale": 1.0}), {"dim": 5}, {"width": 3})
    with pytest.raises(ConfigError, match=r"scale is 'large'; it must be a number"):
        make("train.losses", Use(here, {"scale": "large"}), {"dim": 5})
    with pytest.raises(ConfigError, match=r"sharp is 1; it must be true or false"):
        make("train.losses", Use(here, {"scale": 1, "sharp": 1}), {"dim": 5})
    with pytest.raises(ConfigError, match=r"'os:path' is .*, which makes nothing; name a class or a function"):
        make("train.losses", Use("os:path"), {})


def test_build_names_the_place() -> None:
    with pytest.raises(ConfigError, match=r"^here: lr is None; it must be a number$"):
        build(Fit, {"lr": None}, "here")
