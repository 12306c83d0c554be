"""A torch module as an ONNX file."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Literal

import onnx
import torch
from torch import Tensor, nn

from builtin.compact import compact

OPSET = 17


def export(net: nn.Module, path: Path, kind: Literal["int8", "float16"], **inputs: Tensor) -> None:
    """Write the graph of `net` with weights stored as `kind`; inputs: examples by name.

    The first axis may have any length, and so may the second of integer inputs (tokens).
    """
    axes = {name: {0: "b", 1: "t"} if x.dtype == torch.int64 else {0: "b"} for name, x in inputs.items()}
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer warns of each shape that it takes as fixed, as meant here
        torch.onnx.export(
            net,
            tuple(inputs.values()),
            file,
            input_names=list(inputs),
            output_names=["rows"],
            dynamic_axes=axes | {"rows": {0: "b"}},
            opset_version=OPSET,
            dynamo=False,
        )
    small = compact(onnx.load_from_string(file.getvalue()), kind)
    path.write_bytes(small.SerializeToString(deterministic=True))
