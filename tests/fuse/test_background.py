from pathlib import Path

import numpy as np
import pytest

from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.fuse.background import background, load, save
from duretrieval.types import Modality


def vectors(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


def test_few_rows_are_all_kept_made_unit_and_copies_count_once() -> None:
    rows = np.array([[3, 0], [0, 2], [3, 0], [0, 0]], np.float32)
    kept = background({Modality.TEXT: rows})[Modality.TEXT]
    assert sorted(map(tuple, kept.tolist())) == [(0, 1), (1, 0)]


def test_many_rows_are_sampled_whatever_their_order() -> None:
    rows = vectors(1000)
    sample = background({Modality.IMAGE: rows, Modality.TEXT: rows[:10]}, rows=50)
    assert {m: r.shape for m, r in sample.items()} == {Modality.IMAGE: (50, 4), Modality.TEXT: (10, 4)}
    again = background({Modality.IMAGE: rows[::-1]}, rows=50)
    np.testing.assert_array_equal(again[Modality.IMAGE], sample[Modality.IMAGE])
    assert np.abs(sample[Modality.IMAGE].mean(axis=0)).max() < 0.3


def test_saved_and_loaded(tmp_path: Path) -> None:
    rows = background({Modality.AUDIO: vectors(20)})
    loaded = load(tmp_path / save(tmp_path, rows))
    np.testing.assert_allclose(loaded[Modality.AUDIO], rows[Modality.AUDIO], atol=1e-3)
    assert loaded[Modality.AUDIO].dtype == np.float32


def test_what_cannot_be_a_background(tmp_path: Path) -> None:
    assert len(background({Modality.TEXT: vectors(3)}, rows=2)[Modality.TEXT]) == 2
    with pytest.raises(ConfigError, match="rows is 1; a deviation needs at least 2"):
        background({Modality.TEXT: vectors(3)}, rows=1)
    with pytest.raises(ShapeError, match=r"expected vectors \(n, d\) of text for a background; got \(3, 4\), or zeros"):
        background({Modality.TEXT: np.zeros((3, 4), np.float32)})
    (tmp_path / "background.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError, match=r"background\.safetensors is not the background of a model"):
        load(tmp_path / "background.safetensors")
