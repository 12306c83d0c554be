"""A model with a learned score is measured as it searches: candidates by cosine, then in the order of the score."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from duretrieval.cli import evaluation_tables as tables
from duretrieval.collection.collection import Collection
from duretrieval.evaluation import result_json
from duretrieval.evaluation.labels.labelled import read_labelled
from duretrieval.evaluation.metrics.reranked import Reranked
from duretrieval.evaluation.report.page import page
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.evaluation.subjects.model import embed, evaluate_model
from duretrieval.model.model import Model
from duretrieval.rank.nearest import RERANKED
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part

DIM = 8
FAST = Bootstrap(resamples=50)
MIXING = np.random.default_rng(3).normal(size=(DIM, DIM)).astype(np.float32)


def bilinear(a: Array, b: Array, /) -> Array:
    """a^T M b: not symmetric, and nothing like the cosine."""
    return np.sum((a @ MIXING) * b, axis=1, dtype=np.float32)


class Hashed:
    """A direction for each text and each picture's mean colour."""

    dim = DIM
    modalities = frozenset({Modality.TEXT, Modality.IMAGE})

    def encode(self, batch: Sequence[Part], /) -> Array:
        rows = [np.random.default_rng(zlib.crc32(_bytes(part))).normal(size=DIM) for part in batch]
        return unit(np.array(rows, np.float32).reshape(-1, DIM))


def _bytes(part: Part) -> bytes:
    content = part.content
    return content.mean(axis=(0, 1)).tobytes() if isinstance(content, np.ndarray) else str(content).encode()


def rows(n: int, seed: int) -> Array:
    return unit(np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32))


@pytest.fixture(scope="module")
def model() -> Model:
    encoder = Hashed()
    encoders = {Modality.TEXT: encoder, Modality.IMAGE: encoder}
    return Model("scored", encoders, dim=DIM, fingerprint="scored-1", scorer=lambda: bilinear)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures, a caption each."""
    folder = tmp_path_factory.mktemp("pairs")
    captions = []
    for n in range(12):
        Image.new("RGB", (20, 20), (20 * n, 255 - 20 * n, 7 * n)).save(folder / f"{n}.png")
        captions.append({"caption": f"colour {n}", "image": f"{n}.png"})
    path = folder / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, captions)))
    return path


def test_two_of_three_are_candidates() -> None:
    gallery = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    scores = Reranked(gallery[:1], gallery, lambda a, b: b[:, 1] * 10, candidates=2)
    np.testing.assert_allclose(scores[0:1], [[0, 6, 0 + 0 - 2]], atol=1e-6)  # the second has the larger score


@pytest.mark.parametrize("candidates", [1, 7, 90])
def test_by_its_definition(candidates: int) -> None:
    queries, gallery = rows(70, 1), rows(50, 2)
    found = Reranked(queries, gallery, bilinear, candidates)
    assert found.shape == (70, 50)
    whole = np.concatenate([found[0:33], found[33:70]])
    np.testing.assert_allclose(whole, found[0:70], atol=1e-6)  # once scored, the same again
    for query, row in zip(queries, whole, strict=True):
        cosines = gallery @ query
        near = np.argsort(-cosines)[:candidates]
        scores = {int(i): float(query @ MIXING @ gallery[i]) for i in near}
        best_first = sorted(scores, key=lambda i: -scores[i])
        rest = [i for i in np.argsort(-cosines).tolist() if i not in scores]
        assert np.argsort(-row).tolist() == best_first + rest
        np.testing.assert_allclose(row[near], [scores[int(i)] for i in near], atol=1e-5)


def test_pairs_are_scored_once() -> None:
    asked: list[int] = []

    def counting(a: Array, b: Array, /) -> Array:
        asked.append(len(a))
        return bilinear(a, b)

    found = Reranked(rows(40, 1), rows(30, 2), counting, candidates=5)
    for _ in range(3):
        assert found[0:40].shape == (40, 30)
    assert sum(asked) == 40 * 5
    assert found[7:7].shape == (0, 30)


def test_the_order_is_that_of_a_search(model: Model, manifest: Path, tmp_path: Path) -> None:
    data = read_labelled(manifest)
    embedded, _ = embed(model, data)
    texts, pictures = embedded[Modality.TEXT], embedded[Modality.IMAGE]
    scores = Reranked(texts.vectors, pictures.vectors, bilinear)[0:12]
    names = [Path(data.units[unit].source).name for unit in pictures.units]
    with Collection.open(tmp_path / "c", model) as collection:
        collection.add(manifest.parent, workers=1)
        for place, row in zip(texts.units, scores, strict=True):
            words = str(data.units[place].parts[0].content)
            hits = collection.search(words, k=12, modalities=[Modality.IMAGE])
            assert [hit.item.fields["name"] for hit in hits] == [names[i] for i in np.argsort(-row)]


def test_figures_are_those_of_the_score_and_say_so(
    model: Model, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Model("plain", {m: model.parts_for(m)[0] for m in model.modalities}, dim=DIM, fingerprint="plain-1")
    by_cosine = evaluate_model(plain, manifest, bootstrap=FAST).evaluation
    found = evaluate_model(model, manifest, bootstrap=FAST)
    data = read_labelled(manifest)
    embedded, _ = embed(model, data)
    texts, pictures = (embedded[m].vectors for m in (Modality.TEXT, Modality.IMAGE))
    for name, a, b in (("text-image", texts, pictures), ("image-text", pictures, texts)):
        every = a @ MIXING @ b.T
        ranks = [int(sum(row >= row[i])) for i, row in enumerate(every)]
        assert found.evaluation.pair(name).score("rr").value == pytest.approx(np.mean(1 / np.array(ranks)))
    assert found.evaluation.pair("text-image").score("rr").value != by_cosine.pair("text-image").score("rr").value
    assert (found.evaluation.provenance.reranked, by_cosine.provenance.reranked) == (RERANKED, 0)
    said = f"it puts the {RERANKED} nearest by cosine in order"
    assert said in page(found.evaluation)
    assert "学习得到的打分器" in page(found.evaluation, lang="zh")
    assert said not in page(by_cosine)
    again = result_json.from_json(result_json.to_json(found.evaluation))
    assert again.provenance == found.evaluation.provenance
    tables.show(found, [])
    assert f"The {RERANKED} nearest by cosine are in the order of the model's learned score" in " ".join(
        capsys.readouterr().out.split()
    )
