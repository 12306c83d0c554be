"""Scores between rows, fixed and learned, each a `contracts.Score` that can also be exported for the engine."""
