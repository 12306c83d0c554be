"""The encoders of texts as bags, by the names and settings of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from duretrieval.encode.bag_of_words import BagOfWords
from duretrieval.encode.char_ngrams import CharNgrams
from duretrieval.encode.word_vectors import WordVectors
from duretrieval.encode.words import Words
from duretrieval.errors import ConfigError
from duretrieval.train.nets.text.bag import BagNet
from duretrieval.train.nets.text.corpus import Frequencies, read_lines
from duretrieval.train.nets.text.word2vec import Weighting, Word2Vec, sentences


def word2vec(
    *,
    corpus: str | None = None,
    model: str | None = None,
    words: Mapping[str, Any] | None = None,
    weighting: Weighting = "mean",
    spread: bool = True,
    learn: bool = False,
    max_words: int | None = None,
    **options: Any,
) -> WordVectors | BagNet:
    """Word vectors for a recipe: learned from the lines of a corpus, loaded, or loaded and learned on.

    words: the settings of `encode.words.Words`.  learn: whether the vectors learn further, with what uses them.
    weighting, spread, max_words: as for `Word2Vec.encoder`.
    options: as for `Word2Vec.train`; with a model and a corpus, `epochs` alone.  Where the model is vectors that cannot
    learn more, the corpus only says how common words are.

    Raises:
        ConfigError: neither a corpus nor a model; or as `Word2Vec`.
    """
    unused = sorted(options.keys() - ({"epochs"} if corpus else ()))
    if model and unused:
        raise ConfigError(f"{', '.join(unused)} cannot be set for a model that is loaded; leave it out")
    settings = None if words is None else Words.of(words)
    texts = list(read_lines(corpus)) if corpus else []
    if model:
        loaded = Word2Vec.load(Path(model), words=settings, max_words=max_words)
        if texts and hasattr(loaded.model, "train"):
            loaded.train_more(texts, **options)
        elif texts:
            loaded.frequencies = Frequencies.of(sentences(texts, loaded.words))
    elif texts:
        loaded = Word2Vec.train(texts, words=settings, **options)
    else:
        raise ConfigError("word2vec needs a corpus to learn from (a file with a text a line), or a model to load")
    encoder = loaded.encoder(weighting=weighting, texts=texts, spread=spread, max_words=max_words)
    return BagNet(encoder) if learn else encoder


def bag_of_words(
    *, corpus: str | None = None, words: Mapping[str, Any] | None = None, learn: bool = False, **options: Any
) -> BagOfWords | BagNet:
    """`encode.bag_of_words.BagOfWords.fit` for a recipe: to the lines of a file, or to none (with buckets).

    words: the settings of `encode.words.Words`.  learn: whether the table learns.  options: as for `fit`.

    Raises:
        ConfigError: as `fit`, or the corpus cannot be read.
    """
    texts = read_lines(corpus) if corpus else ()
    encoder = BagOfWords.fit(texts, words=Words.of(words or {}), **options)
    return BagNet(encoder) if learn else encoder


def char_ngrams(*, corpus: str | None = None, learn: bool = False, **options: Any) -> CharNgrams | BagNet:
    """`encode.char_ngrams.CharNgrams.fit` for a recipe: to the lines of a file, or to none.

    learn: whether the table learns.  options: as for `fit`.

    Raises:
        ConfigError: as `fit`, or the corpus cannot be read.
    """
    encoder = CharNgrams.fit(read_lines(corpus) if corpus else (), **options)
    return BagNet(encoder) if learn else encoder
