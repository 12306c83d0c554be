"""Find a part by name: built in, then installed (entry point), then a `module:attribute` path; never a download."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from duretrieval.errors import ConfigError, MissingExtra, UnknownPart

# kind -> name -> (where it lives, the extra that installs what it needs)
BUILT_IN: dict[str, dict[str, tuple[str, str | None]]] = {
    "encoders": {
        "bag-of-words": ("duretrieval.encode.bag_of_words:BagOfWords", None),
        "char-ngrams": ("duretrieval.encode.char_ngrams:CharNgrams", None),
        "features": ("duretrieval.encode.features:Features", "train"),
        "onnx-audio": ("duretrieval.encode.audio:OnnxAudio", None),
        "onnx-image": ("duretrieval.encode.image:OnnxImage", None),
        "onnx-sound": ("duretrieval.encode.sound:OnnxSound", None),
        "onnx-text": ("duretrieval.encode.text:OnnxText", None),
        "onnx-video": ("duretrieval.encode.video:OnnxVideo", None),
        "words": ("duretrieval.encode.word_vectors:WordVectors", None),
    },
    "hub": {
        "chinese-clip": ("duretrieval.encode.hub.clip:open_chinese_clip", "train"),
        "clap": ("duretrieval.encode.hub.clap:open_clap", "train"),
        "clip": ("duretrieval.encode.hub.clip:open_clip", "train"),
        "siglip": ("duretrieval.encode.hub.siglip:open_siglip", "train"),
        "siglip2": ("duretrieval.encode.hub.siglip:open_siglip2", "train"),
        "st": ("duretrieval.encode.hub.sentence:open_sentence", "train"),
    },
    "aligners": {
        "adversarial": ("duretrieval.training.align.adversarial:Adversarial", "train"),
        "cca": ("duretrieval.align.cca:Cca", None),
        "centre": ("duretrieval.align.centre:Centre", None),
        "chain": ("duretrieval.align.chain:Chain", None),
        "conse": ("duretrieval.align.conse:Conse", None),
        "itq": ("duretrieval.align.itq:Itq", None),
        "onnx-head": ("duretrieval.align.network:OnnxAligner", None),
        "procrustes": ("duretrieval.align.procrustes:Procrustes", None),
        "ridge": ("duretrieval.align.ridge:Ridge", None),
        "sum": ("duretrieval.align.chain:Sum", None),
    },
    "fusions": {
        "onnx-fusion": ("duretrieval.fuse.network:OnnxFusion", None),
    },
    "scorers": {
        "onnx-scorer": ("duretrieval.rank.scorer:OnnxScorer", None),
    },
    "indexes": {
        "binary": ("duretrieval.index.binary:BinaryIndex", None),
        "exact": ("duretrieval.index.exact:ExactIndex", None),
        "faiss": ("duretrieval.index.faiss:FaissIndex", "faiss"),
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
        "builtin-image-features": ("duretrieval.training.nets.builtin:builtin_image_features", "train"),
        "char-ngrams": ("duretrieval.training.nets.text.named:char_ngrams", "train"),
        "chinese-clip": ("duretrieval.training.joint.net:chinese_clip", "train"),
        "clap": ("duretrieval.training.joint.net:clap", "train"),
        "clap-audio": ("duretrieval.training.nets.audio.clap:ClapAudio", "train"),
        "clip": ("duretrieval.training.joint.net:clip", "train"),
        "cnn10": ("duretrieval.training.nets.audio.panns:cnn10", "train"),
        "cnn14": ("duretrieval.training.nets.audio.panns:cnn14", "train"),
        "cnn6": ("duretrieval.training.nets.audio.panns:cnn6", "train"),
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
        "cross-entropy": ("duretrieval.training.losses.cross_entropy:CrossEntropy", "train"),
        "deep-cca": ("duretrieval.training.losses.deep_cca:DeepCca", "train"),
        "hinge": ("duretrieval.training.losses.hinge:Hinge", "train"),
        "infonce": ("duretrieval.training.losses.infonce:InfoNce", "train"),
        "modality-adversary": ("duretrieval.training.losses.modality_adversary:ModalityAdversary", "train"),
        "sigmoid": ("duretrieval.training.losses.sigmoid:PairwiseSigmoid", "train"),
        "smooth-ap": ("duretrieval.training.losses.smooth_ap:SmoothAp", "train"),
        "triplet": ("duretrieval.training.losses.triplet:Triplet", "train"),
    },
}


def names(kind: str) -> list[str]:
    """Every name `find(kind, ...)` knows, built in first."""
    return [*BUILT_IN[kind], *(point.name for point in entry_points(group=f"duretrieval.{kind}"))]


def find(kind: str, name: str) -> Any:
    """Return the class or function called `name`; import nothing else.

    Raises:
        UnknownPart: no part has that name; the message lists the ones there are.
        ConfigError: an installed package claims the name of a built-in part, or the path leads nowhere.
        MissingExtra: the part is known but its packages are not installed.
    """
    where, extra = BUILT_IN[kind].get(name, (None, None))
    for point in entry_points(group=f"duretrieval.{kind}", name=name):
        if where is not None:
            raise ConfigError(f"{point.value} cannot be called {name!r}: {kind} has a built-in of that name")
        where = point.value
    if where is None and ":" in name:
        where = name
    if where is None:
        raise UnknownPart(
            f"no part called {name!r} among the {kind}.{suggest(name, names(kind))} There are: "
            f"{', '.join(sorted(names(kind)))}; or give a path such as 'my_package.module:MyClass'."
        )
    module, _, attribute = where.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if extra is not None:
            raise MissingExtra(f"{name!r} needs {error.name}: pip install 'duretrieval[{extra}]'") from error
        if error.name is not None and module.startswith(error.name):
            raise ConfigError(f"{name!r} leads nowhere: there is no module {error.name!r}") from error
        raise
    except AttributeError as error:
        raise ConfigError(f"{name!r} leads nowhere: module {module!r} has no {attribute!r}") from error


def name_of(kind: str, part: object) -> str:
    """The name under which `find(kind, ...)` gives the class of `part`: built in, installed, or its path.

    Raises:
        ConfigError: its class lies inside a function, where no name leads.
    """
    where = f"{type(part).__module__}:{type(part).__qualname__}"
    for name, (place, _) in BUILT_IN[kind].items():
        if place == where:
            return name
    for point in entry_points(group=f"duretrieval.{kind}"):
        if point.value == where:
            return point.name
    if "." in type(part).__qualname__:
        raise ConfigError(f"{where} cannot be found by name; put the class at the top level of a module")
    return where


def suggest(name: str, known: list[str]) -> str:
    """Return " Did you mean 'x'?", or an empty string when nothing is near."""
    near = get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
