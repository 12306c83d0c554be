"""[align] from a recipe is the aligner fitted directly, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.training import parts
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.training.runs.reopened import reopen
from duretrieval.training.runs.trained import train
from duretrieval.types import Array, Modality


def closed(align: dict[str, Any], dim: int) -> Recipe:
    return to_recipe({"dim": dim, "views": [["text"], ["image"]], "align": align, "data": {"near_duplicates": False}})


@pytest.mark.parametrize(
    ("use", "options"), [("ridge", {"penalty": 0.5}), ("procrustes", {}), ("cca", {"penalty": 0.2})]
)
def test_as_fitted_directly(use: str, options: dict[str, Any], data: list[Sample], cache: Path, tmp_path: Path) -> None:
    width = 384
    dim = 8 if use == "cca" else width
    outcome = train(closed({"use": use, **options}, dim), data, tmp_path / "run", cache=cache)
    run = reopen(tmp_path / "run", data=data, cache=cache)
    rows = run.prepared.rows["train"].columns
    text, image = rows["text"], rows["image"]
    both = text.present & image.present
    x, y = image.rows[both], text.rows[both]  # type: ignore[index]
    kind = parts.find("aligners", use)
    if use == "cca":
        aligner = kind.fit(y, x, x_modalities=[Modality.TEXT], y_modalities=[Modality.IMAGE], dim=dim, **options)
    else:
        aligner = kind.fit(x, y, **options)
    model = Model.load(outcome.model)
    for place in np.flatnonzero(both)[:5]:
        sample = run.prepared.samples["train"][place]
        made = encoded(model, sample, "image")
        assert image.rows is not None
        np.testing.assert_allclose(made, aligner(image.rows[[place]], Modality.IMAGE)[0], atol=1e-4)
        if use != "cca":
            assert text.rows is not None
            np.testing.assert_allclose(encoded(model, sample, "text"), text.rows[place], atol=1e-4)
    assert outcome.epochs == 0
    assert outcome.val["monitor"] > 0.55  # reciprocal rank among 12 pictures: .26 by chance


def encoded(model: Model, sample: Sample, column: str) -> Array:
    from duretrieval.collection.reading import Road
    from duretrieval.media.limits import Limits

    with Road(model.reading, Limits(), workers=1) as road:
        row: Array = model.encode(road.read(sample.columns[column]).wanted())[0]
    return row


@pytest.mark.parametrize(
    ("align", "dim", "said"),
    [
        (
            {"use": "ridge"},
            100,
            r"\[align\] 'ridge' ends in the space of text, which has 384 dimensions; set dim = 384",
        ),
        ({"use": "ridge", "onto": "audio"}, 384, r"fits other modalities onto audio; the data has text, image"),
        ({"use": "ridge", "onto": "smell"}, 384, r"fits other modalities onto smell; the data has text, image"),
        ({"use": "ridge", "penalty": "a"}, 384, r"'ridge': penalty is 'a'; it must be a number"),
        ({"use": "ridge", "alfa": 1}, 384, r"'ridge' has no option"),
        ({"use": "adversarial", "alfa": 1}, 384, r"no setting is called 'alfa'; there are restarts"),
    ],
)
def test_what_does_not_suit(
    align: dict[str, Any], dim: int, said: str, data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        train(closed(align, dim), data, tmp_path / "run", cache=cache)
