"""Text to vectors, learned.

transformer   BERT and its family, pooled (pooling)
word2vec      words by their neighbours, by gensim
words, bag_of_words, char_ngrams   what each reads a text as, fitted and made trainable
bag           the one trainable table that these three share
"""
