"""Weights of similarities: by hand, by a slow loop, learned, and as the engine ranks with them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.nets.fusion.fusion_families import AUDIO, IMAGE, MODALITIES, TEXT, WIDTH, presence, rows

from duretrieval import Item, Part, Query, Term
from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.fuse.weights import OnnxWeights
from duretrieval.model.model import Model
from duretrieval.training.nets.fusion.late_attention import LateAttention
from duretrieval.types import Array, Modality


def trained(seed: int = 0) -> LateAttention:
    torch.manual_seed(seed)
    late = LateAttention(list(MODALITIES), WIDTH)
    with torch.no_grad():
        late.logits.weight.normal_(std=2)
        late.logits.bias.normal_()
    return late


def test_by_hand() -> None:
    """Weights 3 to 1; similarities 1 and 0 of the first item, and of the second, which is a picture only, 0.5."""
    late = LateAttention(["text", "image"], 2)
    with torch.no_grad():
        late.logits.bias.copy_(torch.tensor([math.log(3), 0]))
    query = torch.tensor([[1.0, 0.0]])
    items = {TEXT: torch.tensor([[1.0, 0.0], [9.0, 9.0]]), IMAGE: torch.tensor([[0.0, 1.0], [0.5, 0.75**0.5]])}
    torch.testing.assert_close(late(query, items, {TEXT: torch.tensor([True, False])}), torch.tensor([[0.75, 0.5]]))


def test_by_its_formula() -> None:
    late, x, there = trained(), rows(8), presence(8)
    queries = rows(3, seed=9)[TEXT]
    out = late(queries, {m: row.masked_fill(~there[m][:, None], float("nan")) for m, row in x.items()}, there)
    for q in range(3):
        logits = (late.logits.weight @ queries[q] + late.logits.bias).tolist()
        for i in range(8):
            here = [(math.exp(logits[k]), float(queries[q] @ x[m][i])) for k, m in enumerate(MODALITIES) if there[m][i]]
            expected = sum(a * s for a, s in here) / sum(a for a, _ in here) if here else 0.0
            assert out[q, i].item() == pytest.approx(expected, abs=1e-5)


def test_before_training_it_is_the_mean() -> None:
    x, queries = rows(), rows(2, seed=9)[TEXT]
    mean = sum(queries @ x[m].T for m in MODALITIES) / 3
    torch.testing.assert_close(LateAttention(list(MODALITIES), WIDTH)(queries, x), mean)


def test_it_learns_whom_to_ask() -> None:
    """Queries of one half of the space are about the text, of the other about the sound; the picture is noise."""
    torch.manual_seed(0)
    queries = torch.nn.functional.normalize(torch.randn(64, WIDTH), dim=1)
    about_text = (queries[:, 0] > 0)[:, None]
    noise = rows(64, seed=3)
    items = {
        TEXT: torch.where(about_text, queries, noise[TEXT]),
        AUDIO: torch.where(about_text, noise[AUDIO], queries),
        IMAGE: noise[IMAGE],
    }
    late = LateAttention(list(MODALITIES), WIDTH)
    optimiser = torch.optim.Adam(late.parameters(), lr=0.1)
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(10 * late(queries, items), torch.arange(64)).backward()
        optimiser.step()
    chosen = late.logits(queries).argmax(dim=1)
    right = torch.where(about_text[:, 0], MODALITIES.index(TEXT), MODALITIES.index(AUDIO))
    assert (chosen == right).float().mean() > 0.9


def test_gradients_are_finite_where_nothing_is_there() -> None:
    late, nothing = trained(), torch.zeros(6, dtype=torch.bool)
    late(rows(2)[TEXT], rows(), dict.fromkeys(MODALITIES, nothing)).sum().backward()
    assert torch.isfinite(late.logits.weight.grad).all()  # type: ignore[arg-type]


class Given:
    """Content is a vector."""

    dim = WIDTH
    modalities = frozenset(MODALITIES)

    def encode(self, batch: tuple[Part, ...], /) -> Array:
        return np.array([part.content for part in batch], np.float32).reshape(-1, WIDTH)


def test_the_engine_ranks_alike(tmp_path: Path) -> None:
    late, x, there = trained(), rows(7), presence(7)
    weights = OnnxWeights.load(tmp_path, **late.export(tmp_path, "weights"))
    items = [Item(str(i), str(i), tuple(Part(m, x[m][i].numpy()) for m in MODALITIES if there[m][i])) for i in range(7)]
    query = rows(1, seed=9)[TEXT][0].numpy()
    model = Model("given", dict.fromkeys(MODALITIES, Given()), dim=WIDTH, fingerprint="given-1")
    with Collection.open(tmp_path / "c", model) as collection:
        collection.add(items, workers=1)
        hits = collection.search(Query((Term(TEXT, query),), weights=weights(query)))
    expected = late(torch.tensor(query)[None], x, there)[0].tolist()
    assert {hit.item.id: hit.score for hit in hits} == pytest.approx(
        {str(i): s for i, s in enumerate(expected)}, abs=1e-4
    )
    assert [hit.item.id for hit in hits] == sorted(map(str, range(7)), key=lambda i: -expected[int(i)])


def test_saved_and_loaded_is_equal(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    weights = OnnxWeights.load(tmp_path, **trained().export(tmp_path, "weights"))
    loaded = OnnxWeights.load(tmp_path / "again", **weights.save(tmp_path / "again", "weights"))
    query = rows()[TEXT][0].numpy()
    assert loaded(query) == weights(query)
    assert sum(weights(query).values()) == pytest.approx(1, abs=1e-5)


def test_what_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"modalities are \[\]; give at least one"):
        LateAttention([], 4)
    with pytest.raises(ConfigError, match="this fusion was made for text, image, audio, and got rows of video"):
        trained()(rows()[TEXT], {Modality.VIDEO: rows()[TEXT]})
    with pytest.raises(ModelError, match=r"w\.onnx: no modality 'smell'; there are text, image"):
        OnnxWeights.load(tmp_path, file="w.onnx", modalities=["smell"])
    weights = OnnxWeights.load(tmp_path, **trained().export(tmp_path, "weights"))
    with pytest.raises(ShapeError, match=r"expected the vector of one query, \(d,\); got \(2, 8\)"):
        weights(np.zeros((2, 8), np.float32))
