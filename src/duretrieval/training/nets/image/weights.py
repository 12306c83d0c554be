"""Published weights in a file on this machine, into a network of the same names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from duretrieval.errors import ConfigError, ModelError


def load_weights(network: nn.Module, file: Path | str, *, dropped: tuple[str, ...] = ()) -> None:
    """Fill a network from a state dict in a safetensors file or one of `torch.save`.

    dropped: beginnings of names that the file may hold and the network does without, such as its classifier.

    Raises:
        ModelError: the file cannot be read, or its names or shapes are not the network's.
    """
    weights = {name: value for name, value in _read(Path(file)).items() if not name.startswith(dropped)}
    own = network.state_dict()
    counters = {name for name in own if name.endswith("num_batches_tracked")}  # older files lack them
    wrong = [
        *(f"no {name}" for name in own if name not in weights and name not in counters),
        *(f"{name}, which this network has not" for name in weights if name not in own),
        *(
            f"{name} of shape {tuple(weights[name].shape)} for {tuple(value.shape)}"
            for name, value in own.items()
            if name in weights and weights[name].shape != value.shape
        ),
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ModelError(
            f"{file} is of another architecture: it has {'; '.join(wrong[:3])}{more}. "
            "Choose the options that it was made with"
        )
    network.load_state_dict(weights, strict=False)


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(file))
        weights = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise many kinds
        raise ModelError(f"{file} cannot be read as weights: {error}") from error
    if not isinstance(weights, dict) or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise ModelError(f"{file} holds something else than a state dict, names with arrays")
    return weights


def check_choice(what: str, given: object, choices: tuple[object, ...]) -> None:
    """Raise ConfigError where a setting is none of its choices."""
    if given not in choices:
        raise ConfigError(f"{what} is {given!r}; there are {', '.join(map(str, choices))}")
