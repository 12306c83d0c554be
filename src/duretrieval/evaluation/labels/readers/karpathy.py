"""The splits of Karpathy and Fei-Fei 2015: dataset_coco.json, dataset_flickr30k.json, dataset_flickr8k.json.

    {"dataset": "coco", "images": [{"filepath": "val2014", "filename": "COCO_val2014_000000391895.jpg", "imgid": 0,
      "split": "test", "cocoid": 391895, "sentids": [770337, ...],
      "sentences": [{"tokens": [...], "raw": "A man with ...", "imgid": 0, "sentid": 770337}, ...]}, ...]}

`filepath` and `cocoid` are in the COCO file only; the COCO file has a fourth split, `restval`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duretrieval.errors import EvaluationError
from duretrieval.evaluation.labels.captions import Captions, gather
from duretrieval.evaluation.labels.readers.table import load_json
from duretrieval.types import Modality


def read_karpathy(path: str | Path, split: str = "test", *, captions: int | None = None) -> Captions:
    """Pictures and captions of one split, in the file's order, which is the order of published folds.

    captions: keep so many for each picture, as papers keep the first five of COCO; without, all.
    Item ids are `cocoid` where there is one, else `imgid`; text ids are `sentid`. For COCO these are the ids of the
    official annotations, and of ECCV Caption.

    Raises:
        EvaluationError: not this layout; no such split; or a picture with fewer captions than asked.
    """
    path = Path(path)
    data = load_json(path)
    try:
        images = data["images"]
        chosen = [image for image in images if image["split"] == split]
        if not chosen:
            have = ", ".join(sorted({image["split"] for image in images}))
            raise EvaluationError(f"{path} has no split {split!r}; it has {have or 'none'}")
        rows = [_row(path, image, captions) for image in chosen]
        return gather(f"{data.get('dataset', path.stem)} {split}", Modality.IMAGE, rows)
    except (KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(
            f"{path} is not a dataset_*.json of Karpathy's splits ({type(error).__name__}: {error}); expected "
            '{"images": [{"filename", "imgid", "split", "sentences": [{"raw", "sentid"}]}]}'
        ) from error


def _row(path: Path, image: dict[str, Any], captions: int | None) -> tuple[str, str, list[tuple[str, str]]]:
    name = "/".join(part for part in (image.get("filepath", ""), image["filename"]) if part)
    sentences = image["sentences"]
    if captions is not None and len(sentences) < captions:
        raise EvaluationError(
            f"{path}: {name} has {len(sentences)} captions, fewer than the {captions} asked for; ask for fewer"
        )
    texts = [(str(sentence["sentid"]), sentence["raw"]) for sentence in sentences[:captions]]
    return name, str(image.get("cocoid", image["imgid"])), texts
