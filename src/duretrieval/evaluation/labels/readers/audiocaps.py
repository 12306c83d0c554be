"""AudioCaps (Kim et al. 2019): train.csv, val.csv, test.csv.

    audiocap_id,youtube_id,start_time,caption

A clip is ten seconds of a film from `start_time`; in val.csv and test.csv it has five rows, one for each caption.
"""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from duretrieval.errors import EvaluationError
from duretrieval.evaluation.labels.captions import Captions, gather
from duretrieval.evaluation.labels.readers.table import rows
from duretrieval.types import Modality


def read_audiocaps(path: str | Path, *, have: Set[str] | None = None) -> Captions:
    """Clips and captions, clips in the order in which the file first names them.

    Items and their ids are `{youtube_id}_{start_time}`, such as `rqfQRErjfk8_170`.  have: keep only these items: the
    clips that could still be fetched.

    Raises:
        EvaluationError: not this layout, a start that is not a number, or nothing is kept; the message names the file.
    """
    path = Path(path)
    clips: dict[str, list[tuple[str, str]]] = {}
    for where, row in rows(path, ["audiocap_id", "youtube_id", "start_time", "caption"]):
        try:
            start = f"{float(row['start_time']):g}"
        except ValueError:
            raise EvaluationError(f"{where}: start_time is {row['start_time']!r}; it must be seconds") from None
        clips.setdefault(f"{row['youtube_id']}_{start}", []).append((row["audiocap_id"], row["caption"]))
    kept = [(clip, clip, texts) for clip, texts in clips.items() if have is None or clip in have]
    if clips and not kept:
        raise EvaluationError(
            f"{path}: none of its {len(clips)} clips is among those at hand; they are named like {next(iter(clips))!r}"
        )
    return gather(f"audiocaps {path.stem}", Modality.AUDIO, kept)
