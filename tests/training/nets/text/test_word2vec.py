"""word2vec learned, loaded, learned on, and carried to the engine."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.models import Word2Vec as Gensim

from duretrieval.encode.text_bags import TextBags
from duretrieval.encode.word_vectors import WordVectors
from duretrieval.errors import ConfigError, ModelError
from duretrieval.language.words import Words
from duretrieval.similarity import unit
from duretrieval.testing import EncoderSuite
from duretrieval.training import parts
from duretrieval.training.nets.text.bag import BagNet
from duretrieval.training.nets.text.corpus import Frequencies, read_lines
from duretrieval.training.nets.text.named import word2vec
from duretrieval.training.nets.text.word2vec import Word2Vec
from duretrieval.types import Modality, Part

ANIMALS = ["cat", "dog", "bird", "sheep", "狗"]
VEHICLES = ["car", "bus", "train", "lorry", "汽车"]
SETTINGS: dict[str, Any] = {"dim": 16, "sample": 0, "min_count": 1, "epochs": 10}


def texts(n: int = 200, animals: list[str] = ANIMALS) -> list[str]:
    """Each of a few words of one field: what comes together is alike."""
    rng = random.Random(n)
    return [" ".join(rng.choice(rng_field) for _ in range(6)) for rng_field in rng.choices([animals, VEHICLES], k=n)]


@pytest.fixture(scope="module")
def trained() -> Word2Vec:
    return Word2Vec.train(texts(), **SETTINGS)


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    path = tmp_path / "corpus.txt"
    path.write_text("\n\n".join(texts()), encoding="utf-8")
    return str(path)


def rows(encoder: TextBags, *texts: str) -> np.ndarray:
    return encoder.encode([Part(Modality.TEXT, text) for text in texts])


@pytest.mark.parametrize("method", ["skip-gram", "cbow"])
@pytest.mark.parametrize("negative", [5, 0])
def test_words_of_a_field_come_near(method: Any, negative: int) -> None:
    model = Word2Vec.train(texts(400), method=method, negative=negative, **SETTINGS)
    assert (model.model.sg, model.model.hs) == (int(method == "skip-gram"), int(negative == 0))
    rows_of = {word: unit(model.vectors[word][None])[0] for word in ANIMALS + VEHICLES}
    within = [rows_of[a] @ rows_of[b] for field in (ANIMALS, VEHICLES) for a in field for b in field if a != b]
    across = [rows_of[a] @ rows_of[b] for a in ANIMALS for b in VEHICLES]
    assert np.mean(within) > np.mean(across) + 0.2


AGAIN = """
import json, sys
from duretrieval.training.nets.text.word2vec import Word2Vec
texts, settings = json.load(sys.stdin)
print(Word2Vec.train(texts, **settings).vectors.vectors.tobytes().hex())
"""


def test_the_same_again_in_a_process_that_hashes_otherwise(trained: Word2Vec) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    given = json.dumps([texts(), SETTINGS])
    run = subprocess.run(
        [sys.executable, "-c", AGAIN], env=environment, input=given, capture_output=True, check=True, text=True
    )
    assert run.stdout.strip() == trained.vectors.vectors.tobytes().hex()


def test_another_seed_is_another_start(trained: Word2Vec) -> None:
    other = Word2Vec.train(texts(), **SETTINGS, seed=2)
    assert not np.allclose(other.vectors["cat"], trained.vectors["cat"])


class TestSentences(EncoderSuite):
    @pytest.fixture(autouse=True)
    def _given(self, trained: Word2Vec) -> None:
        self.encoder = trained.encoder(weighting="idf")

    def make(self) -> WordVectors:
        return self.encoder

    def parts(self) -> list[Part]:
        return [Part(Modality.TEXT, text) for text in ("a cat", "the dog and the cat " * 30, "汽车", "bus 狗", "")]


def test_a_sentence_is_the_mean_of_its_words(trained: Word2Vec) -> None:
    expected = np.mean([trained.vectors[word] for word in ("cat", "bus", "狗")], axis=0)
    np.testing.assert_allclose(rows(trained.encoder(), "The cat, on a bus: 狗"), unit(expected[None]), atol=1e-6)


def test_weightings_by_their_definitions(trained: Word2Vec) -> None:
    found = texts()
    counts = {word: sum(text.split().count(word) for text in found) for word in ("cat", "bus")}
    held = {word: sum(word in text.split() for text in found) for word in ("cat", "bus")}
    total = sum(len(text.split()) for text in found)
    idf = {word: np.log((1 + len(found)) / (1 + n)) + 1 for word, n in held.items()}
    sif = {word: 1e-3 / (1e-3 + n / total) for word, n in counts.items()}
    for weighting, weights in (("idf", idf), ("sif", sif)):
        encoder = trained.encoder(weighting=weighting, texts=found)  # type: ignore[arg-type]
        ids = [encoder.reader.known.index(word) for word in weights]
        np.testing.assert_allclose(encoder.reader.weights[ids], list(weights.values()), rtol=1e-5)


def test_sif_takes_out_what_texts_have_in_common(trained: Word2Vec) -> None:
    found = texts()
    plain, without = rows(trained.encoder(), *found), rows(trained.encoder(weighting="sif", texts=found), *found)
    assert np.linalg.norm(without.mean(axis=0)) < np.linalg.norm(plain.mean(axis=0))


# Learning on


@pytest.mark.parametrize("method", ["skip-gram", "cbow"])
@pytest.mark.parametrize("negative", [5, 0])
def test_further_texts_bring_new_words_and_keep_the_old(method: Any, negative: int) -> None:
    model = Word2Vec.train(texts(), method=method, negative=negative, **SETTINGS)
    before = {word: model.vectors[word].copy() for word in ANIMALS}
    assert model.frequencies is not None
    cats = model.frequencies.counts["cat"]
    further = texts(animals=[*ANIMALS, "newt"], n=300)
    model.train_more(further, epochs=20)
    assert "newt" in model.vectors
    assert set(ANIMALS + VEHICLES) < set(model.vectors.index_to_key)
    assert not np.allclose(model.vectors["cat"], before["cat"])
    assert model.vectors.similarity("newt", "cat") > model.vectors.similarity("newt", "lorry")
    assert model.frequencies.counts["newt"] == sum(text.split().count("newt") for text in further)
    assert model.frequencies.counts["cat"] == cats + sum(text.split().count("cat") for text in further)
    assert model.frequencies.texts == 500
    assert rows(model.encoder(weighting="idf"), "newt").shape == (1, 16)


def test_learning_on_after_loading_is_learning_on(tmp_path: Path) -> None:
    """Saved, loaded and trained more is the same as trained more."""
    stayed = Word2Vec.train(texts(), **SETTINGS)
    stayed.save(tmp_path / "words.model")
    came_back = Word2Vec.load(tmp_path / "words.model")
    for model in (stayed, came_back):
        model.train_more(texts(50), epochs=2)
    np.testing.assert_array_equal(came_back.vectors.vectors, stayed.vectors.vectors)
    assert came_back.frequencies == stayed.frequencies


# Files


def test_saved_and_loaded_is_equal(trained: Word2Vec, tmp_path: Path) -> None:
    words = Words(stop_words=False, parts_of_speech=("noun", "verb"))
    model = Word2Vec(trained.model, words, trained.frequencies)
    model.save(tmp_path / "words.model")
    loaded = Word2Vec.load(tmp_path / "words.model")
    assert loaded.words == words
    assert loaded.frequencies == trained.frequencies
    np.testing.assert_array_equal(loaded.vectors.vectors, trained.vectors.vectors)
    assert Gensim.load(str(tmp_path / "words.model")).wv.index_to_key == trained.vectors.index_to_key


@pytest.mark.parametrize("name", ["words.bin", "words.txt", "words.vec", "words.txt.gz"])
def test_the_formats_of_word2vec_are_read(trained: Word2Vec, tmp_path: Path, name: str) -> None:
    trained.vectors.save_word2vec_format(str(tmp_path / name), binary=name.endswith(".bin"))
    loaded = Word2Vec.load(tmp_path / name)
    np.testing.assert_allclose(rows(loaded.encoder(), "cat bus 狗"), rows(trained.encoder(), "cat bus 狗"), atol=1e-5)
    assert len(Word2Vec.load(tmp_path / name, max_words=3).vectors) == 3
    with pytest.raises(ConfigError, match="these are vectors alone, which cannot learn more; load a model that gensim"):
        loaded.train_more(texts())
    with pytest.raises(ConfigError, match="weighting 'idf' needs to know how common the words are; give a corpus"):
        loaded.encoder(weighting="idf")


def test_vectors_that_gensim_saved_are_read(trained: Word2Vec, tmp_path: Path) -> None:
    trained.vectors.save(str(tmp_path / "words.kv"))
    assert isinstance(Word2Vec.load(tmp_path / "words.kv").vectors, KeyedVectors)


def test_files_that_are_no_vectors(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("once upon a time")
    (tmp_path / "words.model").write_text("once upon a time")
    for name in ("words.txt", "words.model", "nothing.bin", "nothing"):
        with pytest.raises(ModelError, match=f"{name} cannot be read as word vectors"):
            Word2Vec.load(tmp_path / name)
    from gensim.corpora import Dictionary

    Dictionary([["a"]]).save(str(tmp_path / "dictionary"))
    with pytest.raises(
        ModelError, match=r"dictionary cannot be read as word vectors: it asks for gensim\.corpora\.dictionary\.Dict"
    ):
        Word2Vec.load(tmp_path / "dictionary")


# What cannot be


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"method": "glove"}, "method is 'glove'; it can be skip-gram or cbow"),
        ({"dim": 0}, "dim is 0; it must be at least 1"),
        ({"negative": -1}, "negative is -1; it must be at least 0"),
        ({"min_count": 9999}, "no word comes 9999 times among the 10 words of the texts; give more texts"),
    ],
)
def test_settings_that_cannot_be(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Word2Vec.train(texts(), **{**SETTINGS, **setting})


def test_no_texts(trained: Word2Vec) -> None:
    with pytest.raises(ConfigError, match="no word comes 1 times among the 0 words"):
        Word2Vec.train([], min_count=1)
    with pytest.raises(ConfigError, match="there is no word in the further texts"):
        trained.train_more(["", "!"])
    with pytest.raises(ConfigError, match="weighting is 'max'; it can be mean, idf, sif"):
        trained.encoder(weighting="max")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="weighting 'sif' takes out what texts have in common; give a corpus"):
        trained.encoder(weighting="sif")


# By name


def test_from_a_file_of_lines_or_the_training_rows(corpus: str, trained: Word2Vec) -> None:
    assert parts.find("train.encoders", "word2vec") is word2vec
    assert list(read_lines(corpus)) == texts()
    for net in (word2vec(corpus=corpus, **SETTINGS), word2vec(texts=texts(), **SETTINGS)):
        assert isinstance(net, BagNet)
        assert net.table.weight.requires_grad
        assert len(net.table.weight) == 11  # ten words and nothing
        np.testing.assert_allclose(rows(net.encoder(), "cat 狗"), rows(trained.encoder(), "cat 狗"), atol=1e-6)
    assert len(word2vec(corpus=corpus, max_words=4, **SETTINGS).table.weight) == 5


def test_from_a_model_and_learned_on(corpus: str, trained: Word2Vec, tmp_path: Path) -> None:
    trained.save(tmp_path / "words.model")
    loaded = word2vec(model=str(tmp_path / "words.model"), texts=["the rows", "are not learned from"]).encoder()
    np.testing.assert_array_equal(rows(loaded, "cat 狗"), rows(trained.encoder(), "cat 狗"))
    further = word2vec(model=str(tmp_path / "words.model"), corpus=corpus, epochs=3, weighting="sif").encoder()
    assert not np.allclose(rows(further, "cat"), rows(loaded, "cat"), atol=1e-3)


def test_a_corpus_says_how_common_the_words_of_foreign_vectors_are(
    corpus: str, trained: Word2Vec, tmp_path: Path
) -> None:
    path = tmp_path / "words.bin"
    trained.vectors.save_word2vec_format(str(path), binary=True)
    net = word2vec(model=str(path), corpus=corpus, weighting="idf", words={"stop_words": False})
    reader = net.encoder().reader
    assert not reader.words.stop_words
    np.testing.assert_allclose(reader.weights, trained.encoder(weighting="idf").reader.weights, rtol=1e-6)
    with pytest.raises(ConfigError, match="these are vectors alone, which cannot learn more"):
        word2vec(model=str(path), corpus=corpus, epochs=1)


def test_what_a_recipe_cannot_say(corpus: str, trained: Word2Vec, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="word2vec needs a corpus to learn from"):
        word2vec()
    trained.save(tmp_path / "words.model")
    with pytest.raises(ConfigError, match="dim, method cannot be set for a model that is loaded; leave it out"):
        word2vec(model=str(tmp_path / "words.model"), dim=3, method="cbow", epochs=3)
    with pytest.raises(ConfigError, match=r"nothing\.txt' cannot be read as lines of text in UTF-8"):
        word2vec(corpus=str(tmp_path / "nothing.txt"))


def test_frequencies_by_eye() -> None:
    frequencies = Frequencies.of([["a", "b", "a"], ["a"]])
    assert (frequencies.counts["a"], frequencies.held["a"], frequencies.texts) == (3, 2, 2)
    doubled = frequencies + frequencies
    assert (doubled.counts["b"], doubled.held["b"], doubled.texts) == (2, 2, 4)
    assert Frequencies.from_settings(doubled.settings()) == doubled
