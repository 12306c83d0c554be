"""The built-in encoders with the sequences that their graphs have before they end in one row.

The graphs are the ones in the package, cut earlier, so nothing is computed twice: words of a text behind the last
layer, the 7 x 7 places of a picture's last feature map (of a film the mean of each frame), a row for each 0.48 s of a
sound.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duretrieval import builtin, whole
from duretrieval.encode.image import OnnxImage
from duretrieval.encode.text import OnnxText
from duretrieval.errors import ModelError
from duretrieval.onnx import Session
from duretrieval.protocols import SequenceEncoder
from duretrieval.training.nets.builtin import builtin_audio_features, kept_graph
from duretrieval.types import Modality

CHANNELS_FIRST = 4
"""Axes of a feature map (b, d, h, w)."""


def builtin_sequence(modality: Modality, cache: Path | str | None = None) -> SequenceEncoder:
    """The built-in encoder of a modality that hands on its tokens; cache as for `builtin_image_features`."""
    if modality is Modality.TEXT:
        return builtin_text_words(cache)
    return builtin_audio_features(cache) if modality is Modality.AUDIO else builtin_image_cells(cache)


def builtin_text_words(cache: Path | str | None = None, *, threads: int | None = None) -> OnnxText:
    """MiniLM up to its last layer: 384 numbers a word or piece of one; a text's row is their mean."""
    graph, dim = kept_graph("text.onnx", "words", _cut, cache)
    folder = builtin.FOLDER
    glossary = folder / "glossary-zh.tsv"
    return OnnxText(Session(graph, threads), folder / "tokenizer.json", dim=dim, glossary=glossary, output="tokens")


def builtin_image_cells(cache: Path | str | None = None, *, threads: int | None = None) -> OnnxImage:
    """EfficientNet-Lite0 up to its last feature map: 1,280 numbers a place; a picture's row is their mean."""
    graph, dim = kept_graph("image.onnx", "cells", _cut, cache)
    return OnnxImage(Session(graph, threads), dim=dim, output="cells")


def _cut(graph: Path, into: Path) -> int:
    """Write `graph` up to what its last mean over places is of, as (b, t, d), and return d.

    Raises:
        ModelError: the graph cannot be read, or takes no such mean.
    """
    import onnx
    from onnx.utils import Extractor

    try:
        model = onnx.shape_inference.infer_shapes(onnx.load(graph))
    except Exception as error:  # protobuf's errors share no base class below Exception
        raise ModelError(f"{graph} cannot be read as an ONNX graph: {error}") from error
    extractor = Extractor(model)
    name, scale = _before_the_mean(model, graph)
    shorter = extractor.extract_model([value.name for value in model.graph.input], [name])
    axes = extractor.value_infos[name].type.tensor_type.shape.dim
    maps = len(axes) == CHANNELS_FIRST
    weights = {held.name: held.dims for held in model.graph.initializer}
    width = int(axes[1].dim_value if maps else weights[scale][-1])
    _ends_in_tokens(shorter, name, width, maps=maps)
    shorter.ir_version = model.ir_version
    with whole.file(into) as part:
        onnx.save(shorter, part)
    return width


def _before_the_mean(model: Any, graph: Path) -> tuple[str, str]:
    """The feature map, or the layer norm, that is averaged last, and its other input, of the norm the scale."""
    made = {name: node for node in model.graph.node for name in node.output}
    for node in reversed(model.graph.node):
        if node.op_type == "ReduceMean":
            return str(node.input[0]), str(node.input[-1])
        if node.op_type == "Mul" and (before := made.get(node.input[0])) and before.op_type == "LayerNormalization":
            return str(node.input[0]), str(before.input[1])
    raise ModelError(f"{graph} takes no mean over places or words that it could be cut before")


def _ends_in_tokens(model: Any, name: str, width: int, *, maps: bool) -> None:
    """Make `name`, (b, t, d), the only output; of maps (b, d, h, w) first (b, h w, d), place by place."""
    import onnx

    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    if maps:
        model.graph.initializer.append(helper.make_tensor("flat", onnx.TensorProto.INT64, [3], [0, 0, -1]))
        model.graph.node.append(helper.make_node("Reshape", [name, "flat"], ["places"]))
        model.graph.node.append(helper.make_node("Transpose", ["places"], [name := "tokens"], perm=[0, 2, 1]))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(name, kind, ["n", "t", width]))
