"""The loop: steps, checks, checkpoints, mining, tracking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.fit.validation import check as check
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "validation": "check",
        },
    )
