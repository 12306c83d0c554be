"""Encoders that train, by modality, each a `contracts.Net`; and frozen ones whose features are learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.nets.audio.mel import Mel as Mel
    from duretrieval.training.nets.audio.mel import MelSettings as MelSettings
    from duretrieval.training.nets.audio.mel import power_to_db as power_to_db
    from duretrieval.training.nets.audio.sound import SoundNet as SoundNet
    from duretrieval.training.nets.audio.statistics import MfccStatistics as MfccStatistics
    from duretrieval.training.nets.class_names import ClassNames as ClassNames
    from duretrieval.training.nets.fusion.attention import Attention as Attention
    from duretrieval.training.nets.fusion.concatenation import Concatenation as Concatenation
    from duretrieval.training.nets.fusion.cross_attention import CrossAttention as CrossAttention
    from duretrieval.training.nets.fusion.gated import Gated as Gated
    from duretrieval.training.nets.fusion.graph_attention import GraphAttention as GraphAttention
    from duretrieval.training.nets.fusion.late_attention import LateAttention as LateAttention
    from duretrieval.training.nets.fusion.low_rank import LowRank as LowRank
    from duretrieval.training.nets.fusion.maximum import Maximum as Maximum
    from duretrieval.training.nets.fusion.tensor import TensorFusion as TensorFusion
    from duretrieval.training.nets.fusion.tucker import Tucker as Tucker
    from duretrieval.training.nets.fusion.weighted_sum import WeightedSum as WeightedSum
    from duretrieval.training.nets.hashing import Codes as Codes
    from duretrieval.training.nets.heads import Head as Head
    from duretrieval.training.nets.heads import Identity as Identity
    from duretrieval.training.nets.heads import Linear as Linear
    from duretrieval.training.nets.heads import Mlp as Mlp
    from duretrieval.training.nets.heads import Residual as Residual
    from duretrieval.training.nets.image.hub import draw as draw
    from duretrieval.training.nets.image.net import PictureNet as PictureNet
    from duretrieval.training.nets.score.cosine import Cosine as Cosine
    from duretrieval.training.nets.score.cosine import InnerProduct as InnerProduct
    from duretrieval.training.nets.score.euclidean import Euclidean as Euclidean
    from duretrieval.training.nets.score.neural_tensor import NeuralTensor as NeuralTensor
    from duretrieval.training.nets.score.pair_scorer import PairScorer as PairScorer
    from duretrieval.training.nets.score.weighted_cosine import WeightedCosine as WeightedCosine
    from duretrieval.training.nets.text.bag import BagNet as BagNet
    from duretrieval.training.nets.text.transformer import TextTransformer as TextTransformer
    from duretrieval.training.nets.text.word2vec import Word2Vec as Word2Vec
    from duretrieval.training.nets.video.net import FilmNet as FilmNet
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "audio.mel": "Mel MelSettings power_to_db",
            "audio.sound": "SoundNet",
            "audio.statistics": "MfccStatistics",
            "class_names": "ClassNames",
            "fusion.attention": "Attention",
            "fusion.concatenation": "Concatenation",
            "fusion.cross_attention": "CrossAttention",
            "fusion.gated": "Gated",
            "fusion.graph_attention": "GraphAttention",
            "fusion.late_attention": "LateAttention",
            "fusion.low_rank": "LowRank",
            "fusion.maximum": "Maximum",
            "fusion.tensor": "TensorFusion",
            "fusion.tucker": "Tucker",
            "fusion.weighted_sum": "WeightedSum",
            "hashing": "Codes",
            "heads": "Head Identity Linear Mlp Residual",
            "image.hub": "draw",
            "image.net": "PictureNet",
            "score.cosine": "Cosine InnerProduct",
            "score.euclidean": "Euclidean",
            "score.neural_tensor": "NeuralTensor",
            "score.pair_scorer": "PairScorer",
            "score.weighted_cosine": "WeightedCosine",
            "text.bag": "BagNet",
            "text.transformer": "TextTransformer",
            "text.word2vec": "Word2Vec",
            "video.net": "FilmNet",
        },
    )
