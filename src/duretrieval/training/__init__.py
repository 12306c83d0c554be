"""Make models: encoders, alignment, fusion and similarity trained from pairs, then exported to a model folder.

The only layer that imports torch; what it makes is searched with without it.
"""
