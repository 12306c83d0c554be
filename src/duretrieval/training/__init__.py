"""Make models: encoders, alignment, fusion and similarity trained from pairs, then exported to a model folder.

The only layer that imports torch; what it makes is searched with without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.align.adversary import Adversarial as Adversarial
    from duretrieval.training.align.adversary import Settings as Settings
    from duretrieval.training.align.adversary import adversarial as adversarial
    from duretrieval.training.augment.composed import compose as compose
    from duretrieval.training.build.freeze import groups as groups
    from duretrieval.training.build.freeze import select as select
    from duretrieval.training.build.lora import add_lora as add_lora
    from duretrieval.training.build.lora import load_lora as load_lora
    from duretrieval.training.build.lora import merge_lora as merge_lora
    from duretrieval.training.build.lora import save_lora as save_lora
    from duretrieval.training.contracts import FusionNet as FusionNet
    from duretrieval.training.contracts import Loss as Loss
    from duretrieval.training.contracts import Net as Net
    from duretrieval.training.contracts import RowLoss as RowLoss
    from duretrieval.training.contracts import Score as Score
    from duretrieval.training.data.auditing import audit as audit
    from duretrieval.training.data.checks import Validation as Validation
    from duretrieval.training.data.checks import validate as validate
    from duretrieval.training.data.examples import Examples as Examples
    from duretrieval.training.data.leakage import Leak as Leak
    from duretrieval.training.data.leakage import leaks as leaks
    from duretrieval.training.data.manifest import read_manifest as read_manifest
    from duretrieval.training.data.sample import Sample as Sample
    from duretrieval.training.data.splits import Splits as Splits
    from duretrieval.training.data.splits import split as split
    from duretrieval.training.joint.folder import export_joint as export_joint
    from duretrieval.training.losses.infonce import InfoNce as InfoNce
    from duretrieval.training.losses.memory import Memory as Memory
    from duretrieval.training.losses.same import same_key as same_key
    from duretrieval.training.recipe.ready import ready as ready
    from duretrieval.training.recipe.recipe import Data as Data
    from duretrieval.training.recipe.recipe import Encoding as Encoding
    from duretrieval.training.recipe.recipe import Fit as Fit
    from duretrieval.training.recipe.recipe import Objective as Objective
    from duretrieval.training.recipe.recipe import Recipe as Recipe
    from duretrieval.training.recipe.recipe import Use as Use
    from duretrieval.training.recipe.toml import read_recipe as read_recipe
    from duretrieval.training.recipe.toml import to_recipe as to_recipe
    from duretrieval.training.runs.evaluated import evaluate_run as evaluate_run
    from duretrieval.training.runs.folder import Outcome as Outcome
    from duretrieval.training.runs.hub import export_hub as export_hub
    from duretrieval.training.runs.reopened import export_run as export_run
    from duretrieval.training.runs.run import Run as Run
    from duretrieval.training.runs.trained import train as train
    from duretrieval.training.tuning.search import Tuned as Tuned
    from duretrieval.training.tuning.search import read_search as read_search
    from duretrieval.training.tuning.search import tune as tune
    from duretrieval.training.tuning.trial import Search as Search
    from duretrieval.training.tuning.trial import Trial as Trial
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "align.adversary": "Adversarial Settings adversarial",
            "augment.composed": "compose",
            "build.freeze": "groups select",
            "build.lora": "add_lora load_lora merge_lora save_lora",
            "contracts": "FusionNet Loss Net RowLoss Score",
            "data.auditing": "audit",
            "data.examples": "Examples",
            "data.leakage": "Leak leaks",
            "data.manifest": "read_manifest",
            "data.sample": "Sample",
            "data.splits": "Splits split",
            "data.checks": "Validation validate",
            "joint.folder": "export_joint",
            "losses.infonce": "InfoNce",
            "losses.memory": "Memory",
            "losses.same": "same_key",
            "recipe.recipe": "Data Encoding Fit Objective Recipe Use",
            "recipe.ready": "ready",
            "recipe.toml": "read_recipe to_recipe",
            "runs.evaluated": "evaluate_run",
            "runs.folder": "Outcome",
            "runs.hub": "export_hub",
            "runs.reopened": "export_run",
            "runs.run": "Run",
            "runs.trained": "train",
            "tuning.search": "Tuned read_search tune",
            "tuning.trial": "Search Trial",
        },
    )
