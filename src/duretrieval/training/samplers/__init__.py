"""Which rows make up a step: a function of the seed and the number of the step alone, so that a run goes on exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.samplers.order import Order as Order
    from duretrieval.training.samplers.per_class import PerClass as PerClass
    from duretrieval.training.samplers.shuffled import Shuffled as Shuffled
    from duretrieval.training.samplers.weighted import Weighted as Weighted
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "order": "Order",
            "per_class": "PerClass",
            "shuffled": "Shuffled",
            "weighted": "Weighted",
        },
    )
