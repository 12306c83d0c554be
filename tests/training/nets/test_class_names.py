"""What class names say and what pairs add: without training it is what the built-in model says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from duretrieval.align.network import OnnxAligner
from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.training.nets import builtin
from duretrieval.training.nets.class_names import ClassNames
from duretrieval.types import Modality, Part

PICTURES = [
    Part(Modality.IMAGE, np.random.default_rng(seed).integers(0, 256, (224, 224, 3), dtype=np.uint8))
    for seed in range(3)
]
SOUNDS = [
    Part(Modality.AUDIO, np.random.default_rng(seed).normal(0, 0.1, 16_000 * (seed + 1)).astype(np.float32))
    for seed in range(3)
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@pytest.mark.parametrize(
    ("both", "features", "parts", "modality", "width"),
    [
        (builtin.builtin_image_both, builtin.builtin_image_features, PICTURES, Modality.IMAGE, 1280),
        (builtin.builtin_audio_both, builtin.builtin_audio_features, SOUNDS, Modality.AUDIO, 1024),
    ],
    ids=["pictures", "sounds"],
)
def test_rows_are_features_and_class_scores_side_by_side(both, features, parts, modality, width, cache: Path) -> None:
    """The first columns are the features', the others the built-in class scores; without weight, its vectors."""
    rows = both(cache).encode(parts)
    np.testing.assert_allclose(unit(rows[:, :width]), features(cache).encode(parts), atol=1e-5)
    head = ClassNames(rows.shape[1], 384, modality, hidden=8, weight=0.0).eval()
    with torch.no_grad():
        named = unit(head(torch.from_numpy(rows)).numpy())
    np.testing.assert_allclose(named, Model.load("builtin").encode(parts), atol=1e-4)


def rows(n: int = 4) -> torch.Tensor:
    return torch.from_numpy(unit(np.random.default_rng(0).random((n, 2280)).astype(np.float32)))


def test_what_is_learned_is_added_and_trained_alone() -> None:
    head = ClassNames(2280, 384, Modality.IMAGE, hidden=8, dropout=0.0, weight=2.0)
    learned = head.train()(rows())
    torch.testing.assert_close(learned.norm(dim=1), torch.ones(4))
    both = head.eval()(rows())
    torch.testing.assert_close(both, head.named(rows()[:, 1280:]) + 2.0 * learned)


def test_the_graph_is_the_head(tmp_path: Path) -> None:
    head = ClassNames(2280, 384, Modality.IMAGE, hidden=8).eval()
    entry = head.export(tmp_path, "head")
    aligner = OnnxAligner.load(tmp_path, **entry["options"])
    with torch.no_grad():
        expected = unit(head(rows()).numpy())
    np.testing.assert_allclose(aligner(rows().numpy(), Modality.IMAGE), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("dim_in", "dim", "modality", "message"),
    [
        (2280, 128, Modality.IMAGE, "1000 vectors of length 384.*set dim = 384"),
        (1000, 384, Modality.IMAGE, "rows of 1000 .* do not fit"),
        (384, 384, Modality.TEXT, "no built-in class names for text"),
    ],
)
def test_what_does_not_fit(dim_in: int, dim: int, modality: Modality, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ClassNames(dim_in, dim, modality)
