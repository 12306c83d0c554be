"""From a network to a model folder, and the proof that both say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.export.model import export as export
    from duretrieval.training.export.parity import compare as compare
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "model": "export",
            "parity": "compare",
        },
    )
