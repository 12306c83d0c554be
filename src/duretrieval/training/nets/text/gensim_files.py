"""gensim's own files, which are pickles, read without running what they ask for."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path
from typing import Any

import gensim.utils

_MODULES = frozenset({"gensim.models.word2vec", "gensim.models.keyedvectors", "gensim.models.fasttext"})
"""Any class that one of these defines may be made."""
_NAMES = frozenset(
    {
        ("builtins", "hash"),
        ("builtins", "int"),
        ("collections", "defaultdict"),
        ("gensim.utils", "call_on_class_only"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy.random._mt19937", "MT19937"),
        ("numpy.random._pickle", "__bit_generator_ctor"),
        ("numpy.random._pickle", "__randomstate_ctor"),
    }
)
_SWAP = threading.Lock()


def load(path: Path) -> Any:
    """What `save` of gensim wrote: the object, with the arrays in files beside it.

    Raises:
        pickle.UnpicklingError: it asks for something that no word vectors are made of; nothing of it is run.
    """
    with _SWAP:  # the library reads the file, and those beside it, by this function of its own
        usual, gensim.utils.unpickle = gensim.utils.unpickle, _unpickle
        try:
            return gensim.utils.SaveLoad.load(str(path))
        finally:
            gensim.utils.unpickle = usual


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Only what word vectors are made of."""
        if (module, name) in _NAMES:
            return super().find_class(module, name)
        if module in _MODULES and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which word vectors are not made of")


def _unpickle(path: str) -> Any:
    with Path(path).open("rb") as file:
        return _Unpickler(file, encoding="latin1").load()
