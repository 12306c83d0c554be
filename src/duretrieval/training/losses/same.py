"""Which pairs belong together, by shared key: the mask that keeps false negatives from being pushed apart."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import torch
from torch import Tensor

from duretrieval.errors import ConfigError

Keys = Sequence[str] | Tensor
"""Keys of samples: strings, or the (n,) int64 that `key_numbers` makes of them."""


def same_key(keys_a: Keys, keys_b: Keys) -> Tensor:
    """Whether the keys are equal, pair by pair: (n, m) bool.

    same_key(["cat", "dog"], ["cat", "dog", "cat"]) == [[1, 0, 1], [0, 1, 0]]

    Raises:
        ConfigError: as `key_numbers`.
    """
    a, b = key_numbers(keys_a), key_numbers(keys_b)
    return a[:, None] == b[None, :]


def key_numbers(keys: Keys) -> Tensor:
    """One number a key, the same on every machine and in every run: (n,) int64.

    Numbers compare on the device, gather over devices and save in a checkpoint, which strings do not. They are a
    BLAKE2b digest of 64 bits: among a million keys two share a number with a chance of 3 in 100 million.

    Raises:
        ConfigError: a key is empty; all samples without one would become each other's positives.
    """
    if isinstance(keys, Tensor):
        return keys
    if "" in keys:
        raise ConfigError(f"key {list(keys).index('')} is empty; a sample without a key goes by its id")
    digests = (blake2b(key.encode(), digest_size=8).digest() for key in keys)
    return torch.tensor([int.from_bytes(digest, "little", signed=True) for digest in digests], dtype=torch.int64)
