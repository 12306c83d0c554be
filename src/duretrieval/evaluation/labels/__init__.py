"""What belongs together, from whatever a data set calls its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.evaluation.labels.captions import Captions as Captions
    from duretrieval.evaluation.labels.labelled import Labelled as Labelled
    from duretrieval.evaluation.labels.labelled import read_labelled as read_labelled
    from duretrieval.evaluation.labels.relevance import Relevance as Relevance
    from duretrieval.evaluation.labels.relevance import Relevant as Relevant
    from duretrieval.evaluation.labels.relevance import SameGroup as SameGroup
    from duretrieval.evaluation.labels.relevance import SharedLabel as SharedLabel
    from duretrieval.evaluation.labels.relevance import relevant as relevant
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "captions": "Captions",
            "labelled": "Labelled read_labelled",
            "relevance": "Relevance Relevant SameGroup SharedLabel relevant",
        },
    )
