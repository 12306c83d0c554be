"""MSR-VTT (Xu et al. 2016) and its split 1K-A (Yu, Kim and Kim 2018).

MSRVTT_data.json              {"info": ..., "videos": [{"video_id": "video0", "split": "train", "category": 9,
                               "url": ..., "start time": ..., "end time": ..., "id": 0}, ...],
                               "sentences": [{"video_id": "video2960", "caption": "a cartoon ...", "sen_id": 0}, ...]}
MSRVTT_JSFUSION_test.csv      key,vid_key,video_id,sentence
MSRVTT_train.9k.csv           video_id
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from duretrieval.errors import EvaluationError
from duretrieval.evaluation.labels.captions import Captions, gather
from duretrieval.evaluation.labels.readers.table import load_json, rows
from duretrieval.types import Modality


def read_msrvtt_1ka(path: str | Path) -> Captions:
    """The 1000 films and one caption each of MSRVTT_JSFUSION_test.csv, in the file's order.

    Items are `video7010.mp4` and so on; text ids are the file's keys, such as `ret0`.

    Raises:
        EvaluationError: not this layout; the message names file and line.
    """
    path = Path(path)
    found = [
        (f"{row['video_id']}.mp4", row["video_id"], [(row["key"], row["sentence"])])
        for _, row in rows(path, ["key", "vid_key", "video_id", "sentence"])
    ]
    return gather(f"msrvtt {path.stem}", Modality.VIDEO, found)


def read_msrvtt_ids(path: str | Path) -> list[str]:
    """The films named in a CSV with a column `video_id`, such as MSRVTT_train.9k.csv.

    Raises:
        EvaluationError: there is no such column.
    """
    path = Path(path)
    return [row["video_id"] for _, row in rows(path, ["video_id"])]


def read_msrvtt(path: str | Path, *, split: str | None = None, videos: Sequence[str] | None = None) -> Captions:
    """Films with all their captions (20 each) of MSRVTT_data.json or train_val_videodatainfo.json.

    split: `train`, `validate` or `test`, as the file says.  videos: instead, only these, in this order.

    Raises:
        EvaluationError: not this layout; or nothing is of that split, or a film is not in the file.
    """
    path = Path(path)
    data = load_json(path)
    try:
        splits = {video["video_id"]: video["split"] for video in data["videos"]}
        texts: dict[str, list[tuple[str, str]]] = {identity: [] for identity in splits}
        for sentence in data["sentences"]:
            texts[sentence["video_id"]].append((str(sentence["sen_id"]), sentence["caption"]))
    except (KeyError, TypeError) as error:
        raise EvaluationError(
            f"{path} is not a file of MSR-VTT ({type(error).__name__}: {error}); expected "
            '{"videos": [{"video_id", "split"}], "sentences": [{"video_id", "caption", "sen_id"}]}'
        ) from error
    chosen = list(videos) if videos is not None else [v for v, its in splits.items() if split in (None, its)]
    for identity in chosen:
        if identity not in splits:
            raise EvaluationError(f"{path} has no film {identity!r}; is the list of films of another data set?")
    if not chosen:
        raise EvaluationError(f"{path} has no split {split!r}; it has {', '.join(sorted(set(splits.values())))}")
    name = f"msrvtt {split or path.stem}"
    return gather(name, Modality.VIDEO, [(f"{identity}.mp4", identity, texts[identity]) for identity in chosen])
