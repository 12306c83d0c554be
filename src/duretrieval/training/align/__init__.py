"""Alignments that are fitted in torch: adversarial, canonical axes, closed forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.align.adversary import Adversarial as Adversarial
    from duretrieval.training.align.adversary import Settings as Settings
    from duretrieval.training.align.adversary import adversarial as adversarial
    from duretrieval.training.align.canonical import Canonical as Canonical
    from duretrieval.training.align.canonical import canonical_for as canonical_for
    from duretrieval.training.align.closed_form import Fitted as Fitted
    from duretrieval.training.align.closed_form import fit_heads as fit_heads
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "adversary": "Adversarial Settings adversarial",
            "canonical": "Canonical canonical_for",
            "closed_form": "Fitted fit_heads",
        },
    )
