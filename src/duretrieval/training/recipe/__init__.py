"""What to train, on what and how, as a file and as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.recipe.recipe import Data as Data
    from duretrieval.training.recipe.recipe import Encoding as Encoding
    from duretrieval.training.recipe.recipe import Fit as Fit
    from duretrieval.training.recipe.recipe import Objective as Objective
    from duretrieval.training.recipe.recipe import Recipe as Recipe
    from duretrieval.training.recipe.recipe import Use as Use
    from duretrieval.training.recipe.toml import read_recipe as read_recipe
    from duretrieval.training.recipe.toml import read_table as read_table
    from duretrieval.training.recipe.toml import to_recipe as to_recipe
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "recipe": "Data Encoding Fit Objective Recipe Use",
            "toml": "read_recipe read_table to_recipe",
        },
    )
