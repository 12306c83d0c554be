"""How well a collection answers: its approximate index against the exact answer, filters, latency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.evaluation.health.agreement import Agreement as Agreement
    from duretrieval.evaluation.health.agreement import agreements as agreements
    from duretrieval.evaluation.health.health import Health as Health
    from duretrieval.evaluation.health.health import Latency as Latency
    from duretrieval.evaluation.health.health import measure_health as measure_health
    from duretrieval.evaluation.health.survey import FilterTrial as FilterTrial
    from duretrieval.evaluation.health.survey import Survey as Survey
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "agreement": "Agreement agreements",
            "health": "Health Latency measure_health",
            "survey": "FilterTrial Survey",
        },
    )
