"""Further positives for known queries, as ECCV Caption publishes them (Chun et al. 2022), and CrissCrossed Captions in
its files.

    eccv_image_to_caption.json    {"<image id>": [caption id, ...], ...}
    eccv_caption_to_image.json    {"<caption id>": [image id, ...], ...}
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from duretrieval.errors import EvaluationError
from duretrieval.evaluation.labels.readers.table import load_json
from duretrieval.evaluation.labels.relevance import Relevant, relevant


def read_positives(path: str | Path, queries: Sequence[str], gallery: Sequence[str]) -> Relevant:
    """Relevance of gallery rows for every query; queries that the file does not judge have nothing relevant.

    queries, gallery: ids, in the order of the score matrix: for ECCV Caption the `item_ids` and `text_ids` that
    `read_karpathy` gives for COCO.

    Raises:
        EvaluationError: not this layout, or the file names a query or an answer that is not there.
    """
    path = Path(path)
    data = load_json(path)
    if not isinstance(data, dict) or not all(isinstance(ids, list) for ids in data.values()):
        raise EvaluationError(f'{path} is not a file of positives; expected {{"query id": [gallery id, ...], ...}}')
    row_of = {identity: row for row, identity in enumerate(gallery)}
    judged = {str(query): [str(identity) for identity in ids] for query, ids in data.items()}
    known = set(queries)
    for query, ids in judged.items():
        if query not in known:
            raise EvaluationError(
                f"{path} judges query {query!r}, which is not among the {len(known)} given; read the "
                "split it was made for, and mind the direction"
            )
        for identity in ids:
            if identity not in row_of:
                raise EvaluationError(
                    f"{path} names {identity!r} for query {query!r}, which is not among the "
                    f"{len(row_of)} in the gallery; read the whole split, with all its captions"
                )
    return relevant([[row_of[identity] for identity in judged.get(query, [])] for query in queries])
