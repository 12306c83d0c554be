"""The parts of the workbench by name: readers, samplers, encoders, heads, fusions, scores, losses."""

from __future__ import annotations

from typing import Any

from duretrieval import plugins

TABLE: plugins.Table = {
    **plugins.BUILT_IN,
    "aligners": {
        **plugins.BUILT_IN["aligners"],
        "adversarial": ("duretrieval.training.align.adversary:Adversarial", "train"),
    },
    "train.readers": {
        "audiocaps": ("duretrieval.training.data.captioned:read_audiocaps", "train"),
        "class-folders": ("duretrieval.training.data.class_folders:read_class_folders", "train"),
        "clotho": ("duretrieval.training.data.captioned:read_clotho", "train"),
        "json-folder": ("duretrieval.training.data.json_folder:read_json_folder", "train"),
        "karpathy": ("duretrieval.training.data.captioned:read_karpathy", "train"),
        "manifest": ("duretrieval.training.data.manifest:read_manifest", "train"),
        "msrvtt": ("duretrieval.training.data.captioned:read_msrvtt", "train"),
        "nli": ("duretrieval.training.data.nli:read_nli", "train"),
        "triples": ("duretrieval.training.data.nli:read_triples", "train"),
        "youtube8m": ("duretrieval.training.data.youtube8m:read_youtube8m", "train"),
    },
    "train.samplers": {
        "per-class": ("duretrieval.training.samplers.per_class:PerClass", "train"),
        "shuffled": ("duretrieval.training.samplers.shuffled:Shuffled", "train"),
        "weighted": ("duretrieval.training.samplers.weighted:Weighted", "train"),
    },
    "train.encoders": {
        "ast": ("duretrieval.training.nets.audio.ast:Ast", "train"),
        "bag-of-words": ("duretrieval.training.nets.text.named:bag_of_words", "train"),
        "builtin": ("duretrieval.training.build.frozen:from_model", "train"),
        "builtin-audio-both": ("duretrieval.training.nets.builtin:builtin_audio_both", "train"),
        "builtin-audio-features": ("duretrieval.training.nets.builtin:builtin_audio_features", "train"),
        "builtin-image-both": ("duretrieval.training.nets.builtin:builtin_image_both", "train"),
        "builtin-image-cells": ("duretrieval.training.nets.builtin_sequences:builtin_image_cells", "train"),
        "builtin-image-features": ("duretrieval.training.nets.builtin:builtin_image_features", "train"),
        "builtin-text-words": ("duretrieval.training.nets.builtin_sequences:builtin_text_words", "train"),
        "char-ngrams": ("duretrieval.training.nets.text.named:char_ngrams", "train"),
        "chinese-clip": ("duretrieval.training.joint.net:chinese_clip", "train"),
        "clap": ("duretrieval.training.joint.net:clap", "train"),
        "clap-audio": ("duretrieval.training.nets.audio.clap:ClapAudio", "train"),
        "clip": ("duretrieval.training.joint.net:clip", "train"),
        "cnn10": ("duretrieval.training.nets.audio.panns:cnn10", "train"),
        "cnn14": ("duretrieval.training.nets.audio.panns:cnn14", "train"),
        "cnn6": ("duretrieval.training.nets.audio.panns:cnn6", "train"),
        "features": ("duretrieval.training.build.frozen:features", "train"),
        "frames": ("duretrieval.training.nets.video.frames:frames", "train"),
        "mfcc-statistics": ("duretrieval.training.nets.audio.statistics:MfccStatistics", "train"),
        "r2plus1d": ("duretrieval.training.nets.video.convolution:r2plus1d", "train"),
        "r3d": ("duretrieval.training.nets.video.convolution:r3d", "train"),
        "sentence-transformers": ("duretrieval.training.joint.sentence:sentence_transformers", "train"),
        "siglip": ("duretrieval.training.joint.net:siglip", "train"),
        "siglip2": ("duretrieval.training.joint.net:siglip2", "train"),
        "transformer": ("duretrieval.training.nets.text.transformer:transformer", "train"),
        "two-stream": ("duretrieval.training.nets.video.two_stream:two_stream", "train"),
        "vgg": ("duretrieval.training.nets.image.vgg:vgg", "train"),
        "videomae": ("duretrieval.training.nets.video.videomae:videomae", "train"),
        "vision": ("duretrieval.training.nets.image.vision:vision", "train"),
        "waveform": ("duretrieval.training.nets.audio.waveform:Waveform", "train"),
        "whisper": ("duretrieval.training.nets.audio.whisper:Whisper", "train"),
        "word2vec": ("duretrieval.training.nets.text.named:word2vec", "train"),
    },
    "train.heads": {
        "class-names": ("duretrieval.training.nets.class_names:ClassNames", "train"),
        "codes": ("duretrieval.training.nets.hashing:Codes", "train"),
        "identity": ("duretrieval.training.nets.heads:Identity", "train"),
        "linear": ("duretrieval.training.nets.heads:Linear", "train"),
        "mlp": ("duretrieval.training.nets.heads:Mlp", "train"),
        "residual": ("duretrieval.training.nets.heads:Residual", "train"),
    },
    "train.fusions": {
        "attention": ("duretrieval.training.nets.fusion.attention:Attention", "train"),
        "concatenation": ("duretrieval.training.nets.fusion.concatenation:Concatenation", "train"),
        "cross-attention": ("duretrieval.training.nets.fusion.cross_attention:CrossAttention", "train"),
        "gated": ("duretrieval.training.nets.fusion.gated:Gated", "train"),
        "graph-attention": ("duretrieval.training.nets.fusion.graph_attention:GraphAttention", "train"),
        "low-rank": ("duretrieval.training.nets.fusion.low_rank:LowRank", "train"),
        "maximum": ("duretrieval.training.nets.fusion.maximum:Maximum", "train"),
        "tensor": ("duretrieval.training.nets.fusion.tensor:TensorFusion", "train"),
        "tucker": ("duretrieval.training.nets.fusion.tucker:Tucker", "train"),
        "weighted-sum": ("duretrieval.training.nets.fusion.weighted_sum:WeightedSum", "train"),
    },
    "train.scores": {
        "cosine": ("duretrieval.training.nets.score.cosine:Cosine", "train"),
        "euclidean": ("duretrieval.training.nets.score.euclidean:Euclidean", "train"),
        "inner-product": ("duretrieval.training.nets.score.cosine:InnerProduct", "train"),
        "neural-tensor": ("duretrieval.training.nets.score.neural_tensor:NeuralTensor", "train"),
        "pair-scorer": ("duretrieval.training.nets.score.pair_scorer:PairScorer", "train"),
        "weighted-cosine": ("duretrieval.training.nets.score.weighted_cosine:WeightedCosine", "train"),
    },
    "train.losses": {
        "binary-cross-entropy": ("duretrieval.training.losses.binary_cross_entropy:BinaryCrossEntropy", "train"),
        "code-penalty": ("duretrieval.training.losses.code_penalty:CodePenalty", "train"),
        "contrastive": ("duretrieval.training.losses.contrastive:Contrastive", "train"),
        "cosent": ("duretrieval.training.losses.scored:Cosent", "train"),
        "cross-entropy": ("duretrieval.training.losses.cross_entropy:CrossEntropy", "train"),
        "deep-cca": ("duretrieval.training.losses.deep_cca:DeepCca", "train"),
        "distil-kl": ("duretrieval.training.losses.distil:DistilKl", "train"),
        "distil-vectors": ("duretrieval.training.losses.distil:DistilVectors", "train"),
        "hinge": ("duretrieval.training.losses.hinge:Hinge", "train"),
        "infonce": ("duretrieval.training.losses.infonce:InfoNce", "train"),
        "margin-mse": ("duretrieval.training.losses.distil:MarginMse", "train"),
        "mse": ("duretrieval.training.losses.scored:MeanSquaredError", "train"),
        "modality-adversary": ("duretrieval.training.losses.modality_adversary:ModalityAdversary", "train"),
        "sigmoid": ("duretrieval.training.losses.sigmoid:PairwiseSigmoid", "train"),
        "smooth-ap": ("duretrieval.training.losses.smooth_ap:SmoothAp", "train"),
        "triplet": ("duretrieval.training.losses.triplet:Triplet", "train"),
    },
}
"""What the engine has, and what only training needs."""


def names(kind: str) -> list[str]:
    """Every name `find(kind, ...)` knows, built in first."""
    return plugins.names(kind, TABLE)


def find(kind: str, name: str) -> Any:
    """Return the class or function called `name`, as `plugins.find`, the workbench's own included.

    Raises:
        UnknownPart, ConfigError, MissingExtra: as `plugins.find`.
    """
    return plugins.find(kind, name, TABLE)
