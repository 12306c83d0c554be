"""Re-ranking by a learned score. The graphs are built node by node, so that nothing here needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from duretrieval.cli.rows import print_hits
from duretrieval.collection import Collection
from duretrieval.errors import ModelError, ShapeError
from duretrieval.index.lance.store import LanceStore
from duretrieval.model.card import read_card
from duretrieval.model.model import Model
from duretrieval.plain import hit_dict
from duretrieval.rank.nearest import search
from duretrieval.rank.rerank import MEASURE, PairReranker
from duretrieval.rank.scorer import OnnxScorer
from duretrieval.similarity import unit
from duretrieval.testing import RerankerSuite, ScorerSuite
from duretrieval.types import Array, Hit, Item, Modality, Part, Probe, Query

DIM = 6


def graph(path: Path, matrix: np.ndarray) -> Path:
    """a (n, d), b (n, d) -> sum((a matrix) * b), the bilinear score of each pair."""
    nodes = [
        helper.make_node("MatMul", ["a", "w"], ["moved"]),
        helper.make_node("Mul", ["moved", "b"], ["products"]),
        helper.make_node("ReduceSum", ["products", "axes"], ["scores"], keepdims=0),
    ]
    d = len(matrix)
    made = helper.make_graph(
        nodes,
        "scorer",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", d]) for name in ("a", "b")],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n"])],
        [numpy_helper.from_array(matrix.astype(np.float32), "w"), numpy_helper.from_array(np.array([1]), "axes")],
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def rows(n: int, seed: int = 0) -> Array:
    return unit(np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32))


MATRIX = np.random.default_rng(5).normal(size=(DIM, DIM)).astype(np.float32)


@pytest.fixture
def scorer(tmp_path: Path) -> OnnxScorer:
    graph(tmp_path / "pairs.onnx", MATRIX)
    return OnnxScorer.load(tmp_path, file="pairs.onnx")


class TestOnnxScorer(ScorerSuite):
    @pytest.fixture(autouse=True)
    def _scorer(self, scorer: OnnxScorer) -> None:
        self.scorer = scorer

    def make(self) -> OnnxScorer:
        return self.scorer

    def pairs(self) -> tuple[Array, Array]:
        return rows(7), rows(7, 1)

    def test_is_the_graphs(self) -> None:
        a, b = self.pairs()
        np.testing.assert_allclose(self.scorer(a, b), np.sum((a @ MATRIX) * b, axis=1), atol=1e-5)


def test_other_shapes_are_refused(scorer: OnnxScorer) -> None:
    for a, b in ((rows(2), rows(3)), (rows(2)[:, :5], rows(2)[:, :5])):
        with pytest.raises(ShapeError, match=r"expected pairs \(n, 6\) and \(n, 6\) to score; got \(2, "):
            scorer(a, b)


def store_of(tmp_path: Path, items: int = 30) -> tuple[LanceStore, dict[str, Array], dict[str, tuple[Part, ...]]]:
    rng = np.random.default_rng(3)
    vectors, parts = {}, {}
    for i in range(items):
        n = int(rng.integers(1, 5))
        vectors[f"i{i:02}"] = rows(n, 100 + i)
        parts[f"i{i:02}"] = tuple(
            Part(Modality.TEXT, "words") if rng.random() < 0.5 else Part(Modality.IMAGE, None) for _ in range(n)
        )
    store = LanceStore.create(tmp_path / "store", DIM, {})
    store.add([Item(id_, id_, parts[id_]) for id_ in parts], list(vectors.values()), "model")
    return store, vectors, parts


BOTH = frozenset({Modality.TEXT, Modality.IMAGE})


@pytest.mark.parametrize("weights", [None, {Modality.TEXT: 2.0, Modality.IMAGE: 0.5}])
def test_against_a_slow_reference(scorer: OnnxScorer, tmp_path: Path, weights: dict[Modality, float] | None) -> None:
    """Two terms, one of them negative: every part of every item scored by hand."""
    terms, signs = rows(2, 9), [1.0, -0.5]
    store, vectors, parts = store_of(tmp_path)
    query = Query(modalities=BOTH, weights=weights, k=8)
    probe = Probe(terms[0], 1.0, 0.0)
    with store:
        rerank = PairReranker(scorer, terms, signs, store)
        hits = search(store, dict.fromkeys(BOTH, probe), query, rerank)
    expected = {}
    for id_, own in vectors.items():
        best: dict[Modality, float] = {}
        for part, vector in zip(parts[id_], own, strict=True):
            s = sum(w * float((t @ MATRIX) @ vector) for w, t in zip(signs, terms, strict=True)) / 1.5
            best[part.modality] = max(s, best.get(part.modality, -9))
        of = {m: (weights or {}).get(m, 1.0) for m in best}
        expected[id_] = sum(of[m] * best[m] for m in best) / sum(of.values()) if weights else max(best.values())
    order = sorted(expected, key=lambda id_: -expected[id_])[:8]
    assert [hit.item.id for hit in hits] == order
    assert [hit.score for hit in hits] == pytest.approx([expected[id_] for id_ in order], abs=1e-4)
    assert {hit.measure for hit in hits} == {MEASURE}
    direction = unit((np.array(signs) @ terms)[None])[0]
    for hit in hits:
        assert [e.score for e in hit.evidence] == sorted((e.score for e in hit.evidence), reverse=True)
        near = vectors[hit.item.id] @ direction
        assert all(np.isclose(near, e.similarity, atol=1e-5).any() for e in hit.evidence)


def test_only_parts_that_may_match_count(scorer: OnnxScorer, tmp_path: Path) -> None:
    store, _, parts = store_of(tmp_path)
    query = Query(modalities=frozenset({Modality.IMAGE}), k=50)
    with store:
        rerank = PairReranker(scorer, rows(1, 9), [1.0], store)
        hits = search(store, {Modality.IMAGE: Probe(rows(1, 9)[0], 1.0, 0.0)}, query, rerank)
    shown = {id_ for id_, own in parts.items() if any(part.modality is Modality.IMAGE for part in own)}
    assert {hit.item.id for hit in hits} == shown
    assert shown < set(parts)
    assert {e.part.modality for hit in hits for e in hit.evidence} == {Modality.IMAGE}


class TestPairReranker(RerankerSuite):
    @pytest.fixture(autouse=True)
    def _store(self, scorer: OnnxScorer, tmp_path: Path) -> Any:
        self.store, _, _ = store_of(tmp_path)
        self.scorer = scorer
        with self.store:
            yield

    def query(self) -> Query:
        return Query(modalities=BOTH, k=12)

    def hits(self) -> list[Hit]:
        return search(self.store, dict.fromkeys(BOTH, Probe(rows(1, 9)[0], 1.0, 0.0)), self.query())

    def make(self) -> PairReranker:
        return PairReranker(self.scorer, rows(1, 9), [1.0], self.store)

    def test_a_hit_that_is_gone_from_the_store_stays_in_the_list(self) -> None:
        gone = self.hits()
        self.store.remove([gone[0].item.id])
        out = self.make()(self.query(), gone)
        assert {hit.item.id for hit in out} == {hit.item.id for hit in gone}
        [lost] = [hit for hit in out if hit.item.id == gone[0].item.id]
        assert (lost.score, lost.measure) == (out[-1].score, MEASURE)
        assert type(lost.score) is float


class Plane:
    """A text is two numbers, "x y", as a direction in the plane."""

    dim = 2
    modalities = frozenset({Modality.TEXT})

    def encode(self, batch: Any, /) -> Array:
        return unit(np.array([[float(x) for x in part.content.split()] for part in batch], np.float32).reshape(-1, 2))

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        return {}

    @classmethod
    def load(cls, folder: Path) -> Plane:
        return cls()


def plane(folder: Path, scored: bool) -> Model:
    """A model with, or without, a score that likes what is a quarter turn to the left of the query."""
    graph(folder / "turn.onnx", np.array([[0.0, 1], [-1, 0]]))
    made = (lambda: OnnxScorer.load(folder, file="turn.onnx")) if scored else None
    model = Model("plane", {Modality.TEXT: Plane()}, dim=2, fingerprint="plane", scorer=made)
    model.save(folder / f"model-{scored}")
    return Model.load(folder / f"model-{scored}", trust=True)


@pytest.mark.parametrize("scored", [True, False])
def test_a_collection_ranks_by_its_models_scorer(tmp_path: Path, scored: bool, capsys: Any) -> None:
    model = plane(tmp_path, scored)
    texts = {"ahead": "1 0", "left": "0 1", "half left": "1 1", "right": "0 -1"}
    with Collection.open(tmp_path / "c", model) as collection:
        collection.add([Item(name, name, (Part(Modality.TEXT, text),)) for name, text in texts.items()])
        hits = collection.search("1 0", k=3)
    if scored:
        assert [hit.item.id for hit in hits] == ["left", "half left", "ahead"]
        assert [hit.score for hit in hits] == pytest.approx([1, 0.5**0.5, 0], abs=1e-6)
        assert [hit.evidence[0].similarity for hit in hits] == pytest.approx([0, 0.5**0.5, 1], abs=1e-6)
        assert hit_dict(1, hits[0])["measure"] == MEASURE
        print_hits(hits)
        assert "Scores: learned score of query and part." in capsys.readouterr().out
        assert read_card(tmp_path / "model-True")["scorer"] == {
            "use": "onnx-scorer",
            "options": {"file": "scorer.onnx"},
        }
    else:
        assert hits[0].item.id == "ahead"
        assert model.scorer is None
        assert "measure" not in hit_dict(1, hits[0])
        print_hits(hits)
        assert "Scores:" not in capsys.readouterr().out


def test_a_scorer_whose_graph_is_no_graph(tmp_path: Path) -> None:
    (tmp_path / "scorer.onnx").write_bytes(b"no")
    with pytest.raises(ModelError, match=r"scorer\.onnx cannot be opened as an ONNX graph"):
        OnnxScorer.load(tmp_path)(rows(1), rows(1))
