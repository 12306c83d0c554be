"""The built-in classifiers without their last layer: frozen encoders whose features are learned from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from duretrieval import builtin, whole
from duretrieval.encode.audio import OnnxAudio
from duretrieval.encode.image import OnnxImage
from duretrieval.errors import ModelError
from duretrieval.onnx import Session

CLASSIFIERS = ("Gemm", "MatMul")


def builtin_image_features(cache: Path | str | None = None, *, threads: int | None = None) -> OnnxImage:
    """EfficientNet-Lite0 up to its pooled features, 1280-d, for pictures and films (Tan & Le 2019).

    Rows are never negative, so that two unrelated pictures have a cosine well above 0.  cache: the folder for the
    shortened graph (`features_graph`).
    """
    graph, dim = features_graph("image.onnx", cache)
    return OnnxImage(Session(graph, threads), dim=dim)


def builtin_audio_features(cache: Path | str | None = None, *, threads: int | None = None) -> OnnxAudio:
    """YAMNet up to its pooled features, 1024-d, for sounds (Hershey et al. 2017).

    Rows are never negative.  cache: as for `builtin_image_features`.
    """
    graph, dim = features_graph("audio.onnx", cache)
    return OnnxAudio(Session(graph, threads), dim=dim)


def builtin_image_both(cache: Path | str | None = None, *, threads: int | None = None) -> OnnxImage:
    """Features and class probabilities of EfficientNet-Lite0 side by side, 1280 + 1000, for the head `class-names`."""
    graph, dim = features_graph("image.onnx", cache, scores=True)
    return OnnxImage(Session(graph, threads), dim=dim)


def builtin_audio_both(cache: Path | str | None = None, *, threads: int | None = None) -> OnnxAudio:
    """Features and class scores of YAMNet side by side, 1024 + 521, for the head `class-names`."""
    graph, dim = features_graph("audio.onnx", cache, scores=True)
    return OnnxAudio(Session(graph, threads), dim=dim)


def features_graph(file: str, cache: Path | str | None = None, *, scores: bool = False) -> tuple[Path, int]:
    """A built-in graph cut before its classifier, and how wide its rows are; made once for each content of the file.

    cache: a folder; None takes `duretrieval` in `XDG_CACHE_HOME`, or else in ~/.cache.  scores: the class scores follow
    the features in each row.
    """
    return kept_graph(file, "both" if scores else "features", partial(cut, scores=scores), cache)


def kept_graph(
    file: str, what: str, make: Callable[[Path, Path], int], cache: Path | str | None = None
) -> tuple[Path, int]:
    """A graph made of a built-in one, and how wide its rows are; made once for each content of the file.

    what: in its name.  make: writes the graph of the first path to the second, and returns the width.
    """
    source = builtin.FOLDER / file
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    folder = Path(cache) if cache is not None else user_cache()
    graph = folder / f"{source.stem}-{what}-{digest}.onnx"
    if graph.is_file():
        return graph, _width(graph)
    folder.mkdir(parents=True, exist_ok=True)
    return graph, make(source, graph)


def cut(graph: Path, into: Path, output: str | None = None, *, scores: bool = False) -> int:
    """Write `graph` up to the value called `output`, (b, d), and return d.

    output: None is what the last product with a matrix of weights takes: the features before a classifier.  The file
    appears whole or not at all.  scores: what the whole graph gives follows in the same row.

    Raises:
        ModelError: the graph cannot be read, has no such value, or the value is not rows of one known width.
    """
    import onnx
    from onnx.utils import Extractor

    try:
        model = onnx.shape_inference.infer_shapes(onnx.load(graph))
    except Exception as error:  # protobuf's errors share no base class below Exception
        raise ModelError(f"{graph} cannot be read as an ONNX graph: {error}") from error
    name = output or _before_the_classifier(model, graph)
    extractor = Extractor(model)
    if name not in extractor.value_infos:
        raise ModelError(f"{graph} computes nothing called {name!r}; give the name of an output of one of its nodes")
    width = _row_width(extractor.value_infos[name], graph)
    inputs = [value.name for value in model.graph.input]
    if scores:
        last = model.graph.output[0]
        shorter = extractor.extract_model(inputs, [name, last.name])
        width += _row_width(last, graph)
        _side_by_side(shorter, width)
    else:
        shorter = extractor.extract_model(inputs, [name])
    shorter.ir_version = model.ir_version
    with whole.file(into) as part:
        onnx.save(shorter, part)
    return width


def _side_by_side(model: Any, width: int) -> None:
    """Make one output of a graph's outputs: rows (b, d1), (b, d2) become (b, d1 + d2)."""
    import onnx

    names = [value.name for value in model.graph.output]
    kind = model.graph.output[0].type.tensor_type.elem_type
    model.graph.node.append(onnx.helper.make_node("Concat", names, ["both"], axis=1))
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info("both", kind, ["n", width]))


def _before_the_classifier(model: Any, graph: Path) -> str:
    for node in reversed(model.graph.node):
        if node.op_type in CLASSIFIERS:
            return str(node.input[0])
    raise ModelError(f"{graph} has no {' or '.join(CLASSIFIERS)} to cut before; name the output to keep")


def _width(graph: Path) -> int:
    import onnx

    return int(onnx.load(graph).graph.output[0].type.tensor_type.shape.dim[-1].dim_value)


def _row_width(value: Any, graph: Path) -> int:
    axes = value.type.tensor_type.shape.dim
    if len(axes) != 2 or not axes[1].dim_value:
        shape = ", ".join(axis.dim_param or str(axis.dim_value or "?") for axis in axes)
        raise ModelError(f"{value.name!r} of {graph} is ({shape}); rows of one known width, (b, d), are needed")
    return int(axes[1].dim_value)


def user_cache() -> Path:
    """Where what was computed once is kept when no other folder is named."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "duretrieval"
