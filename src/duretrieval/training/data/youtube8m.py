"""YouTube-8M (Abu-El-Haija et al. 2016): films as features, in TFRecord files.

Video level, an Example:          id, labels, mean_rgb (1024 floats), mean_audio (128 floats)
Frame level, a SequenceExample:   id, labels; rgb, audio: a string of 1024 and of 128 bytes for each second
Vocabulary (vocabulary.csv):      Index,TrainVideoCount,KnowledgeGraphId,Name,...
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from duretrieval.errors import ConfigError, DamagedMedia, MediaError
from duretrieval.media.tables import records
from duretrieval.training.data.read import Problem, Read, split_name
from duretrieval.training.data.sample import Sample
from duretrieval.training.data.tfrecord import tf_records
from duretrieval.training.data.wire import Example, Feature, parse_example
from duretrieval.types import Array, Modality, Part

_LETTERS = re.compile("[a-z]*", re.IGNORECASE)
STREAMS = {"rgb": Modality.VIDEO, "audio": Modality.AUDIO}


def read_youtube8m(
    path: Path | str, *, vocabulary: Path | str | None = None, frames: int | None = None, most: int | None = None
) -> Read:
    """A TFRecord file, or all of a folder: samples of `video` (t, 1024) and `audio` (t, 128) float32, t = 1 for means.

    The label is the first that the record names, its name where there is a vocabulary, whose names of all the record's
    labels are also the column `text`, "Car, Vehicle".  Files named train..., validate... and test... are splits.
    frames: of each film, at most so many, evenly spaced: a film of 300 s takes 1.4 MB of memory.  most: samples in all.
    A file that is damaged gives the records before the damage and a problem with the number of the record.

    Raises:
        ConfigError: there is no such file or folder, no TFRecord in it, or the vocabulary is not one.
    """
    path = Path(path)
    files = sorted(path.rglob("*.tfrecord")) if path.is_dir() else [path]
    if not files or not path.exists():
        raise ConfigError(f"{path}: there is no .tfrecord file")
    names = read_vocabulary(Path(vocabulary)) if vocabulary is not None else {}
    samples: list[Sample] = []
    problems: list[Problem] = []
    for file in files:
        for number, record in enumerate(_whole(file), 1):
            if most is not None and len(samples) >= most:
                break
            try:
                if isinstance(record, MediaError):
                    raise record
                samples.append(_sample(parse_example(record), f"{file.name}#{number}", names, frames, file))
            except MediaError as error:
                problems.append(Problem(file, number, str(error)))
    return Read(tuple(samples), tuple(problems))


def dequantise(values: Sequence[bytes]) -> Array:
    """Frames as bytes to frames as numbers: t strings of d bytes -> (t, d) float32 in [-2, 2].

    x = q (4 / 255) + 4 / 512 - 2, as the set's own code has it (`utils.Dequantize`).
    """
    quantised = np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1)
    return (quantised.astype(np.float32) * np.float32(4 / 255) + np.float32(4 / 512 - 2)).astype(np.float32)


def read_vocabulary(path: Path) -> Mapping[int, str]:
    """Names of labels by number.

    Raises:
        ConfigError: there is no such file, or it has no columns Index and Name.
    """
    names = {}
    for record in records(path):
        if record.problem is None and {"Index", "Name"} <= set(record.cells) and str(record.cells["Index"]).isdecimal():
            names[int(record.cells["Index"])] = str(record.cells["Name"])
    if not names:
        raise ConfigError(f"{path} is not a vocabulary of YouTube-8M; it has no columns Index and Name")
    return names


def _whole(file: Path) -> Iterator[bytes | MediaError]:
    """The file's records, and what ends them early."""
    try:
        yield from tf_records(file)
    except MediaError as error:
        yield error


def _sample(example: Example, default: str, names: Mapping[int, str], frames: int | None, file: Path) -> Sample:
    """Raises DamagedMedia where the record has neither frames nor means."""
    held = example.features
    columns: dict[str, Part] = {}
    for stream, modality in STREAMS.items():
        if (content := _stream(example, stream, frames)) is not None:
            columns[modality.value] = Part(modality, content)
    if not columns:
        raise DamagedMedia(f"it has no mean_rgb, mean_audio, rgb or audio; its features are {_names(example)}")
    numbers = [number for number in held.get("labels", []) if isinstance(number, int)]
    called = [names.get(number, str(number)) for number in numbers]
    if names and called:
        columns["text"] = Part(Modality.TEXT, ", ".join(called))
    identity = _string(held.get("id")) or _string(held.get("video_id")) or default
    return Sample(identity, columns, label=called[0] if called else None, split=_split(file))


def _stream(example: Example, stream: str, frames: int | None) -> Array | None:
    """(t, d) float32; None where the record does not have it."""
    mean = example.features.get(f"mean_{stream}")
    if mean is not None and len(mean):
        return np.asarray(mean, np.float32)[None]
    seconds = [value for one in example.lists.get(stream, ()) for value in one if isinstance(value, bytes)]
    if not seconds:
        return None
    if len({len(second) for second in seconds}) > 1:
        raise DamagedMedia(f"the frames of {stream} are of different lengths")
    if frames is not None and len(seconds) > frames:
        seconds = [seconds[int((i + 0.5) * len(seconds) / frames)] for i in range(frames)]
    return dequantise(seconds)


def _split(file: Path) -> str | None:
    """train0093.tfrecord, validate0093.tfrecord, test0093.tfrecord."""
    return split_name(_LETTERS.match(file.stem)[0])  # type: ignore[index]


def _string(values: Feature | None) -> str:
    first = values[0] if values is not None and len(values) else b""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def _names(example: Example) -> str:
    return ", ".join(sorted({*example.features, *example.lists})) or "none"
