"""Texts as bags of words, of n-grams, and as sums of word vectors."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from duretrieval import plugins
from duretrieval.encode.bag_of_words import BagOfWords
from duretrieval.encode.bags import damped, inverse_frequency, with_nothing
from duretrieval.encode.char_ngrams import CharNgrams
from duretrieval.encode.hashing import HashedNgrams, HashedWords
from duretrieval.encode.text_bags import TextBags
from duretrieval.encode.vocabulary import Vocabulary
from duretrieval.encode.word_vectors import WordVectors, smooth_inverse_frequency
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.language.unknown import Unknown
from duretrieval.language.words import Words
from duretrieval.similarity import unit
from duretrieval.testing import EncoderSuite
from duretrieval.types import Modality, Part

TEXTS = [
    "a red bus in the rain",
    "rain on a tin roof, and rain again",
    "两只黑色的狗在雪地里跑",
    "a blue bird sings in a tall tree",
    "a black dog runs in the snow",
    "黑狗在树下睡觉",
    "the tin dog sings in the snow",
]
FORMS: dict[str, Callable[[], TextBags]] = {
    "words": lambda: BagOfWords.fit(TEXTS),
    "words, latent": lambda: BagOfWords.fit(TEXTS, dim=5),
    "words, hashed": lambda: BagOfWords.fit(TEXTS, buckets=500),
    "words, hashed and random": lambda: BagOfWords.fit(buckets=500, dim=16),
    "n-grams": lambda: CharNgrams.fit(TEXTS, buckets=500, dim=None),
    "n-grams, latent": lambda: CharNgrams.fit(TEXTS, buckets=900, dim=6),
    "n-grams, random": lambda: CharNgrams.fit(buckets=900, dim=32),
    "vectors": lambda: vectors(),
    "vectors, weighted": lambda: vectors(weights=np.linspace(0.1, 1, 4, dtype=np.float32)),
    "vectors, common direction out": lambda: vectors().without_common(TEXTS),
}


def part(text: str) -> Part:
    return Part(Modality.TEXT, text)


def rows(encoder: TextBags, *texts: str) -> np.ndarray:
    return encoder.encode([part(text) for text in texts])


def vectors(**options: object) -> WordVectors:
    known = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    return WordVectors.of(["dog", "rain", "狗", "blue"], known, **options)  # type: ignore[arg-type]


@cache
def made(form: str) -> TextBags:
    return FORMS[form]()


@pytest.fixture(params=list(FORMS))
def encoder(request: pytest.FixtureRequest) -> TextBags:
    return made(request.param)


class TestEachForm(EncoderSuite):
    @pytest.fixture(autouse=True)
    def _given(self, encoder: TextBags) -> None:
        self.encoder = encoder

    def make(self) -> TextBags:
        return self.encoder

    def parts(self) -> list[Part]:
        return [part(text) for text in ("dog and rain, rain and dog, " * 50 + "blue", "rain", "黑狗 dog", "blue dog")]


def test_saved_and_loaded_is_equal(encoder: TextBags, tmp_path: Path) -> None:
    options = encoder.save(tmp_path, "mine")
    assert all(file.name.startswith("mine") for file in tmp_path.iterdir())
    loaded = plugins.find("encoders", encoder.use).load(tmp_path, **options)
    assert loaded.dim == encoder.dim
    texts = [*TEXTS, "", "elefant", "紫色 purple"]
    np.testing.assert_array_equal(rows(loaded, *texts), rows(encoder, *texts))


def test_a_text_of_nothing_known_has_a_row_too(encoder: TextBags) -> None:
    empty, marks = rows(encoder, "", "?!")
    np.testing.assert_allclose(np.linalg.norm(empty), 1, atol=1e-6)
    np.testing.assert_array_equal(empty, marks)


def test_content_must_be_a_string(encoder: TextBags) -> None:
    with pytest.raises(ShapeError, match="content of a text part to be a string; got int"):
        encoder.encode([Part(Modality.TEXT, 3)])  # type: ignore[arg-type]


# Weights


def test_a_bag_by_eye() -> None:
    """idf: of 2 texts both hold dog and one holds the others, so ln(3/3) + 1 = 1 and ln(3/2) + 1."""
    encoder = BagOfWords.fit(["dog cat", "dog bird bird"])
    assert list(encoder.reader.known) == ["dog", "bird", "cat"]
    ids, weights = encoder.bag(part("dog dog cat horse"))
    assert ids.tolist() == [0, 2]
    np.testing.assert_allclose(weights, [1 + np.log(2), 1 + np.log(1.5)], rtol=1e-6)
    np.testing.assert_allclose(rows(encoder, "horse"), [[0, 0, 0, 1]])


def test_agrees_with_scikit_learn() -> None:
    words = Words()
    theirs = TfidfVectorizer(analyzer=words, sublinear_tf=True).fit(TEXTS)
    ours = BagOfWords.fit(TEXTS, words=words)
    columns = [theirs.vocabulary_[word] for word in ours.reader.known]
    np.testing.assert_allclose(rows(ours, *TEXTS)[:, :-1], theirs.transform(TEXTS).toarray()[:, columns], atol=1e-6)


def test_the_frequent_and_the_rare() -> None:
    assert list(BagOfWords.fit(["x y", "x y z", "x"], max_words=2).reader.known) == ["x", "y"]
    assert list(BagOfWords.fit(["x y", "x y z", "x"], min_count=3).reader.known) == ["x"]
    np.testing.assert_allclose(inverse_frequency(np.array([3, 0]), 3), [1, 1 + np.log(4)], rtol=1e-6)
    assert damped(1) == 1


def test_without_texts_all_words_count_the_same() -> None:
    once = rows(BagOfWords.fit(buckets=1000), "dog rain")
    assert sorted(once[0][once[0] > 0]) == pytest.approx([2**-0.5, 2**-0.5])


# Hashing


def test_ngrams_by_eye() -> None:
    reader = HashedNgrams(1000, shortest=3, longest=3)
    assert list(reader.ngrams("Cats")) == ["<ca", "cat", "ats", "ts>", "<cats>"]
    assert list(reader.ngrams("黑狗, x")) == ["黑", "狗", "黑狗", "<x>"]
    assert list(HashedNgrams(1000, 3, 9).ngrams("cat")) == ["<ca", "cat", "at>", "<cat", "cat>", "<cat>"]


def test_a_slip_is_forgiven_by_ngrams() -> None:
    ngrams = CharNgrams.fit([*TEXTS, "an elephant"], buckets=4000, dim=None)
    right, slip, other = rows(ngrams, "elephant", "elefant", "umbrella")
    assert right @ slip > 0.2 > 0.1 > right @ other
    black, dog = rows(ngrams, "黑狗", "狗")
    assert black @ dog > 0.3


def test_nothing_cancels_in_few_buckets() -> None:
    """With as many words as there are, every bucket is shared; still every text has a direction."""
    encoder = CharNgrams.fit(TEXTS, buckets=3, dim=None)
    assert encoder.dim == 4
    np.testing.assert_allclose(np.linalg.norm(rows(encoder, *TEXTS), axis=1), 1, atol=1e-6)


# Unknown words


def test_unknown_words_by_eye() -> None:
    unknown = Unknown({"elephant": 0, "elegant": 1, "雪": 2, "狗": 3, "雪地": 4})
    assert unknown("雪猫") == {2: 1.0}
    assert unknown("雪地狗") == {4: 0.5, 3: 0.5}
    assert unknown("xyz") == {}
    shares = unknown("elefant")  # <el ele lef efa fan ant nt>: 4 of elephant's 8, 4 of elegant's 7
    assert set(shares) == {0, 1}
    assert shares[1] / shares[0] == pytest.approx((8 / 14) / (8 / 15))


def test_unknown_words_in_a_text() -> None:
    spread, skip = vectors(), vectors(spread=False)
    np.testing.assert_allclose(rows(spread, "dogs"), rows(spread, "dog"), atol=1e-6)
    np.testing.assert_allclose(rows(spread, "黑狗"), rows(spread, "狗"), atol=1e-6)
    np.testing.assert_array_equal(rows(skip, "dogs"), rows(skip, ""))
    np.testing.assert_allclose(rows(skip, "dogs rain"), rows(skip, "rain"), atol=1e-6)


# Word vectors


def test_word_vectors_by_eye() -> None:
    encoder = WordVectors.of(["dog", "cat"], np.array([[1, 0], [0, 1]], np.float32))
    np.testing.assert_allclose(rows(encoder, "dog", "dog cat", "Dog, dog, cat", "?"), unit(DOGS), atol=1e-6)
    weighted = WordVectors.of(["dog", "cat"], encoder.vectors, weights=np.array([3, 4], np.float32))
    np.testing.assert_allclose(rows(weighted, "dog cat"), [[0.6, 0.8]], atol=1e-6)


DOGS = np.array([[1, 0], [1, 1], [2, 1], [1, 1]], np.float32)


def test_smooth_inverse_frequency_by_eye() -> None:
    np.testing.assert_allclose(smooth_inverse_frequency(np.array([1, 999]), a=1e-3), [0.5, 1 / 1000], rtol=1e-6)


def test_the_common_direction_as_in_the_paper() -> None:
    """Algorithm 1 on the texts themselves, word by word."""
    rng = np.random.default_rng(1)
    known = ["dog", "rain", "snow", "bus", "bird"]
    v = (rng.normal(size=(5, 4)) + 2).astype(np.float32)
    weights = smooth_inverse_frequency(np.array([50, 20, 10, 5, 1]), a=0.1)
    texts = ["dog rain", "snow dog dog", "bus", "bird rain bus bus", "snow bird"]
    v_s = np.array([np.mean([weights[known.index(w)] * v[known.index(w)] for w in t.split()], axis=0) for t in texts])
    u = np.linalg.svd(v_s)[2][0]
    ours = WordVectors.of(known, v, weights=weights).without_common(texts)
    np.testing.assert_allclose(rows(ours, *texts), unit(v_s - np.outer(v_s @ u, u)), atol=1e-5)
    with pytest.raises(ShapeError, match="there are no texts to find a common direction of"):
        ours.without_common([])


def test_words_of_which_nothing_was_learned_say_nothing() -> None:
    table = with_nothing(np.array([[1, 0], [0, 0], [1, 0]], np.float32))
    np.testing.assert_allclose(table, [[1, 0], [1, 0], [1, 0], [1, 0]])
    np.testing.assert_allclose(with_nothing(np.array([[1, 0], [-1, 0]], np.float32))[-1], [2**-0.5, 2**-0.5])


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from(["dog", "rain", "blue", "狗", "unseen"]), min_size=1, max_size=6), st.randoms())
def test_the_order_of_words_does_not_matter(words: list[str], rng: object) -> None:
    shuffled = list(words)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    for form in FORMS:
        a, b = rows(made(form), " ".join(words), " ".join(shuffled))
        np.testing.assert_allclose(a, b, atol=1e-6)


# What cannot be


def test_too_long_for_a_row() -> None:
    message = "a row would have 20001 numbers, one for each of what is known; the most is 16384. Give dim"
    with pytest.raises(ConfigError, match=message):
        BagOfWords.fit(TEXTS, buckets=20_000)


def test_nothing_to_learn_from() -> None:
    with pytest.raises(ConfigError, match="there are no texts to learn words from; give some, or give buckets"):
        BagOfWords.fit()
    with pytest.raises(ConfigError, match=r"no word comes 9 times among the .* give more texts, or a smaller"):
        BagOfWords.fit(TEXTS, min_count=9)
    with pytest.raises(ShapeError, match=r"expected one vector for each of 2 words; got an array of shape \(3, 4\)"):
        WordVectors.of(["a", "b"], np.zeros((3, 4), np.float32))


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="buckets is 0; it must be at least 1"):
        BagOfWords.fit(buckets=0)
    with pytest.raises(ConfigError, match="n-grams of 5 to 3 characters, and of 1 to 2 Chinese ones, cannot be"):
        CharNgrams.fit(shortest=5, longest=3)
    with pytest.raises(ConfigError, match="weights must be a number above 0 for each of the 2 words"):
        Vocabulary(Words(), ["a", "b"], np.array([1.0, 0.0], np.float32))
    with pytest.raises(ConfigError, match="weights must be a number above 0 for each of the 3 buckets"):
        HashedWords(Words(), 3, np.ones(2, np.float32))
    with pytest.raises(ShapeError, match=r"expected a table with 4 rows, one for each of what is known; got \(3, 2\)"):
        BagOfWords(HashedWords(Words(), 3), np.zeros((3, 2), np.float32))
    with pytest.raises(ShapeError, match="word vectors need a table"):
        WordVectors(Vocabulary(Words(), ["a"]), None)


def test_files_that_are_not_an_encoder(tmp_path: Path) -> None:
    options = BagOfWords.fit(TEXTS).save(tmp_path, "bag")
    with pytest.raises(ModelError, match=r"bag\.json is of 'vocabulary'; 'char-ngrams' reads hashed-ngrams"):
        CharNgrams.load(tmp_path, **options)
    with pytest.raises(ModelError, match="do not make a 'words' encoder: word vectors need a table"):
        WordVectors.load(tmp_path, **options)
    with pytest.raises(ModelError, match=r"none\.json cannot be read as JSON"):
        BagOfWords.load(tmp_path, arrays=options["arrays"], settings="none.json")
    with pytest.raises(ModelError, match=r"bag\.json cannot be read as safetensors"):
        BagOfWords.load(tmp_path, arrays=options["settings"], settings=options["settings"])
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(ModelError, match=r"list\.json does not hold the settings of an encoder"):
        BagOfWords.load(tmp_path, arrays=options["arrays"], settings="list.json")
    (tmp_path / "more.json").write_text(json.dumps({"reader": "vocabulary", "words": {}, "known": ["a"], "x": 1}))
    with pytest.raises(ModelError, match=r"more\.json and bag\.safetensors do not make a 'bag-of-words' encoder"):
        BagOfWords.load(tmp_path, arrays=options["arrays"], settings="more.json")
