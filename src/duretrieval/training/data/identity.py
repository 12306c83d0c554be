"""By what a sample can be known again: its files, texts, key and group, and how its pictures look."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from duretrieval.duplicates import perceptual as looks
from duretrieval.errors import ConfigError, MediaError
from duretrieval.media import Chunk, DecoderPool, Limits
from duretrieval.media.folders import digest
from duretrieval.plugins import suggest
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part

AT_ONCE = 256
"""Pictures waiting for a decoder."""
STABLE = ("file", "text", "array", "group")
"""Ties that stay what they are when rows are added or files renamed."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Two samples with a tie in common are the same thing, or belong to it."""

    ties: tuple[str, ...]
    """Such as "file:5f0c...", "text:a red bus", "key:7", "group:anna"."""
    looks: tuple[bytes, ...] = ()
    """`duplicates.perceptual.code` of each of its pictures."""


def identify(
    samples: Sequence[Sample],
    *,
    near: bool = True,
    texts: Iterable[str] | None = None,
    limits: Limits | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Identity]:
    """The identity of each sample; every file is read once, every picture decoded once.

    near: whether to look at pictures, too.  texts: the columns whose texts are things and not remarks about them;
    None: all. A text that says no more than the label ties nothing, nor does a key that is the label: a class is not
    one thing.  What cannot be read is known by its path.  workers: decoding processes; None: one a core.
    progress: told (pictures done, pictures in all).

    Raises:
        ConfigError: texts names a column that no sample has.
    """
    digests = _Digests()
    wanted = None if texts is None else set(texts)
    columns = {column for sample in samples for column in sample.columns}
    if samples and (strange := sorted((wanted or set()) - columns)):
        raise ConfigError(
            f"texts names a column {strange[0]!r}, and no row has it.{suggest(strange[0], sorted(columns))} There are: "
            f"{', '.join(sorted(columns))}"
        )
    ties = [tuple(_ties(sample, digests, wanted)) or (f"id:{sample.id}",) for sample in samples]
    if not near:
        return [Identity(own) for own in ties]
    pictures = {digests[path]: path for sample in samples for path in _pictures(sample)}
    codes = dict(_codes(pictures, limits or Limits(), workers, progress))
    return [
        Identity(own, tuple(codes[d] for path in _pictures(sample) if (d := digests[path]) in codes))
        for own, sample in zip(ties, samples, strict=True)
    ]


def same_text(text: str) -> str:
    """A text without what makes no difference: width, case, punctuation and spaces. same_text("A  Bus!") == "a bus"."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.translate(_WORDS).split()) or folded.strip()


class _Words(dict[int, str]):
    """A space for every character that is punctuation, separator or control, each looked up once."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = " " if unicodedata.category(char)[0] in "PZC" else char
        return self[code]


_WORDS = _Words()


class _Digests(dict[Path, str]):
    """Content hash by path, each file read once; the path itself where there is nothing to read."""

    def __missing__(self, path: Path) -> str:
        try:
            self[path] = digest(path)
        except OSError:
            self[path] = str(path)
        return self[path]


def _ties(sample: Sample, digests: _Digests, texts: set[str] | None) -> Iterator[str]:
    named = same_text((sample.label or "").replace("_", " "))
    for column, part in sample.columns.items():
        if isinstance(part.content, Path):
            yield f"file:{digests[part.content]}"
        elif isinstance(part.content, str):
            said = same_text(part.content)
            if said and said != named and (texts is None or column in texts):
                yield f"text:{said}"
        elif part.content is not None:
            yield f"array:{hashlib.blake2b(np.ascontiguousarray(part.content).tobytes(), digest_size=16).hexdigest()}"
    if sample.group:
        yield f"group:{sample.group}"
    if sample.key and sample.key != sample.label:
        yield f"key:{sample.key}"


def _pictures(sample: Sample) -> list[Path]:
    return [path for part in sample.columns.values() if (path := _picture(part)) is not None]


def _picture(part: Part) -> Path | None:
    return part.content if part.modality is Modality.IMAGE and isinstance(part.content, Path) else None


def _codes(
    pictures: dict[str, Path], limits: Limits, workers: int | None, progress: Callable[[int, int], None] | None
) -> Iterator[tuple[str, bytes]]:
    """(digest, code) of every picture that decodes; what does not is the validator's to report."""
    done = 0
    with DecoderPool(looks.READING, limits, workers) as pool:
        waiting = list(pictures.items())
        for first in range(0, len(waiting), AT_ONCE):
            group = waiting[first : first + AT_ONCE]
            asked: list[tuple[str, Future[Chunk]]] = [(name, pool.submit(path)) for name, path in group]
            for name, answer in asked:
                done += 1
                if progress is not None:
                    progress(done, len(pictures))
                try:
                    content = answer.result().parts[0].content
                except (MediaError, IndexError):
                    continue
                if isinstance(content, np.ndarray) and content.ndim > 2:  # else it is a vector, which has no looks
                    yield name, looks.code(content if content.ndim == 3 else content[0]).tobytes()
