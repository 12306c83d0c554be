"""Which samples can be trained with, and why the others cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from duretrieval.errors import MediaError, MissingExtra
from duretrieval.media import Chunk, DecoderPool, Limits
from duretrieval.media.expected import NOUNS, misfit
from duretrieval.media.probe import probe
from duretrieval.media.vectors import UNSAID
from duretrieval.training.data.read import Problem
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part, Reading

VECTOR = "it is a vector, which only the encoder `features` reads; give its modality that, or name files"
AT_ONCE = 64
"""Files waiting for a decoder; their pixels wait in memory."""


@dataclass(frozen=True, slots=True)
class Validation:
    """Every sample is in `good`, or at least one of the problems names it."""

    good: tuple[Sample, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    """What a file turned out to hold."""

    modalities: frozenset[Modality]
    seconds: float | None = None
    faults: Mapping[str, str] | None = None
    """Of the streams that do not decode, by modality."""


def validate(
    samples: Sequence[Sample],
    reading: Reading | None = None,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    labels: bool = False,
    columns: Iterable[str] = (),
    workers: int | None = None,
) -> Validation:
    """Check every sample and open every file that one names, once, each in a process that it may crash.

    A sample is good when its id is its own, it has two columns or a label, its texts say something, its files are
    there, decode, and hold what their columns hold, and its times lie within them.  labels: whether each needs a label.
    columns: those that each needs.  progress: told (files done, files in all).
    """
    needed = tuple(columns)
    paths = dict.fromkeys(p for s in samples for _, part in s.parts() if (p := _path(part)) is not None)
    held = dict(_look(list(paths), reading or Reading(), limits or Limits(), workers, progress))
    first: dict[str, int] = {}
    good: list[Sample] = []
    problems: list[Problem] = []
    for number, sample in enumerate(samples, 1):
        before = len(problems)
        if first.setdefault(sample.id, number) != number:
            said = f"the id is already that of sample {first[sample.id]:,}; this is sample {number:,}"
            problems.append(Problem(None, None, said, sample.id))
        problems.extend(_row_problems(sample, labels, needed))
        for column, part in sample.parts():
            if reason := _part_problem(part, held):
                problems.append(Problem(_path(part), None, reason, sample.id, column))
        if len(problems) == before:
            good.append(sample)
    return Validation(tuple(good), tuple(problems))


def unusable(
    parts: Sequence[Part | None],
    reading: Reading,
    limits: Limits,
    progress: Callable[[int], None] | None = None,
) -> dict[int, str]:
    """Why parts cannot be decoded, by their place; each file is opened once.  progress: told how many are done.

    A vector cannot: no encoder that learns reads one.
    """
    paths = dict.fromkeys(path for part in parts if part is not None and (path := _path(part)) is not None)
    told = None if progress is None else lambda done, total: progress(len(parts) - total + done)
    held = dict(_look(list(paths), reading, limits, None, told))
    reasons = {
        i: (_path(part), VECTOR if _is_vector(part, held) else _part_problem(part, held))
        for i, part in enumerate(parts)
        if part is not None and not isinstance(part.content, str)
    }
    return {i: f"{path}: {reason}" if path else reason for i, (path, reason) in reasons.items() if reason}


def _is_vector(part: Part, held: Mapping[Path, _Held | str]) -> bool:
    if isinstance(part.content, Path):
        found = held[part.content]
        return isinstance(found, _Held) and UNSAID in found.modalities
    axes = part.content.ndim if isinstance(part.content, np.ndarray) else 0
    return axes == 2 or (axes == 1 and part.modality is not Modality.AUDIO)


def _path(part: Part) -> Path | None:
    return part.content if isinstance(part.content, Path) else None


def _look(
    paths: Sequence[Path],
    reading: Reading,
    limits: Limits,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> Iterator[tuple[Path, _Held | str]]:
    """(path, what it holds, or why that cannot be said)."""
    with DecoderPool(reading, limits, workers, decode=probe) as pool:
        for begin in range(0, len(paths), AT_ONCE):
            asked = [(path, pool.submit(path)) for path in paths[begin : begin + AT_ONCE]]
            for done, (path, answer) in enumerate(asked, begin + 1):
                yield path, _held(answer)
                if progress is not None:
                    progress(done, len(paths))


def _held(answer: Future[Chunk]) -> _Held | str:
    try:
        chunk = answer.result()
    except (MediaError, MissingExtra) as error:
        return str(error)
    seconds = chunk.fields.get("seconds")
    faults = {name: str(chunk.fields[name]) for name in ("video", "audio") if name in chunk.fields}
    return _Held(
        frozenset(part.modality for part in chunk.parts),
        float(seconds) if isinstance(seconds, int | float) else None,
        faults,
    )


def _row_problems(sample: Sample, labels: bool, needed: Sequence[str]) -> Iterator[Problem]:
    have = ", ".join(sample.columns) or "none"
    if labels and sample.label is None:
        yield Problem(None, None, "it has no label", sample.id)
    if missing := [column for column in needed if column not in sample.columns]:
        yield Problem(None, None, f"it has no column '{missing[0]}'; its columns are: {have}", sample.id)
    elif not sample.columns:
        yield Problem(None, None, "it has no column", sample.id)
    elif len(sample.columns) == 1 and sample.label is None:
        said = f"there is only the column '{have}' and no label: nothing to learn it with"
        yield Problem(None, None, said, sample.id)


def _part_problem(part: Part, held: Mapping[Path, _Held | str]) -> str | None:
    content = part.content
    if content is None:
        return "it has no content"
    if isinstance(content, str):
        if part.modality is not Modality.TEXT:
            return f"the column holds {NOUNS[part.modality]}, but this is a string; a file is named by a Path"
        return None if content.strip() else "the text is empty"
    if isinstance(content, np.ndarray):
        if content.size == 0:
            return f"the array is empty, of shape {content.shape}"
        return None if np.isfinite(content).all() else "the array holds numbers that are not finite"
    found = held[content]
    return found if isinstance(found, str) else _file_problem(part, found)


def _file_problem(part: Part, found: _Held) -> str | None:
    if UNSAID in found.modalities:  # a vector, of whatever its column says
        return None
    moving = found.modalities == {Modality.VIDEO} and found.faults == {}  # an animated picture, which has no streams
    if part.modality not in found.modalities and not (moving and part.modality is Modality.IMAGE):
        if part.modality.value in (found.faults or {}):
            return (found.faults or {})[part.modality.value]
        if not found.modalities:
            return "it holds no text"
        return misfit(part.modality, found.modalities)
    if part.start_s is not None and found.seconds is not None and part.start_s >= found.seconds:
        return f"the row starts at {part.start_s:g} s, the file ends at {found.seconds:g} s"
    return None
