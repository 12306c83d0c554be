"""The encoders of texts as bags, by the names and settings of a recipe.

texts: those of the training rows, which a recipe hands on; a corpus, a file with a text a line, takes their place.
words: the settings of `encode.words.Words`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from duretrieval.encode.bag_of_words import BagOfWords
from duretrieval.encode.char_ngrams import CharNgrams
from duretrieval.errors import ConfigError
from duretrieval.language.words import Words
from duretrieval.training.nets.text.bag import BagNet
from duretrieval.training.nets.text.corpus import Frequencies, read_lines
from duretrieval.training.nets.text.word2vec import Method, Weighting, Word2Vec, sentences


def word2vec(
    *,
    corpus: str | None = None,
    model: str | None = None,
    texts: Sequence[str] = (),
    words: Mapping[str, Any] | None = None,
    weighting: Weighting = "mean",
    spread: bool = True,
    max_words: int | None = None,
    dim: int | None = None,
    method: Method | None = None,
    window: int | None = None,
    negative: int | None = None,
    sample: float | None = None,
    min_count: int | None = None,
    epochs: int | None = None,
    seed: int | None = None,
) -> BagNet:
    """Word vectors: learned from texts, or those of a model; with a model and epochs, the model's, learned on.

    weighting, spread, max_words: as for `Word2Vec.encoder`.  The others: as for `Word2Vec.train`, whose defaults hold.

    Raises:
        ConfigError: neither texts nor a model; or as `Word2Vec`.
    """
    settings = None if words is None else Words.of(words)
    options = {"dim": dim, "method": method, "window": window, "negative": negative, "sample": sample}
    options |= {"min_count": min_count, "epochs": epochs, "seed": seed}
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    found = _texts(corpus, texts)
    if model:
        loaded = _loaded(Word2Vec.load(Path(model), words=settings, max_words=max_words), found, given)
    elif found:
        loaded = Word2Vec.train(found, words=settings, **given)
    else:
        raise ConfigError("word2vec needs a corpus to learn from (a file with a text a line), or a model to load")
    return BagNet(loaded.encoder(weighting=weighting, texts=found, spread=spread, max_words=max_words))


def bag_of_words(
    *,
    corpus: str | None = None,
    texts: Sequence[str] = (),
    words: Mapping[str, Any] | None = None,
    min_count: int = 1,
    max_words: int | None = None,
    buckets: int | None = None,
    dim: int | None = None,
    seed: int = 0,
) -> BagOfWords | BagNet:
    """`encode.bag_of_words.BagOfWords.fit`; with dim, it has a table, which can learn.

    Raises:
        ConfigError: as `fit`, or the corpus cannot be read.
    """
    encoder = BagOfWords.fit(
        _texts(corpus, texts),
        words=Words.of(words or {}),
        min_count=min_count,
        max_words=max_words,
        buckets=buckets,
        dim=dim,
        seed=seed,
    )
    return encoder if encoder.table is None else BagNet(encoder)


def char_ngrams(
    *,
    corpus: str | None = None,
    texts: Sequence[str] = (),
    buckets: int = 8192,
    shortest: int = 3,
    longest: int = 5,
    longest_chinese: int = 2,
    lower: bool = True,
    dim: int = 256,
    seed: int = 0,
) -> BagNet:
    """`encode.char_ngrams.CharNgrams.fit` with a table, which can learn.

    Raises:
        ConfigError: as `fit`, or the corpus cannot be read.
    """
    encoder = CharNgrams.fit(
        _texts(corpus, texts),
        buckets=buckets,
        shortest=shortest,
        longest=longest,
        longest_chinese=longest_chinese,
        lower=lower,
        dim=dim,
        seed=seed,
    )
    return BagNet(encoder)


def _texts(corpus: str | None, texts: Sequence[str]) -> list[str]:
    return list(read_lines(corpus)) if corpus else list(texts)


def _loaded(model: Word2Vec, texts: Sequence[str], given: Mapping[str, Any]) -> Word2Vec:
    """Learned on where epochs are given; otherwise texts only say how common words are, where that is not known."""
    unused = sorted(given.keys() - {"epochs"})
    if unused:
        raise ConfigError(f"{', '.join(unused)} cannot be set for a model that is loaded; leave it out")
    if given:
        model.train_more(texts, epochs=given["epochs"])
    elif texts and model.frequencies is None:
        model.frequencies = Frequencies.of(sentences(texts, model.words))
    return model
