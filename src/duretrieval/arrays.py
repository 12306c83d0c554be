"""Arrays in a safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from duretrieval.errors import ModelError

PLAIN = "biuf"
"""Kinds of numbers that everything here computes with."""


def read_all(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Every array of a file, by name.

    Raises:
        ModelError: it is not a safetensors file, or holds numbers of a kind that NumPy has not.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        found = dict(load_file(path))
        if strange := [f"{name} is of {held.dtype}" for name, held in found.items() if held.dtype.kind not in PLAIN]:
            raise TypeError(strange[0])  # where a package has taught NumPy a kind of its own
    except (OSError, SafetensorError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} cannot be read as safetensors: {error}") from error
    return found


def read(path: Path, key: str) -> npt.NDArray[Any]:
    """The array called `key`.

    Raises:
        ModelError: as `read_all`, or it holds no such array.
    """
    arrays = read_all(path)
    if key not in arrays:
        raise ModelError(f"{path} holds no {key!r}; it holds {', '.join(sorted(arrays)) or 'nothing'}")
    return arrays[key]


def write(folder: str | Path, name: str, **arrays: npt.NDArray[Any]) -> str:
    """Write `name`.safetensors into the folder; returns the file's name."""
    from safetensors.numpy import save

    file = f"{name}.safetensors"
    (Path(folder) / file).write_bytes(save({key: np.ascontiguousarray(rows) for key, rows in arrays.items()}))
    return file
