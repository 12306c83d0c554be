"""A fusion of tokens of a model folder, run without torch."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.fuse.attention import OnnxAttention
from duretrieval.fuse.tokens import PARTS, side_by_side
from duretrieval.protocols import TokenFusion
from duretrieval.testing import FusionSuite
from duretrieval.training.nets.fusion.attention import Attention
from duretrieval.training.nets.fusion.cross_attention import CrossAttention
from duretrieval.types import Modality

TEXT, IMAGE, AUDIO = Modality.TEXT, Modality.IMAGE, Modality.AUDIO
EAST, NORTH = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)


def load(folder: Path) -> OnnxAttention:
    """Each word looks for the region that is like it."""
    entry = Attention([TEXT, IMAGE], 2, score="dot", own=False, tokens={"image": 3}).export(folder, "fusion")
    return OnnxAttention.load(folder, **entry["options"])


def test_by_hand(tmp_path: Path) -> None:
    """A word in the east sees a picture of east and north; its weights are e and 1, and each region sees the word."""
    fusion = load(tmp_path)
    assert isinstance(fusion, TokenFusion)
    seen = (np.e * EAST + NORTH) / (np.e + 1)
    whole = (seen + EAST) / 2
    got = fusion.of([{TEXT: EAST[None], IMAGE: np.stack([EAST, NORTH])}])
    np.testing.assert_allclose(got[0], whole / np.linalg.norm(whole), atol=1e-6)


class TestAttention(FusionSuite):
    width = 6
    alone_is_itself = True

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        TestAttention.at = tmp_path_factory.mktemp("model")

    at: ClassVar[Path]

    def make(self) -> OnnxAttention:
        torch.manual_seed(0)
        fusion = Attention((IMAGE, AUDIO, TEXT), 6, tokens={"image": 4})
        return OnnxAttention.load(self.at, **fusion.export(self.at, "fusion")["options"])


class TestCrossAttention(TestAttention):
    alone_is_itself = False

    def make(self) -> OnnxAttention:
        torch.manual_seed(0)
        fusion = CrossAttention((IMAGE, AUDIO, TEXT), 6, heads=2)
        return OnnxAttention.load(self.at, **fusion.export(self.at, "fusion")["options"])


def test_it_is_saved_with_the_modalities_whose_tokens_it_reads(tmp_path: Path) -> None:
    options = load(tmp_path).save(tmp_path, "again")
    assert OnnxAttention.load(tmp_path, **options).tokens == {IMAGE: 3}


def test_items_that_cannot_be_fused(tmp_path: Path) -> None:
    fusion, row = load(tmp_path), EAST[None]
    with pytest.raises(ShapeError, match=r"expected tokens of image \(t, 2\), one at least; got \(0, 2\)"):
        fusion.of([{TEXT: row, IMAGE: row[:0]}])
    with pytest.raises(ShapeError, match=r"expected tokens of text \(t, 2\), one at least; got \(2,\)"):
        fusion.of([{TEXT: EAST}])
    with pytest.raises(ShapeError, match="there is nothing to fuse; give vectors of at least one of text, image"):
        fusion.of([{TEXT: row}, {}])
    with pytest.raises(ConfigError, match="this fusion takes text, image, not audio; leave that out"):
        fusion.of([{AUDIO: row}])
    with pytest.raises(ModelError, match=r"fusion\.onnx: no modality 'smell'; there are text, image"):
        OnnxAttention.load(tmp_path, file="fusion.onnx", dim=2, modalities=["text"], tokens={"smell": 2})


def test_parts_stand_side_by_side_or_as_their_mean() -> None:
    two, three = np.stack([EAST, NORTH]), np.stack([NORTH, NORTH, EAST])
    rows, shares = side_by_side([IMAGE, TEXT, IMAGE, TEXT], [two, EAST[None], three, NORTH[None]], None, {IMAGE})
    np.testing.assert_array_equal(rows[IMAGE], np.concatenate([two, three]))
    np.testing.assert_array_equal(shares[IMAGE], np.ones(5))
    np.testing.assert_allclose(rows[TEXT], [[0.5**0.5, 0.5**0.5]], atol=1e-6)


def test_the_tokens_of_a_term_share_its_weight() -> None:
    rows, shares = side_by_side([IMAGE, IMAGE], [np.stack([EAST, NORTH]), EAST[None]], [3.0, 0.5], {IMAGE})
    assert shares[IMAGE].tolist() == [1.5, 1.5, 0.5]
    assert len(rows[IMAGE]) == 3


def test_of_many_parts_the_first_are_read_and_nothing_is_left_out() -> None:
    rows, _ = side_by_side([TEXT] * (PARTS + 9), [EAST[None]] * PARTS + [NORTH[None]] * 9, None, {TEXT})
    assert rows[TEXT].shape == (PARTS, 2)
    assert not rows[TEXT][:, 1].any()
    assert side_by_side([TEXT], [np.zeros((2, 2), np.float32)], None, {TEXT}) == ({}, {})
