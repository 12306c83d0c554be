"""Losses: of scores (`contracts.Loss`), of aligned rows (`contracts.RowLoss`), of pairs with scores, of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.losses.binary_cross_entropy import BinaryCrossEntropy as BinaryCrossEntropy
    from duretrieval.training.losses.code_penalty import CodePenalty as CodePenalty
    from duretrieval.training.losses.contrastive import Contrastive as Contrastive
    from duretrieval.training.losses.cross_entropy import CrossEntropy as CrossEntropy
    from duretrieval.training.losses.deep_cca import DeepCca as DeepCca
    from duretrieval.training.losses.hinge import Hinge as Hinge
    from duretrieval.training.losses.infonce import InfoNce as InfoNce
    from duretrieval.training.losses.memory import Memory as Memory
    from duretrieval.training.losses.modality_adversary import ModalityAdversary as ModalityAdversary
    from duretrieval.training.losses.pairs import Pairs as Pairs
    from duretrieval.training.losses.pairs import read_pairs as read_pairs
    from duretrieval.training.losses.same import same_key as same_key
    from duretrieval.training.losses.scored import Cosent as Cosent
    from duretrieval.training.losses.scored import MeanSquaredError as MeanSquaredError
    from duretrieval.training.losses.sigmoid import PairwiseSigmoid as PairwiseSigmoid
    from duretrieval.training.losses.smooth_ap import SmoothAp as SmoothAp
    from duretrieval.training.losses.triplet import Triplet as Triplet
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "binary_cross_entropy": "BinaryCrossEntropy",
            "code_penalty": "CodePenalty",
            "contrastive": "Contrastive",
            "cross_entropy": "CrossEntropy",
            "deep_cca": "DeepCca",
            "hinge": "Hinge",
            "infonce": "InfoNce",
            "memory": "Memory",
            "modality_adversary": "ModalityAdversary",
            "pairs": "Pairs read_pairs",
            "same": "same_key",
            "scored": "Cosent MeanSquaredError",
            "sigmoid": "PairwiseSigmoid",
            "smooth_ap": "SmoothAp",
            "triplet": "Triplet",
        },
    )
