"""Folders whose names are what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from duretrieval.errors import ConfigError
from duretrieval.media.folders import walk
from duretrieval.media.holding import modalities_of
from duretrieval.training.data.read import Problem, Read, split_name
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MARKS = re.compile(r"[\s_\-]+")


def read_class_folders(path: Path | str) -> Read:
    """`class/file`, or `train/class/file` beside `val` and `test`: a sample a file, labelled with its folder.

    Its columns are the file, under the name of its modality, which its content tells, and the class in words, `text`
    (`title` beside a text file).  Label and key are the folder's name: samples of a class are positives of one another.
    Folders within a class belong to it.

    Raises:
        ConfigError: it is no folder, or there is no folder in it.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder")
    classes = list(_classes(folder))
    if not classes:
        raise ConfigError(f"{folder}: there are no folders of classes in it, such as {folder}/cat/1.jpg")
    samples: list[Sample] = []
    problems = [Problem(file, None, "it is in no folder of a class") for file in _loose(folder, classes)]
    found = [(split, place, source) for split, place in classes for source in walk([place])]
    held = modalities_of(source.path for _, _, source in found if source.problem is None)
    for split, place, source in found:
        modality = held.get(source.path)
        if isinstance(modality, Modality):
            samples.append(_sample(source.path, modality, folder, place.name, split))
        else:
            problems.append(Problem(source.path, None, source.problem or str(modality)))
    return Read(tuple(samples), tuple(problems))


def words(name: str) -> str:
    """A class name as one would write it: "a_red-bus" is "a red bus", "trafficLight" "traffic light"."""
    spaced = _MARKS.sub(" ", _CAMEL.sub(" ", name)).strip()
    return spaced.lower() if _CAMEL.search(name) else spaced


def _folders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _classes(folder: Path) -> Iterator[tuple[str | None, Path]]:
    """(split, folder of a class); folders are splits only where all are, and have folders in them."""
    top = _folders(folder)
    if top and all(split_name(entry.name) and _folders(entry) for entry in top):
        yield from ((split_name(entry.name), place) for entry in top for place in _folders(entry))
    else:
        yield from ((None, place) for place in top)


def _loose(folder: Path, classes: list[tuple[str | None, Path]]) -> Iterator[Path]:
    for parent in sorted({folder, *(place.parent for _, place in classes)}):
        yield from sorted(entry for entry in parent.iterdir() if entry.is_file() and not entry.name.startswith("."))


def _sample(file: Path, modality: Modality, folder: Path, label: str, split: str | None) -> Sample:
    name = Part(Modality.TEXT, words(label))
    columns = {modality.value: Part(modality, file), "title" if modality is Modality.TEXT else "text": name}
    return Sample(file.relative_to(folder).as_posix(), columns, label=label, key=label, split=split)
