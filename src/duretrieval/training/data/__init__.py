"""Tables, folders and published sets to samples; checked, split without leaks, decoded and put in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.data.auditing import Audit as Audit
    from duretrieval.training.data.auditing import audit as audit
    from duretrieval.training.data.batch import Batch as Batch
    from duretrieval.training.data.batch import View as View
    from duretrieval.training.data.checks import Validation as Validation
    from duretrieval.training.data.checks import validate as validate
    from duretrieval.training.data.examples import Examples as Examples
    from duretrieval.training.data.feature_cache import FeatureCache as FeatureCache
    from duretrieval.training.data.leakage import Leak as Leak
    from duretrieval.training.data.leakage import leaks as leaks
    from duretrieval.training.data.manifest import read_manifest as read_manifest
    from duretrieval.training.data.opening import read_data as read_data
    from duretrieval.training.data.read import Problem as Problem
    from duretrieval.training.data.read import Read as Read
    from duretrieval.training.data.sample import Sample as Sample
    from duretrieval.training.data.splits import Splits as Splits
    from duretrieval.training.data.splits import split as split
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "auditing": "Audit audit",
            "batch": "Batch View",
            "checks": "Validation validate",
            "examples": "Examples",
            "feature_cache": "FeatureCache",
            "leakage": "Leak leaks",
            "manifest": "read_manifest",
            "opening": "read_data",
            "read": "Problem Read",
            "sample": "Sample",
            "splits": "Splits split",
        },
    )
