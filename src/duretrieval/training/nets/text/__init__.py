"""Text to vectors, learned.

transformer   BERT and its family, pooled (pooling)
word2vec      words by their neighbours, by gensim, from lines of text (corpus)
bag           the table of words or n-grams of the engine's encoders, learning
named         the last two by the names of a recipe
"""
