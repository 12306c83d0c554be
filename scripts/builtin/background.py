"""Vectors of ordinary parts that have nothing to do with the query: they say what a chance score is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from duretrieval.similarity import unit

SENTENCES = Path(__file__).parent / "sentences.txt"
SHARPNESS = (6.0, 10.0, 16.0)
NOISE = 0.5


def confusions(class_weights: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Class probabilities of n things that are not there, as a classifier would give them: (c, f) -> (n, c).

    p = softmax(b cos(w_i - w, w_c - w) + noise) over classes i, for a class c drawn without replacement: a
    classifier mixes up the classes whose weights are alike.  b, the sharpness, is drawn from `SHARPNESS`; the noise
    is Gumbel's, as large as `NOISE`.
    """
    rng = np.random.default_rng(seed)
    rows = unit(class_weights - class_weights.mean(axis=0))
    drawn = rng.permutation(len(rows))[:n]
    sharpness = rng.choice(SHARPNESS, size=(len(drawn), 1))
    logits = sharpness * (rows[drawn] @ rows.T) + NOISE * rng.gumbel(size=(len(drawn), len(rows)))
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (p / p.sum(axis=1, keepdims=True)).astype(np.float32)


def sentences() -> list[str]:
    """Ordinary sentences of many kinds of text, written for this."""
    return SENTENCES.read_text(encoding="utf-8").splitlines()
