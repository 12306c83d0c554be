"""Vectors in NumPy's files, read in a process of their own, and what is wrong with others."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duretrieval.errors import DamagedMedia, LimitExceeded, MediaError, UnsupportedMedia
from duretrieval.media import DecoderPool, Limits
from duretrieval.media.chunk import Chunk
from duretrieval.media.decoder import decode
from duretrieval.media.signature import Kind, sniff
from duretrieval.media.vectors import UNSAID
from duretrieval.types import Reading

VECTORS = np.arange(1, 7, dtype=np.float64).reshape(2, 3)


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(Reading(), Limits(), workers=1) as pool:
        yield pool


def read(path: Path) -> Chunk:
    return decode(path, Reading(), Limits())


def written(save: Callable[[Any], None]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("save", "expected"),
    [
        (lambda file: np.save(file, VECTORS), VECTORS),
        (lambda file: np.save(file, VECTORS[0].astype(np.float16)), VECTORS[:1]),
        (lambda file: np.save(file, np.asfortranarray(VECTORS.astype(">f8"))), VECTORS),
        (lambda file: np.save(file, VECTORS.astype(np.uint8)), VECTORS),
        (lambda file: np.savez(file, frames=VECTORS), VECTORS),
        (lambda file: np.savez_compressed(file, VECTORS[0], origin="a net"), VECTORS[:1]),
    ],
)
def test_a_file_of_vectors_passes_the_pipe(
    pool: DecoderPool, tmp_path: Path, save: Callable[[Any], None], expected: Any
) -> None:
    path = tmp_path / "named.jpg"  # what it is, its content says
    path.write_bytes(written(save))
    chunk = pool.submit(path).result()
    (part,) = chunk.parts
    assert part.modality is UNSAID
    assert isinstance(part.content, np.ndarray)
    assert part.content.dtype == np.float32
    np.testing.assert_array_equal(part.content, expected)
    assert chunk.fields["kind"] == "vector"
    assert chunk.next is None


def test_its_origin_comes_along(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", v=VECTORS, origin="a net")
    np.savez(tmp_path / "w.npz", v=VECTORS)
    assert read(tmp_path / "v.npz").fields["origin"] == "a net"
    assert "origin" not in read(tmp_path / "w.npz").fields


@pytest.mark.parametrize(
    ("save", "kind", "said"),
    [
        (lambda file: np.save(file, np.array([{}])), UnsupportedMedia, "it holds Python objects, which only code can"),
        (lambda file: np.save(file, np.float32(3)), UnsupportedMedia, r"it has the shape \(\); a vector has \(d,\)"),
        (lambda file: np.save(file, np.ones((2, 2, 2))), UnsupportedMedia, r"it has the shape \(2, 2, 2\)"),
        (lambda file: np.save(file, np.array(["a"])), UnsupportedMedia, "it holds <U1, not numbers"),
        (lambda file: np.save(file, np.array([True])), UnsupportedMedia, "it holds bool, not numbers"),
        (lambda file: np.save(file, np.array([1, np.inf])), UnsupportedMedia, "number 2 is not finite"),
        (lambda file: np.savez(file, a=VECTORS, b=VECTORS), UnsupportedMedia, r"it holds 2 arrays \(a, b\); keep one"),
        (lambda file: np.savez(file, origin="x", a=np.array([{}])), UnsupportedMedia, "it holds Python objects"),
        (lambda file: np.save(file, np.zeros((7000, 1024))), LimitExceeded, "7,000 vectors of 1,024 .* 6,144 of them"),
        (lambda file: file.write(written(lambda f: np.save(f, VECTORS))[:-5]), DamagedMedia, "no whole file of NumPy"),
        (lambda file: file.write(written(lambda f: np.save(f, VECTORS))[:20]), DamagedMedia, "no whole file of NumPy"),
        (lambda file: file.write(written(lambda f: np.savez(f, a=VECTORS))[:-30]), DamagedMedia, "of NumPy|not a zip"),
    ],
)
def test_what_is_no_vector_is_said(
    tmp_path: Path, save: Callable[[Any], None], kind: type[MediaError], said: str
) -> None:
    path = tmp_path / "v.npy"
    path.write_bytes(written(save))
    with pytest.raises(kind, match=said):
        read(path)


def test_other_zips_are_none() -> None:
    assert sniff(written(lambda file: np.savez(file, a=VECTORS))[:4096]) is Kind.VECTORS
    with pytest.raises(UnsupportedMedia, match="it looks like a zip archive"):
        sniff(b"PK\3\4" + bytes(22) + b"\x05\0\0\0" + b"a.txt words")
