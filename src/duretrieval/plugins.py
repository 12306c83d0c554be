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
        "adversarial": ("duretrieval.train.adversarial:Adversarial", "train"),
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
        "audiocaps": ("duretrieval.train.data.captioned:read_audiocaps", "train"),
        "class-folders": ("duretrieval.train.data.class_folders:read_class_folders", "train"),
        "clotho": ("duretrieval.train.data.captioned:read_clotho", "train"),
        "json-folder": ("duretrieval.train.data.json_folder:read_json_folder", "train"),
        "karpathy": ("duretrieval.train.data.captioned:read_karpathy", "train"),
        "manifest": ("duretrieval.train.data.manifest:read_manifest", "train"),
        "msrvtt": ("duretrieval.train.data.captioned:read_msrvtt", "train"),
        "nli": ("duretrieval.train.data.nli:read_nli", "train"),
        "triples": ("duretrieval.train.data.nli:read_triples", "train"),
        "youtube8m": ("duretrieval.train.data.youtube8m:read_youtube8m", "train"),
    },
    "train.samplers": {
        "per-class": ("duretrieval.train.samplers.per_class:PerClass", "train"),
        "shuffled": ("duretrieval.train.samplers.shuffled:Shuffled", "train"),
        "weighted": ("duretrieval.train.samplers.weighted:Weighted", "train"),
    },
    "train.encoders": {
        "ast": ("duretrieval.train.nets.audio.ast:Ast", "train"),
        "bag-of-words": ("duretrieval.train.nets.text.named:bag_of_words", "train"),
        "builtin": ("duretrieval.train.frozen:from_model", "train"),
        "builtin-audio-both": ("duretrieval.train.nets.builtin:builtin_audio_both", "train"),
        "builtin-audio-features": ("duretrieval.train.nets.builtin:builtin_audio_features", "train"),
        "builtin-image-both": ("duretrieval.train.nets.builtin:builtin_image_both", "train"),
        "builtin-image-features": ("duretrieval.train.nets.builtin:builtin_image_features", "train"),
        "char-ngrams": ("duretrieval.train.nets.text.named:char_ngrams", "train"),
        "chinese-clip": ("duretrieval.train.joint.net:chinese_clip", "train"),
        "clap": ("duretrieval.train.joint.net:clap", "train"),
        "clap-audio": ("duretrieval.train.nets.audio.clap:ClapAudio", "train"),
        "clip": ("duretrieval.train.joint.net:clip", "train"),
        "cnn10": ("duretrieval.train.nets.audio.panns:cnn10", "train"),
        "cnn14": ("duretrieval.train.nets.audio.panns:cnn14", "train"),
        "cnn6": ("duretrieval.train.nets.audio.panns:cnn6", "train"),
        "frames": ("duretrieval.train.nets.video.frames:frames", "train"),
        "mfcc-statistics": ("duretrieval.train.nets.audio.statistics:MfccStatistics", "train"),
        "r2plus1d": ("duretrieval.train.nets.video.convolution:r2plus1d", "train"),
        "r3d": ("duretrieval.train.nets.video.convolution:r3d", "train"),
        "sentence-transformers": ("duretrieval.train.joint.sentence:sentence_transformers", "train"),
        "siglip": ("duretrieval.train.joint.net:siglip", "train"),
        "siglip2": ("duretrieval.train.joint.net:siglip2", "train"),
        "transformer": ("duretrieval.train.nets.text.transformer:transformer", "train"),
        "two-stream": ("duretrieval.train.nets.video.two_stream:two_stream", "train"),
        "vgg": ("duretrieval.train.nets.image.vgg:vgg", "train"),
        "videomae": ("duretrieval.train.nets.video.videomae:videomae", "train"),
        "vision": ("duretrieval.train.nets.image.vision:vision", "train"),
        "waveform": ("duretrieval.train.nets.audio.waveform:Waveform", "train"),
        "whisper": ("duretrieval.train.nets.audio.whisper:Whisper", "train"),
        "word2vec": ("duretrieval.train.nets.text.named:word2vec", "train"),
    },
    "train.heads": {
        "class-names": ("duretrieval.train.nets.class_names:ClassNames", "train"),
        "codes": ("duretrieval.train.nets.hashing:Codes", "train"),
        "identity": ("duretrieval.train.nets.heads:Identity", "train"),
        "linear": ("duretrieval.train.nets.heads:Linear", "train"),
        "mlp": ("duretrieval.train.nets.heads:Mlp", "train"),
        "residual": ("duretrieval.train.nets.heads:Residual", "train"),
    },
    "train.fusions": {
        "attention": ("duretrieval.train.nets.fusion.attention:Attention", "train"),
        "concatenation": ("duretrieval.train.nets.fusion.concatenation:Concatenation", "train"),
        "cross-attention": ("duretrieval.train.nets.fusion.cross_attention:CrossAttention", "train"),
        "gated": ("duretrieval.train.nets.fusion.gated:Gated", "train"),
        "graph-attention": ("duretrieval.train.nets.fusion.graph_attention:GraphAttention", "train"),
        "low-rank": ("duretrieval.train.nets.fusion.low_rank:LowRank", "train"),
        "maximum": ("duretrieval.train.nets.fusion.maximum:Maximum", "train"),
        "tensor": ("duretrieval.train.nets.fusion.tensor:TensorFusion", "train"),
        "tucker": ("duretrieval.train.nets.fusion.tucker:Tucker", "train"),
        "weighted-sum": ("duretrieval.train.nets.fusion.weighted_sum:WeightedSum", "train"),
    },
    "train.scores": {
        "cosine": ("duretrieval.train.nets.score.cosine:Cosine", "train"),
        "euclidean": ("duretrieval.train.nets.score.euclidean:Euclidean", "train"),
        "inner-product": ("duretrieval.train.nets.score.cosine:InnerProduct", "train"),
        "neural-tensor": ("duretrieval.train.nets.score.neural_tensor:NeuralTensor", "train"),
        "pair-scorer": ("duretrieval.train.nets.score.pair_scorer:PairScorer", "train"),
        "weighted-cosine": ("duretrieval.train.nets.score.weighted_cosine:WeightedCosine", "train"),
    },
    "train.losses": {
        "binary-cross-entropy": ("duretrieval.train.losses.binary_cross_entropy:BinaryCrossEntropy", "train"),
        "code-penalty": ("duretrieval.train.nets.hashing:CodePenalty", "train"),
        "contrastive": ("duretrieval.train.losses.contrastive:Contrastive", "train"),
        "cross-entropy": ("duretrieval.train.losses.cross_entropy:CrossEntropy", "train"),
        "deep-cca": ("duretrieval.train.losses.deep_cca:DeepCca", "train"),
        "hinge": ("duretrieval.train.losses.hinge:Hinge", "train"),
        "infonce": ("duretrieval.train.losses.infonce:InfoNce", "train"),
        "modality-adversary": ("duretrieval.train.modality_adversary:ModalityAdversary", "train"),
        "sigmoid": ("duretrieval.train.losses.sigmoid:PairwiseSigmoid", "train"),
        "smooth-ap": ("duretrieval.train.losses.smooth_ap:SmoothAp", "train"),
        "triplet": ("duretrieval.train.losses.triplet:Triplet", "train"),
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
