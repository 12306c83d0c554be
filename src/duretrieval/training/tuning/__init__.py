"""The search for settings, and its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.tuning.range import Range as Range
    from duretrieval.training.tuning.report import write_report as write_report
    from duretrieval.training.tuning.search import Tuned as Tuned
    from duretrieval.training.tuning.search import read_search as read_search
    from duretrieval.training.tuning.search import tune as tune
    from duretrieval.training.tuning.trial import Search as Search
    from duretrieval.training.tuning.trial import Trial as Trial
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "range": "Range",
            "search": "Tuned read_search tune",
            "trial": "Search Trial",
            "report": "write_report",
        },
    )
