"""Rows of tokens side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]


def padded(tokens: Sequence[Sequence[int]], *, pad_id: int = 0, pad_to: int | None = None) -> dict[str, Ids]:
    """input_ids (b, t), filled with `pad_id` after the end of each row, and attention_mask, 1 where there is a token.

    pad_to: at least so many columns, for a model that has learned to read the padding too; None pads to the longest.
    Otherwise 0 does where a tokenizer pads with another id too: no row depends on what the mask hides, and positions
    that are counted from the ids that are not padding (RoBERTa) differ only after the end of a text.

    >>> padded([[5, 6], [7]], pad_id=1, pad_to=3)["input_ids"].tolist()
    [[5, 6, 1], [7, 1, 1]]
    """
    longest = max([len(row) for row in tokens] + [pad_to or 0])
    ids = np.full((len(tokens), longest), pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(tokens):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}
