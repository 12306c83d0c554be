"""Arrays of a safetensors file."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from duretrieval import arrays
from duretrieval.errors import ModelError


def test_there_and_back(tmp_path: Path) -> None:
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert arrays.write(tmp_path, "a", rows=rows.T) == "a.safetensors"
    np.testing.assert_array_equal(arrays.read(tmp_path / "a.safetensors", "rows"), rows.T)
    with pytest.raises(ModelError, match=r"a.safetensors holds no 'columns'; it holds rows"):
        arrays.read(tmp_path / "a.safetensors", "columns")


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3", "I64"])
def test_what_numpy_cannot_hold_is_a_sentence(tmp_path: Path, kind: str) -> None:
    """Numbers of half precision that only torch knows; and a header that lies about its content."""
    head = json.dumps({"x": {"dtype": kind, "shape": [2], "data_offsets": [0, 4 if kind == "BF16" else 2]}}).encode()
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + bytes(4 if kind == "BF16" else 2))
    with pytest.raises(ModelError, match=r"x.safetensors cannot be read as safetensors: "):
        arrays.read_all(tmp_path / "x.safetensors")
