"""Rows of frozen encoders, kept on disk by what they are rows of: the second run, and the next recipe, find them.

A folder an encoder, named by its fingerprint, holds numbered safetensors files with `digests` (n, 16) uint8, `counts`
(n,) int64, the windows of each content, and `rows` (sum of counts, d) float32, or float16 where they are tokens. A file
is written whole or not at all; several processes may write at once.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from duretrieval import whole
from duretrieval.errors import ConfigError, MediaError
from duretrieval.media.folders import digest
from duretrieval.types import Array, Part

FORMAT = "windows"
"""In the name of a folder, so that rows that were kept another way are not taken for these."""
SHARD = 1024
"""Rows in a file; an interrupted run loses at most so many."""

Problems = dict[int, str]


class FeatureCache:
    """What an encoder made of contents, by their digests: (w, d), a row a window, or a token.

    most_gb: of all that a run holds of it; None: any.  Rows are then float16.
    """

    def __init__(self, folder: str | Path, most_gb: float | None = None) -> None:
        self.folder = Path(folder)
        self.kind = np.float32 if most_gb is None else np.float16
        self.most_gb = most_gb
        self._rows: dict[bytes, Array] = {}
        self._new: dict[bytes, Array] = {}
        self._waiting = 0
        for file in sorted(self.folder.glob("*.safetensors")):
            try:
                held = load_file(file)
                *begins, end = np.cumsum(held["counts"]).tolist()
                if end != len(held["rows"]):
                    raise ValueError("counts and rows do not go together")
                rows = np.split(held["rows"], begins)
                self._rows.update(zip(map(bytes, held["digests"]), rows, strict=True))
            except (SafetensorError, KeyError, ValueError):
                with suppress(OSError):
                    file.unlink()  # not ours, or damaged: what it held is computed again
            except OSError:
                continue  # it may be whole, and readable another time

    def __contains__(self, key: bytes) -> bool:
        return key in self._rows or key in self._new

    def __getitem__(self, key: bytes) -> Array:
        return self._rows[key] if key in self._rows else self._new[key]

    def put(self, key: bytes, rows: Array) -> None:
        """Keep the rows of a content; they are on disk after `SHARD` rows, or after `flush`."""
        self._new[key] = rows.astype(self.kind, copy=False)
        self._waiting += len(rows)
        if self._waiting >= SHARD:
            self.flush()

    def flush(self) -> None:
        """Write what is new.

        Raises:
            ConfigError: the folder cannot be written, or the disk is full.
        """
        if not self._new:
            return
        digests = np.frombuffer(b"".join(self._new), dtype=np.uint8).reshape(len(self._new), -1)
        counts = np.array([len(rows) for rows in self._new.values()], dtype=np.int64)
        content = save({"digests": digests, "counts": counts, "rows": np.concatenate(list(self._new.values()))})
        name = hashlib.blake2b(content, digest_size=8).hexdigest()
        try:
            whole.sweep(self.folder)
            with whole.file(self.folder / f"{name}.safetensors") as part:
                part.write_bytes(content)
        except OSError as error:
            raise ConfigError(
                f"rows of frozen encoders cannot be kept in {self.folder}: {error.strerror or error}. Make room there, "
                "or name another folder for them (--cache)"
            ) from error
        self._rows.update(self._new)
        self._new, self._waiting = {}, 0


def content_digest(part: Part) -> bytes:
    """16 bytes that are the same for the same content, wherever it lies, and the same stretch of it.

    Raises:
        MediaError: its file cannot be read.
    """
    content = part.content
    if isinstance(content, Path):
        try:
            held = digest(content).encode()
        except OSError as error:
            raise MediaError(f"{content} cannot be opened: {(error.strerror or str(error)).lower()}") from error
    elif isinstance(content, str):
        held = content.encode()
    else:
        array = np.ascontiguousarray(content)
        held = f"{array.shape}{array.dtype}".encode() + array.tobytes()
    where = f"{part.modality}|{part.start_s}|{part.end_s}|".encode()
    return hashlib.blake2b(where + held, digest_size=16).digest()
