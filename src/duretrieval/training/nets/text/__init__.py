"""Text to vectors, learned.

transformer   BERT and its family, pooled (pooling)
word2vec      words by their neighbours, by gensim, from lines of text (corpus)
bag           the table of words or n-grams of the engine's encoders, learning
named         the last two by the names of a recipe
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.nets.text.bag import BagNet as BagNet
    from duretrieval.training.nets.text.transformer import TextTransformer as TextTransformer
    from duretrieval.training.nets.text.word2vec import Word2Vec as Word2Vec
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "bag": "BagNet",
            "transformer": "TextTransformer",
            "word2vec": "Word2Vec",
        },
    )
