"""word2vec: vectors of words by the words around them, trained by gensim."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from duretrieval.encode.bags import inverse_frequency
from duretrieval.encode.word_vectors import WordVectors, smooth_inverse_frequency
from duretrieval.errors import ConfigError, ModelError
from duretrieval.language.words import Words
from duretrieval.training.nets.text.corpus import Frequencies
from duretrieval.types import Array

Method = Literal["skip-gram", "cbow"]
Weighting = Literal["mean", "idf", "sif"]

LONGEST = 10_000
"""Words of a text that gensim reads; a longer one is given to it in pieces."""


class Word2Vec:
    """A gensim model with the settings its words were read by, and how common they were.

    skip-gram: P(w_o | w_t), the words around from a word;  cbow: P(w_t | mean of those around), the reverse (Mikolov et
    al. 2013, "Efficient estimation of word representations in vector space"). By negative sampling, or by hierarchical
    softmax (Mikolov et al. 2013, "Distributed representations of words and phrases", sections 2.1 and 2.2).
    """

    def __init__(self, model: Any, words: Words, frequencies: Frequencies | None = None) -> None:
        self.model = model
        """A `gensim.models.Word2Vec`, or only its `KeyedVectors`, which cannot learn more."""
        self.words = words
        self.frequencies = frequencies

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        *,
        words: Words | None = None,
        dim: int = 100,
        method: Method = "skip-gram",
        window: int = 5,
        negative: int = 5,
        sample: float = 1e-3,
        min_count: int = 5,
        epochs: int = 5,
        seed: int = 1,
    ) -> Word2Vec:
        """Learn from texts, which are held in memory as words; the same texts and seed give the same vectors.

        window: words on each side.  negative: noise words for each true one; 0 is hierarchical softmax.  sample: words
        more common than this share are read less often; 0: every one, as suits a small corpus.  min_count: rarer words
        are left out.

        Raises:
            ConfigError: a setting cannot be, or no word comes often enough.
        """
        from gensim.models import Word2Vec as Gensim

        _check(method, dim=dim, window=window, epochs=epochs, min_count=min_count, negative=negative)
        words = words or Words()
        found = sentences(texts, words)
        frequencies = Frequencies.of(found)
        if not any(count >= min_count for count in frequencies.counts.values()):
            raise ConfigError(
                f"no word comes {min_count} times among the {len(frequencies.counts)} words of the texts; give more "
                "texts, or a smaller min_count"
            )
        model = Gensim(
            _cut(found),
            vector_size=dim,
            sg=int(method == "skip-gram"),
            hs=int(negative == 0),
            negative=negative,
            window=window,
            sample=sample,
            min_count=min_count,
            epochs=epochs,
            seed=seed,
            workers=1,  # with more, the result depends on which is first
        )
        return cls(model, words, frequencies)

    def train_more(self, texts: Iterable[str], *, epochs: int = 5) -> None:
        """Learn from further texts: words that come often enough in them join the vocabulary, the others move.

        Raises:
            ConfigError: these are only vectors, without what training needs; or there is no word in the texts.
        """
        if not hasattr(self.model, "train"):
            raise ConfigError("these are vectors alone, which cannot learn more; load a model that gensim saved whole")
        found = sentences(texts, self.words)
        if not found:
            raise ConfigError("there is no word in the further texts")
        pieces = _cut(found)
        self.model.build_vocab(pieces, update=True)
        self.model.train(pieces, total_examples=self.model.corpus_count, epochs=epochs)
        new = Frequencies.of(found)
        self.frequencies = self.frequencies + new if self.frequencies else new

    @property
    def vectors(self) -> Any:
        """gensim's `KeyedVectors`: `most_similar`, `similarity` and the rest."""
        return getattr(self.model, "wv", self.model)

    def encoder(
        self,
        *,
        weighting: Weighting = "mean",
        texts: Iterable[str] = (),
        spread: bool = True,
        max_words: int | None = None,
    ) -> WordVectors:
        """The engine's encoder of texts by the vectors of their words.

        weighting: "mean"; "idf", rare words more; "sif", rarer words more and the common direction of `texts` out
        (`encode.word_vectors`).  spread: unknown words are read as known ones like them.  max_words: only the first so
        many of gensim's list, which begins with the most frequent.

        Raises:
            ConfigError: the weighting needs what is not known of these vectors: how common the words are, or texts.
        """
        known = list(self.vectors.index_to_key)[:max_words]
        rows = np.asarray(self.vectors.vectors[:max_words], dtype=np.float32)
        encoder = WordVectors.of(known, rows, words=self.words, weights=self._weights(weighting, known), spread=spread)
        if weighting != "sif":
            return encoder
        texts = list(texts)
        if not texts:
            raise ConfigError("weighting 'sif' takes out what texts have in common; give a corpus")
        return encoder.without_common(texts)

    def _weights(self, weighting: str, known: list[str]) -> Array | None:
        if weighting not in get_args(Weighting):
            raise ConfigError(f"weighting is {weighting!r}; it can be {', '.join(get_args(Weighting))}")
        if weighting == "mean":
            return None
        if self.frequencies is None:
            raise ConfigError(f"weighting {weighting!r} needs to know how common the words are; give a corpus")
        if weighting == "idf":
            held = np.array([self.frequencies.held[word] for word in known])
            return inverse_frequency(held, self.frequencies.texts)
        return smooth_inverse_frequency(np.array([self.frequencies.counts[word] for word in known]))

    def save(self, path: str | Path) -> None:
        """Write gensim's own file, and `path`.json with the settings of the words and how common they are."""
        path = Path(path)
        self.model.save(str(path))
        told = {"words": self.words.settings(), "frequencies": self.frequencies and self.frequencies.settings()}
        Path(f"{path}.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path, *, words: Words | None = None, max_words: int | None = None) -> Word2Vec:
        """What `save` or gensim wrote, or vectors in the word2vec formats: .bin, and .txt or .vec (also .gz).

        words: how texts are to be read; None is as saved beside the file, or else the default.  max_words: of vectors
        in the word2vec formats, the first so many.  gensim's own files are pickles: what word vectors are not made of
        is refused, and not run.

        Raises:
            ModelError: there is no such file, or it holds no word vectors.
        """
        path = Path(path)
        model = _load(path, max_words)
        beside = Path(f"{path}.json")
        told = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        words = words or Words.of(told.get("words", {}))
        return cls(model, words, Frequencies.from_settings(told["frequencies"]) if told.get("frequencies") else None)


def _check(method: str, **numbers: int) -> None:
    if method not in get_args(Method):
        raise ConfigError(f"method is {method!r}; it can be {' or '.join(get_args(Method))}")
    for name, value in numbers.items():
        least = 0 if name == "negative" else 1
        if value < least:
            raise ConfigError(f"{name} is {value}; it must be at least {least}")


def sentences(texts: Iterable[str], words: Words) -> list[list[str]]:
    """The words of each text that has some."""
    return [found for text in texts if (found := words(text))]


def _cut(found: list[list[str]]) -> list[list[str]]:
    return [sentence[start : start + LONGEST] for sentence in found for start in range(0, len(sentence), LONGEST)]


def _load(path: Path, max_words: int | None) -> Any:
    from gensim.models import KeyedVectors

    from duretrieval.training.nets.text import gensim_files

    kinds = [suffix for suffix in path.suffixes if suffix in {".bin", ".txt", ".vec"}]
    try:
        if kinds:
            binary = kinds[-1] == ".bin"
            return KeyedVectors.load_word2vec_format(
                str(path), binary=binary, limit=max_words, unicode_errors="replace"
            )
        model = gensim_files.load(path)
    except Exception as error:  # unpickling a file that is none raises nearly anything
        raise ModelError(f"{path} cannot be read as word vectors: {error}") from error
    if not hasattr(getattr(model, "wv", model), "index_to_key"):
        raise ModelError(f"{path} holds a {type(model).__name__}, and no word vectors")
    return model
