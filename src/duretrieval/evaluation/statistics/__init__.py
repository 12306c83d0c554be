"""How certain a figure is, and whether two differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.evaluation.statistics.bootstrap import Bootstrap as Bootstrap
    from duretrieval.evaluation.statistics.bootstrap import Comparison as Comparison
    from duretrieval.evaluation.statistics.bootstrap import Interval as Interval
    from duretrieval.evaluation.statistics.bootstrap import intervals as intervals
    from duretrieval.evaluation.statistics.bootstrap import paired_bootstrap as paired_bootstrap
    from duretrieval.evaluation.statistics.corrections import benjamini_hochberg as benjamini_hochberg
    from duretrieval.evaluation.statistics.corrections import holm as holm
    from duretrieval.evaluation.statistics.permutation import permutation_test as permutation_test
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "bootstrap": "Bootstrap Comparison Interval intervals paired_bootstrap",
            "corrections": "benjamini_hochberg holm",
            "permutation": "permutation_test",
        },
    )
