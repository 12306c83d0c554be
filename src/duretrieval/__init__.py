"""Find anything with anything: text, pictures, films and sounds in one search, offline."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from duretrieval.window import window

for _name in ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
    os.environ.setdefault(_name, "1")  # before any library that would report to its maker can be imported

if TYPE_CHECKING:
    from duretrieval.collection.collection import Collection as Collection
    from duretrieval.collection.ingest import Report as Report
    from duretrieval.collection.stats import Stats as Stats
    from duretrieval.errors import DuretrievalError as DuretrievalError
    from duretrieval.evaluation.request import Request as Request
    from duretrieval.evaluation.request import evaluate as evaluate
    from duretrieval.media.limits import Limits as Limits
    from duretrieval.model.model import Model as Model
    from duretrieval.training.recipe.recipe import Recipe as Recipe
    from duretrieval.training.recipe.toml import read_recipe as read_recipe
    from duretrieval.training.runs.reopened import export_run as export_run
    from duretrieval.training.runs.trained import train as train
    from duretrieval.types import Evidence as Evidence
    from duretrieval.types import Hit as Hit
    from duretrieval.types import Item as Item
    from duretrieval.types import Modality as Modality
    from duretrieval.types import Part as Part
    from duretrieval.types import Query as Query
    from duretrieval.types import Reading as Reading
    from duretrieval.types import Term as Term
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            ".collection.collection": "Collection",
            ".collection.ingest": "Report",
            ".collection.stats": "Stats",
            ".errors": "DuretrievalError",
            ".evaluation.request": "Request evaluate",
            ".media.limits": "Limits",
            ".model.model": "Model",
            ".training.recipe.recipe": "Recipe",
            ".training.recipe.toml": "read_recipe",
            ".training.runs.reopened": "export_run",
            ".training.runs.trained": "train",
            ".types": "Evidence Hit Item Modality Part Query Reading Term",
        },
    )

__version__ = "0.1.0"
