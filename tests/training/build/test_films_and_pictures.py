"""A film is searched in the space of pictures wherever one encoder serves both: one head, one file, one background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.media.samples import write_wave

from duretrieval.model.model import Model
from duretrieval.training.build.encoders import make_encoders
from duretrieval.training.build.network import Network
from duretrieval.training.build.network_of import make_network
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.recipe import with_views
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Part

TEXT, IMAGE, VIDEO, AUDIO = Modality.TEXT, Modality.IMAGE, Modality.VIDEO, Modality.AUDIO
COLUMNS = {"text": TEXT, "image": IMAGE, "video": VIDEO, "audio": AUDIO}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Noise of every kind."""
    folder = tmp_path_factory.mktemp("noise")
    rng = np.random.default_rng(0)

    def noise() -> Image.Image:
        return Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8))

    found = []
    for n in range(8):
        noise().save(folder / f"{n}.png")
        first, *others = (noise() for _ in range(3))
        first.save(folder / f"{n}.gif", save_all=True, append_images=others, duration=500)
        write_wave(folder / f"{n}.wav", seconds=1)
        contents: dict[str, Any] = {"text": f"thing {n}", "image": folder / f"{n}.png", "video": folder / f"{n}.gif"}
        contents["audio"] = folder / f"{n}.wav"
        parts = {name: Part(COLUMNS[name], content) for name, content in contents.items()}
        found.append(Sample(str(n), parts, split="val" if n % 4 == 0 else "train"))
    return found


def network(**table: Any) -> Network:
    recipe = with_views(to_recipe({"dim": 16, **table}), COLUMNS)
    return make_network(recipe, make_encoders(recipe, COLUMNS.values(), []), COLUMNS)


@pytest.mark.parametrize(
    ("table", "one"),
    [
        ({}, True),
        ({"heads": {"use": "linear"}}, True),
        ({"heads": {"image": {"use": "linear"}}}, True),
        ({"encoders": {"use": "builtin"}, "heads": {"use": "linear"}}, True),
        ({"heads": {"use": "linear", "video": {"use": "linear"}}}, False),
        ({"encoders": {"image": {"use": "builtin-image-features"}, "video": {"use": "builtin"}}}, False),
    ],
)
def test_one_head_where_one_encoder_serves_both(table: dict[str, Any], one: bool) -> None:
    heads = network(**table).heads
    assert (heads["video"] is heads["image"]) == one
    assert len({id(head) for head in heads.values()}) == (3 if one else 4)


def test_films_of_an_encoder_of_their_own_have_the_kind_of_head_that_pictures_have() -> None:
    heads = network(encoders={"video": {"use": "builtin-image-features"}}, heads={"use": "linear"}).heads
    assert type(heads["video"]) is type(heads["image"])
    assert heads["video"] is not heads["image"]


def test_the_same_settings_for_both_are_one_encoder() -> None:
    """Also where the recipe writes them down twice; so one head, which stands on one encoder."""
    both = {name: {"use": "builtin-image-features"} for name in ("image", "video")}
    made = make_encoders(to_recipe({"encoders": both}), [IMAGE, VIDEO], [])
    assert made.frozen[IMAGE].encoder is made.frozen[VIDEO].encoder


def films(rows: list[Sample], *columns: str) -> list[Sample]:
    return [Sample(s.id, {name: s.columns[name] for name in columns}, split=s.split) for s in rows]


def trained(rows: list[Sample], folder: Path, **table: Any) -> Model:
    quick = {"fit": {"epochs": 1, "batch": 4, "accelerator": "cpu"}, "data": {"near_duplicates": False}}
    return Model.load(
        train(to_recipe({"dim": 16, **quick, **table}), rows, folder / "run", cache=folder / "rows").model
    )


@pytest.mark.slow
def test_the_model_holds_once_what_both_use(rows: list[Sample], tmp_path: Path) -> None:
    model = trained(rows, tmp_path, heads={"use": "linear"})
    assert model.parts_for(IMAGE)[0] is model.parts_for(VIDEO)[0]
    assert model.parts_for(IMAGE)[1] is model.parts_for(VIDEO)[1]
    assert model.folder is not None
    assert sorted(file.name for file in model.folder.glob("*.onnx") if "shared" not in file.name) == [
        "audio.onnx",
        "image-video.onnx",
        "text.onnx",
    ]
    assert set(model.background) == model.modalities == {TEXT, IMAGE, VIDEO, AUDIO}
    still = np.zeros((224, 224, 3), np.uint8)
    as_film, as_picture = Part(VIDEO, np.stack([still, still])), Part(IMAGE, still)
    np.testing.assert_allclose(model.encode([as_film]), model.encode([as_picture]), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("there", "brought"), [("image", VIDEO), ("video", IMAGE)])
def test_what_was_learned_of_one_serves_the_other(
    there: str, brought: Modality, rows: list[Sample], tmp_path: Path
) -> None:
    model = trained(films(rows, "text", there), tmp_path, heads={"use": "linear"})
    assert model.modalities == {TEXT, IMAGE, VIDEO}
    assert model.parts_for(brought)[1] is model.parts_for(COLUMNS[there])[1]
    np.testing.assert_array_equal(model.background[brought], model.background[COLUMNS[there]])
