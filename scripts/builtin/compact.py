"""A graph's weights in fewer bytes, its arithmetic as before.

Weights are stored as int8 with a scale for each output and `GROUP` inputs, or as float16, followed by the nodes that
turn them back to float32.  ONNX Runtime folds those nodes when it opens the graph, so that it computes in float32:
unlike dynamic quantisation, a row does not depend on what else is in its batch.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

SMALLEST = 1024
"""Arrays of fewer numbers (biases, norms) stay float32: they cost little and matter much."""
GROUP = 64
"""Inputs that share a scale; one scale for a whole column let the worst cosine fall to 0.9986, this keeps 0.9993."""


def compact(model: ModelProto, kind: Literal["int8", "float16"]) -> ModelProto:
    """The same graph with its large weights stored as `kind`, and without its exporter's notes."""
    graph = model.graph
    back_to_float: list[NodeProto] = []
    weights: list[TensorProto] = []
    nodes = list(graph.node)
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        readers = [i for i, node in enumerate(nodes) if weight.name in node.input]
        read_as = {nodes[i].op_type for i in readers}
        if values.dtype != np.float32 or values.size < SMALLEST or values.ndim < 2:
            weights.append(weight)
        elif kind == "int8" and read_as == {"MatMul"}:
            stored, restored = _int8(weight.name, values)
            weights += stored
            back_to_float += restored
        elif kind == "int8" and read_as == {"Gather"} and len(readers) == 1:
            stored, restored = _table(nodes[readers[0]], values)
            weights += stored
            nodes[readers[0] : readers[0] + 1] = restored
        else:
            half = f"{weight.name}.half"
            weights.append(numpy_helper.from_array(values.astype(np.float16), half))
            back_to_float.append(_cast(half, weight.name))
    for node in nodes:
        node.doc_string = ""
    small = GraphProto(name=graph.name, input=graph.input, output=graph.output, initializer=weights)
    small.node.extend(back_to_float + nodes)
    out = helper.make_model(small, opset_imports=model.opset_import, ir_version=model.ir_version, producer_name="")
    onnx.checker.check_model(out)
    return out


def quantise(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """values as round(v / s) int8, with one s = max |v| / 127 along `axis`."""
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True) / 127, 1e-12).astype(np.float32)
    return np.round(values / scale).astype(np.int8), scale


def _int8(name: str, values: np.ndarray) -> tuple[list[TensorProto], list[NodeProto]]:
    """Cast(int8) * scale, under the weight's old name: values (inputs, outputs)."""
    groups = values.reshape(len(values) // GROUP, GROUP, -1)
    whole, scale = quantise(groups, axis=1)
    stored = [
        numpy_helper.from_array(whole, f"{name}.int8"),
        numpy_helper.from_array(scale, f"{name}.scale"),
        numpy_helper.from_array(np.array(values.shape), f"{name}.shape"),
    ]
    product = helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [f"{name}.groups"])
    matrix = helper.make_node("Reshape", [f"{name}.groups", f"{name}.shape"], [name])
    return stored, [_cast(f"{name}.int8", f"{name}.float"), product, matrix]


def _table(gather: NodeProto, values: np.ndarray) -> tuple[list[TensorProto], list[NodeProto]]:
    """Look rows up as int8 and scale only those: the whole table is never turned to float32."""
    name, ids, out = gather.input[0], gather.input[1], gather.output[0]
    whole, scale = quantise(values, axis=1)
    stored = [numpy_helper.from_array(whole, f"{name}.int8"), numpy_helper.from_array(scale, f"{name}.scale")]
    rows = helper.make_node("Gather", [f"{name}.int8", ids], [f"{out}.int8"], axis=0)
    scales = helper.make_node("Gather", [f"{name}.scale", ids], [f"{out}.scale"], axis=0)
    product = helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [out])
    return stored, [rows, scales, _cast(f"{out}.int8", f"{out}.float"), product]


def _cast(source: str, target: str) -> NodeProto:
    return helper.make_node("Cast", [source], [target], to=TensorProto.FLOAT)
