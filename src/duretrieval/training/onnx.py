"""A torch module as an ONNX graph."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

OPSET = 18


def to_onnx(
    module: nn.Module,
    path: Path,
    inputs: Mapping[str, Tensor],
    *,
    free: Mapping[str, Sequence[int]] | None = None,
    output: str = "rows",
) -> None:
    """Write `module(*inputs.values())`, in evaluation mode, as a graph whose inputs have the names of `inputs`.

    The first axis of every input and of the result is free; free: further axes that are, by input name.  The batch
    of `inputs` should have at least two rows, so that nothing is fixed to one.

    Raises:
        torch.onnx.errors.OnnxExporterError: an operation of the module has no counterpart in ONNX.
    """
    axes = {name: {0: "n", **{axis: f"{name}_{axis}" for axis in (free or {}).get(name, ())}} for name in inputs}
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad(), warnings.catch_warnings(action="ignore"):  # it warns of its own successor
            torch.onnx.export(
                module,
                tuple(inputs.values()),
                str(path),
                input_names=list(inputs),
                output_names=[output],
                dynamic_axes={**axes, output: {0: "n"}},
                opset_version=OPSET,
                dynamo=False,
            )
    finally:
        for part, training in modes:
            part.training = training
