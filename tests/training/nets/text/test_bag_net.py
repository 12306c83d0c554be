"""Tables of words and n-grams that learn, and go back to the engine's encoders."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from duretrieval import plugins
from duretrieval.encode.bag_of_words import BagOfWords
from duretrieval.encode.char_ngrams import CharNgrams
from duretrieval.encode.word_vectors import WordVectors
from duretrieval.errors import ConfigError
from duretrieval.similarity import unit
from duretrieval.testing import NetSuite
from duretrieval.training import parts
from duretrieval.training.nets.text.bag import BagNet
from duretrieval.training.nets.text.named import bag_of_words, char_ngrams
from duretrieval.types import Modality, Part

TEXTS = ["a red bus in the rain", "rain on a tin roof, and rain again", "黑狗在雪地里跑", "", "a blue bird", "elefant"]
PARTS = [Part(Modality.TEXT, text) for text in TEXTS]

FORMS: dict[str, Callable[[], Any]] = {
    "words, latent": lambda: BagOfWords.fit(TEXTS, dim=4),
    "words, hashed and random": lambda: BagOfWords.fit(buckets=300, dim=8),
    "n-grams, latent": lambda: CharNgrams.fit(TEXTS, buckets=900, dim=4),
    "vectors": lambda: WordVectors.of(["rain", "elephant", "bus", "狗"], np.eye(4, dtype=np.float32)),
}


class TestEachForm(NetSuite):
    @pytest.fixture(scope="class", params=list(FORMS))
    @classmethod
    def net(cls, request: pytest.FixtureRequest) -> BagNet:
        return BagNet(FORMS[request.param]())

    @pytest.fixture
    def parts(self) -> list[Part]:
        return PARTS[:4]


@pytest.mark.parametrize("form", list(FORMS))
def test_it_begins_as_the_engines_encoder(form: str) -> None:
    encoder = FORMS[form]()
    net = BagNet(encoder)
    with torch.no_grad():
        np.testing.assert_allclose(unit(net(**net.prepare(PARTS)).numpy()), encoder.encode(PARTS), atol=1e-6)


@pytest.mark.parametrize("form", list(FORMS))
def test_what_it_learned_is_what_the_engine_runs(form: str, tmp_path: Path) -> None:
    """After some steps towards random targets, the exported encoder is another, and the net's."""
    encoder = FORMS[form]()
    net = BagNet(encoder)
    targets = torch.randn(len(PARTS), net.dim, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.mse_loss(net(**net.prepare(PARTS)), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    entry = net.export(tmp_path, "text")
    engine = plugins.find("encoders", entry["use"]).load(tmp_path, **entry["options"]).encode(PARTS)
    with torch.no_grad():
        np.testing.assert_allclose(engine, unit(net(**net.prepare(PARTS)).numpy()), atol=1e-4)
    assert not np.allclose(engine, encoder.encode(PARTS), atol=0.1)


def test_the_encoder_it_came_from_stays(tmp_path: Path) -> None:
    encoder = FORMS["vectors"]()
    before = encoder.encode(PARTS)
    net = BagNet(encoder)
    with torch.no_grad():
        net.table.weight.add_(1)
    np.testing.assert_array_equal(encoder.encode(PARTS), before)


@pytest.mark.parametrize("form", list(FORMS))
def test_a_copy_in_another_process_is_equal(form: str) -> None:
    """As loaders of data with workers need."""
    net = BagNet(FORMS[form]())
    copy = pickle.loads(pickle.dumps(net))
    for name, tensor in net.prepare(PARTS).items():
        assert torch.equal(copy.prepare(PARTS)[name], tensor)


def test_the_rows_by_eye() -> None:
    net = BagNet(FORMS["vectors"]())
    inputs = net.prepare([Part(Modality.TEXT, "rain, rain on a bus"), Part(Modality.TEXT, "bus")])
    assert inputs["ids"].tolist() == [[0, 2], [2, 0]]
    assert inputs["weights"].tolist() == [[2, 1], [1, 0]]
    assert net(**inputs).tolist() == [[2, 0, 1, 0], [0, 0, 1, 0]]


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    (tmp_path / "corpus.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    return str(tmp_path / "corpus.txt")


def test_a_bag_of_words_by_name(corpus: str) -> None:
    assert parts.find("train.encoders", "bag-of-words") is bag_of_words
    long = bag_of_words(corpus=corpus, words={"stop_words": False}, max_words=5)
    assert isinstance(long, BagOfWords)
    assert long.reader.known[0] == "a"
    net = bag_of_words(corpus=corpus, dim=3)
    assert isinstance(net, BagNet)
    fitted = BagOfWords.fit([text for text in TEXTS if text], dim=3)
    np.testing.assert_allclose(net.encoder().encode(PARTS), fitted.encode(PARTS), atol=1e-6)
    hashed = bag_of_words(buckets=100, dim=3)
    assert isinstance(hashed, BagNet)
    assert hashed.table.weight.shape == (101, 3)


def test_ngrams_by_name(corpus: str) -> None:
    assert parts.find("train.encoders", "char-ngrams") is char_ngrams
    net = char_ngrams(dim=3, buckets=50)
    assert net.table.weight.shape == (51, 3)
    from_rows, from_file = char_ngrams(texts=[t for t in TEXTS if t], dim=3), char_ngrams(corpus=corpus, dim=3)
    assert torch.equal(from_rows.table.weight, from_file.table.weight)
    assert not torch.equal(char_ngrams(dim=3).table.weight, from_rows.table.weight)


def test_nothing_to_learn() -> None:
    with pytest.raises(ConfigError, match="a bag of words without a projection has nothing to learn; give dim"):
        BagNet(BagOfWords.fit(buckets=100))
