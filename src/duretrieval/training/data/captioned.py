"""The published caption sets, as `evaluation.labels.readers` reads them, with all their splits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from duretrieval.errors import ConfigError
from duretrieval.evaluation.labels import readers
from duretrieval.evaluation.labels.captions import Captions
from duretrieval.evaluation.labels.readers.table import load_json
from duretrieval.training.data.read import Problem, Read, split_name
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part


def read_karpathy(path: Path | str, media: Path | str) -> Read:
    """Flickr8k, Flickr30k and MS-COCO: dataset_*.json; media: the folder that its file paths begin in.

    A sample a caption, with its picture.  COCO's restval is trained on.

    Raises:
        EvaluationError: not this layout.
    """
    return Read(tuple(_of_splits(Path(path), "images", Path(media))))


def read_msrvtt(path: Path | str, media: Path | str) -> Read:
    """MSR-VTT: MSRVTT_data.json or its sisters, or MSRVTT_JSFUSION_test.csv (1K-A); media: the folder of video0.mp4.

    Raises:
        EvaluationError: not this layout.
    """
    path = Path(path)
    if path.suffix == ".csv":
        return Read(tuple(_samples(readers.read_msrvtt_1ka(path), Path(media), "test")))
    return Read(tuple(_of_splits(path, "videos", Path(media))))


def read_audiocaps(path: Path | str, media: Path | str, *, suffix: str = ".wav") -> Read:
    """AudioCaps: train.csv, val.csv, test.csv, and the file's name is the split.

    media: the folder of the clips, {youtube_id}_{start}{suffix}.  Many are not to be had any more: those that are not
    there are counted in a problem.

    Raises:
        EvaluationError: not this layout, or not one clip is there.
        ConfigError: `media` is no folder.
    """
    path, folder = Path(path), Path(media)
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder; give the one that the clips are in")
    there = {file.name.removesuffix(suffix) for file in folder.iterdir() if file.name.endswith(suffix)}
    captions, named = readers.read_audiocaps(path, have=there), len(readers.read_audiocaps(path).items)
    problems: tuple[Problem, ...] = ()
    if absent := named - len(captions.items):
        problems = (Problem(path, None, f"{absent:,} of {named:,} clips are not in {folder}; they are left out"),)
    return Read(tuple(_samples(captions, folder, split_name(path.stem), suffix)), problems)


def read_clotho(path: Path | str, media: Path | str) -> Read:
    """Clotho: clotho_captions_development.csv and its sisters, split by name; media: the folder of the sounds.

    Raises:
        EvaluationError: not this layout.
    """
    path = Path(path)
    return Read(tuple(_samples(readers.read_clotho(path), Path(media), split_name(path.stem.rpartition("_")[2]))))


def _of_splits(path: Path, rows: str, media: Path) -> Iterator[Sample]:
    """All splits of a JSON file that names one for each of its rows."""
    data = load_json(path)
    held = data.get(rows) if isinstance(data, dict) else None
    said = [str(row["split"]) for row in held or () if isinstance(row, dict) and "split" in row]
    for split in dict.fromkeys(said) or ("train",):  # without any, the reader says what is missing
        captions = readers.read_karpathy(path, split) if rows == "images" else readers.read_msrvtt(path, split=split)
        yield from _samples(captions, media, split_name(split))


def _samples(captions: Captions, media: Path, split: str | None, suffix: str = "") -> Iterator[Sample]:
    """A sample a caption; captions of one thing have its id as their key."""
    for identity, text, row in zip(captions.text_ids, captions.texts, captions.item, strict=True):
        file = Part(captions.modality, media / f"{captions.items[row]}{suffix}")
        columns = {captions.modality.value: file, "text": Part(Modality.TEXT, text)}
        yield Sample(identity, columns, key=captions.item_ids[row], split=split)
