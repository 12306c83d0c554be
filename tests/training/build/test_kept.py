"""A model that leaves the built-in text space as it is still finds what its data lacked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.training.coloured import pairs

from duretrieval.model.model import Model
from duretrieval.training.build.encoders import kept
from duretrieval.training.recipe.toml import read_recipe, to_recipe
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Part, Reading

PAIR = (Modality.TEXT, Modality.IMAGE)


@pytest.mark.slow
def test_sounds_and_films_after_training_on_pictures(tmp_path: Path) -> None:
    few = ("fit.epochs=2", "fit.batch=8", "data.near_duplicates=false", "heads.image.hidden=16")
    recipe = read_recipe(Path("pairs"), few)
    outcome = train(recipe, pairs(tmp_path, each=6), tmp_path / "run", cache=tmp_path / "rows")
    model, before = Model.load(outcome.model), Model.load("builtin")
    assert model.modalities == before.modalities
    sound = Part(Modality.AUDIO, np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32))
    words = Part(Modality.TEXT, "a dog barks")
    np.testing.assert_allclose(model.encode([sound, words]), before.encode([sound, words]), atol=1e-5)
    still = np.zeros((224, 224, 3), np.uint8)
    as_film, as_picture = Part(Modality.VIDEO, np.stack([still, still])), Part(Modality.IMAGE, still)
    np.testing.assert_allclose(model.encode([as_film]), model.encode([as_picture]), atol=1e-5)
    assert set(model.background) == model.modalities  # a modality without one would rank below all others
    np.testing.assert_array_equal(model.background[Modality.AUDIO], before.background[Modality.AUDIO])
    np.testing.assert_array_equal(model.background[Modality.VIDEO], model.background[Modality.IMAGE])


@pytest.mark.parametrize(
    ("table", "reading", "expected"),
    [
        ({"heads": {"text": "identity"}}, Reading(), {Modality.AUDIO}),
        ({"align": {"use": "ridge"}}, Reading(), {Modality.AUDIO}),
        ({"align": {"use": "cca"}}, Reading(), set()),
        ({"heads": {"text": "mlp"}}, Reading(), set()),
        ({"heads": {"text": "identity"}, "encoders": {"text": "word2vec"}}, Reading(), set()),
        ({"heads": {"text": "identity"}, "fusion": {"use": "gated"}}, Reading(), set()),
        ({"heads": {"text": "identity"}}, Reading(sample_rate=48_000), set()),
    ],
)
def test_only_where_the_text_space_stays(table: dict, reading: Reading, expected: set[Modality]) -> None:
    assert set(kept(to_recipe(table), PAIR, reading)) == expected
