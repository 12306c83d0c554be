"""A matrix of similarities and the data set's own label files, by the protocol of the field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval import __version__
from duretrieval.errors import EvaluationError, UnknownPart
from duretrieval.evaluation.evaluated import Evaluated
from duretrieval.evaluation.labels.captions import Captions
from duretrieval.evaluation.labels.readers import (
    read_audiocaps,
    read_clotho,
    read_karpathy,
    read_msrvtt_1ka,
    read_positives,
)
from duretrieval.evaluation.labels.relevance import Relevance, SameGroup
from duretrieval.evaluation.metrics.blocks import TwoWayScores
from duretrieval.evaluation.protocols import PROTOCOLS
from duretrieval.evaluation.protocols.classes import ClassProtocol
from duretrieval.evaluation.protocols.paired import CaptionProtocol
from duretrieval.evaluation.protocols.positives import PositivesProtocol
from duretrieval.evaluation.report.closeup import Material
from duretrieval.evaluation.report.exhibit import Exhibit, of_text
from duretrieval.evaluation.result import Provenance
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.media.folders import digest
from duretrieval.plugins import suggest

READERS: dict[str, Callable[[Path], Captions]] = {
    "flickr8k-1k": read_karpathy,
    "flickr30k-1k": read_karpathy,
    "coco-5k": lambda path: read_karpathy(path, captions=5),
    "coco-1k": lambda path: read_karpathy(path, captions=5),
    "eccv-caption": lambda path: read_karpathy(path),
    "msrvtt-1k-a": read_msrvtt_1ka,
    "audiocaps": read_audiocaps,
    "clotho": read_clotho,
}
ECCV = ("dataset_coco.json", "eccv_image_to_caption.json", "eccv_caption_to_image.json")


def evaluate_matrix(
    path: str | Path,
    protocol: str,
    labels: str | Path | None = None,
    *,
    bootstrap: Bootstrap | None = None,
    command: str = "",
) -> Evaluated:
    """Measure similarities (items, captions) in a .npy file, larger is better, read from disk as they are needed.

    labels: the data set's label file; caption protocols do without where rows and columns are in the field's order.
    eccv-caption: a folder of dataset_coco.json and the two files of positives. Class protocols: a .npz with `query` and
    `gallery`, classes (q,) and (n,) or (q, c) and (n, c).

    Raises:
        UnknownPart: no such protocol.
        EvaluationError: the matrix or the labels cannot be read, or labels are needed.
        ShapeError: they do not fit the protocol.
    """
    path = Path(path)
    labels = Path(labels) if labels is not None else None
    if protocol not in PROTOCOLS:
        known = list(PROTOCOLS)
        raise UnknownPart(f"no protocol {protocol!r}.{suggest(protocol, known)} There are: {', '.join(known)}")
    scores = _load(path)
    how = PROTOCOLS[protocol]
    hashes = [digest(file) for file in (path, *_files(labels))]
    options: dict[str, Any] = {
        "bootstrap": bootstrap or Bootstrap(),
        "provenance": Provenance(data=" ".join(hashes), command=command, version=__version__),
    }
    if isinstance(how, CaptionProtocol):
        captions = READERS[protocol](labels) if labels else None
        evaluation = how(scores, captions, **options)
        materials = _materials(scores, captions, how) if how.folds == 1 else ()
        return Evaluated(evaluation, materials)
    if labels is None:
        raise EvaluationError(f"{protocol} needs labels to know what is relevant; give them with --labels")
    if isinstance(how, PositivesProtocol):
        return Evaluated(_positives(how, scores, labels, options))
    return Evaluated(_classes(how, scores, labels, options))


def _load(path: Path) -> Any:
    try:
        scores = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{path} is not a matrix that numpy.save wrote: {error}") from error
    if scores.ndim != 2:
        raise EvaluationError(f"{path} has shape {scores.shape}; a matrix of similarities has rows and columns")
    return scores


def _files(labels: Path | None) -> list[Path]:
    if labels is None:
        return []
    return [labels / name for name in ECCV if (labels / name).is_file()] if labels.is_dir() else [labels]


def _positives(how: PositivesProtocol, scores: TwoWayScores, folder: Path, options: dict[str, Any]) -> Any:
    missing = [name for name in ECCV if not (folder / name).is_file()]
    if missing:
        raise EvaluationError(f"{folder} has no {', '.join(missing)}; give a folder that holds {', '.join(ECCV)}")
    captions = read_karpathy(folder / ECCV[0])
    texts = read_positives(folder / ECCV[1], captions.item_ids, captions.text_ids)
    items = read_positives(folder / ECCV[2], captions.text_ids, captions.item_ids)
    return how(scores, texts, items, captions, **options)


def _classes(how: ClassProtocol, scores: TwoWayScores, labels: Path, options: dict[str, Any]) -> Any:
    try:
        with np.load(labels, allow_pickle=False) as held:
            query, gallery = held["query"], held["gallery"]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise EvaluationError(f"{labels} is not an .npz with the arrays query and gallery: {error}") from error
    return how(scores, query, gallery, **options)


def _materials(scores: Any, captions: Captions | None, how: CaptionProtocol) -> tuple[Material, ...]:
    n, _ = scores.shape
    owner = list(captions.item) if captions else np.repeat(np.arange(n), how.captions).tolist()

    def item(i: int) -> Exhibit:
        return Exhibit(captions.items[i] if captions else f"{how.modality} {i}")

    def text(i: int) -> Exhibit:
        return of_text(captions.texts[i], captions.text_ids[i]) if captions else Exhibit(f"text {i}")

    there: Relevance = SameGroup(range(n), owner)
    back: Relevance = SameGroup(owner, range(n))
    return (
        Material(f"{how.modality}-text", scores, there, item, text),
        Material(f"text-{how.modality}", scores.T, back, text, item),
    )
