"""Nets that hand on tokens: what they are, and that the exported encoder hands on the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.nets.audio.tiny import ast
from tests.training.nets.audio.tiny import parts as sounds
from tests.training.nets.image.test_picture_nets import SMALL_VIT
from tests.training.nets.text.tiny import TEXTS, saved

from duretrieval.encode.sequences import shortened as in_numpy
from duretrieval.encode.word_vectors import WordVectors
from duretrieval.similarity import unit
from duretrieval.testing.nets import loaded
from duretrieval.training.build.frozen import Still
from duretrieval.training.contracts import TokenNet
from duretrieval.training.nets.audio.ast import Ast
from duretrieval.training.nets.image.vgg import vgg
from duretrieval.training.nets.image.vision import vision
from duretrieval.training.nets.text.bag import BagNet
from duretrieval.training.nets.text.transformer import transformer
from duretrieval.training.nets.tokens import padded, shortened
from duretrieval.types import Modality, Part

RNG = np.random.default_rng(0)
CONVNEXT = {"model_type": "convnext", "depths": [1, 1, 1, 1], "hidden_sizes": [4, 8, 8, 16], "image_size": 64}


def texts() -> list[Part]:
    return [Part(Modality.TEXT, text) for text in (TEXTS[0], TEXTS[1], TEXTS[5])]


def pictures() -> list[Part]:
    return [Part(Modality.IMAGE, RNG.integers(0, 255, (64, 64, 3), dtype=np.uint8)) for _ in range(3)]


def films() -> list[Part]:
    return [Part(Modality.VIDEO, RNG.integers(0, 255, (t, 64, 64, 3), dtype=np.uint8)) for t in (1, 3, 2)]


def words(folder: Path) -> BagNet:
    known = ["red", "bus", "rain", "roof", "bird", "blue"]
    return BagNet(WordVectors.of(known, RNG.standard_normal((6, 5)).astype(np.float32), spread=False))


Make = Callable[[Path], Any]
NETS: dict[str, tuple[Make, Callable[[], list[Part]], list[int] | None]] = {
    "bert": (lambda folder: transformer(saved("bert", folder), dim=12), texts, None),
    "word vectors": (words, texts, [3, 2, 2]),
    "vit": (lambda _: vision(config={"model_type": "vit", **SMALL_VIT, "image_size": 64}), pictures, [16] * 3),
    "convnext": (lambda _: vision(config=CONVNEXT), pictures, [4] * 3),
    "vgg": (lambda _: vgg(11, widths=(4, 4, 4, 8, 8), features="pooled", side=64), pictures, [4] * 3),
    "convnext, films": (lambda _: vision(config=CONVNEXT), films, [4, 3, 2]),
    "ast": (lambda folder: Ast(ast(folder / "ast")), lambda: sounds(0.5, 1.5, 2.2), [1, 2, 3]),
}


@pytest.mark.parametrize("kind", NETS)
def test_the_exported_encoder_hands_on_the_same(kind: str, tmp_path: Path) -> None:
    make, given, lengths = NETS[kind]
    torch.manual_seed(0)
    net, parts = make(tmp_path), given()
    assert isinstance(net, TokenNet)
    assert net.sequential
    ours = Still(net).sequence(parts)
    assert lengths is None or [len(rows) for rows in ours] == lengths
    assert {rows.shape[1] for rows in ours} == {net.dim}
    alone = [Still(net).sequence([part])[0] for part in parts]
    (tmp_path / "model").mkdir()
    encoder: Any = loaded(tmp_path / "model", net.export(tmp_path / "model", "mine", tokens=True))
    assert encoder.sequential
    assert (encoder.dim, encoder.modalities) == (net.dim, net.modalities)
    for found in (alone, encoder.sequence(parts)):
        for rows, theirs in zip(ours, found, strict=True):
            np.testing.assert_allclose(theirs, rows, atol=1e-4)
    means = unit(np.stack([rows.mean(axis=0) for rows in ours]))
    if kind != "convnext, films":
        np.testing.assert_allclose(encoder.encode(parts), means, atol=1e-4)


def test_a_transformer_pooled_by_the_mean_is_the_mean_of_its_words(tmp_path: Path) -> None:
    net = transformer(saved("bert", tmp_path)).eval()
    rows = Still(net).encode(texts())
    means = np.stack([tokens.mean(axis=0) for tokens in Still(net).sequence(texts())])
    np.testing.assert_allclose(unit(means), rows, atol=1e-5)


def test_patches_are_told_apart_from_the_class_token() -> None:
    """Of a ViT the class token is no patch: a change in one corner changes that corner's patch most."""
    torch.manual_seed(0)
    net = vision(config={"model_type": "vit", **SMALL_VIT, "image_size": 64, "num_hidden_layers": 1}).eval()
    plain, other = np.full((64, 64, 3), 128, np.uint8), np.full((64, 64, 3), 128, np.uint8)
    other[:8, :8] = 255
    before, after = Still(net).sequence([Part(Modality.IMAGE, pixels) for pixels in (plain, other)])
    assert np.abs(after - before).sum(axis=1).argmax() == 0


def test_without_dense_layers_only() -> None:
    """Behind them a row is no mean of places, and not as wide."""
    assert not vgg(11, widths=(4, 4, 4, 8, 8), hidden=16, side=64).sequential


@pytest.mark.parametrize("most", [1, 3, 5, 40])
def test_torch_shortens_as_the_engine_does(most: int) -> None:
    lengths = [7, 1, 5, 12]
    rows = [RNG.standard_normal((t, 4)).astype(np.float32) for t in lengths]
    tokens, there = padded(
        torch.from_numpy(np.concatenate(rows)), torch.repeat_interleave(torch.arange(4), torch.tensor(lengths)), 4
    )
    assert there.sum(dim=1).tolist() == lengths
    found, owners = shortened(tokens, there, most)
    for i, held in enumerate(rows):
        np.testing.assert_allclose(unit(found[owners == i].numpy()), in_numpy(held, most), atol=1e-5)


def test_rows_stand_side_by_side_by_whom_they_belong_to() -> None:
    rows = torch.arange(5.0)[:, None]
    tokens, there = padded(rows, torch.tensor([2, 0, 2, 0, 2]), 3)
    assert tokens[:, :, 0].tolist() == [[1, 3, 0], [0, 0, 0], [0, 2, 4]]
    assert there.tolist() == [[True, True, False], [False, False, False], [True, True, True]]
    empty, nothing = padded(rows[:0], torch.zeros(0, dtype=torch.int64), 2)
    assert empty.shape == (2, 1, 1)
    assert not nothing.any()


def test_gradients_reach_the_net_through_its_tokens(tmp_path: Path) -> None:
    net = transformer(saved("bert", tmp_path))
    tokens, there = net.sequence(**net.prepare(texts()))
    rows, _ = shortened(tokens, there, 2)
    rows.square().sum().backward()
    still = {name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()}
    assert still == set()
