"""Low-rank adapters (Hu et al. 2022, "LoRA", equation 3) through peft: a large net learns in few parameters.

    W' x = W x + (alpha / r) B A x        A (r, d_in) at random, B (d_out, r) zero at first, W frozen

so that adding them changes nothing, and merging them afterwards costs nothing.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from duretrieval import plugins
from duretrieval.errors import ConfigError, ModelError

N = TypeVar("N", bound=nn.Module)

QUERY_AND_VALUE = frozenset(
    {"query", "value", "q_proj", "v_proj", "q_lin", "v_lin", "query_proj", "value_proj", "q", "v", "qkv", "Wqkv"}
)
"""What attention calls the layers that the paper adapts (section 4.2), by model."""


def add_lora(net: N, rank: int, alpha: float | None = None, targets: str | Sequence[str] | None = None) -> N:
    """Put adapters into a net, in place, and freeze everything else; returns the net.

    alpha: None is twice the rank.  targets: linear layers, by the last part of their name ("query", "fc1") or a pattern
    of whole names ("*.layers.11.*"); None takes the queries and values of attention.

    Raises:
        ConfigError: rank is less than 1, the net has adapters already, or no linear layer fits.
    """
    from peft import LoraConfig, inject_adapter_in_model

    if rank < 1:
        raise ConfigError(f"the rank of LoRA is {rank}; give 1 or more, such as 8")
    if adapted(net):
        raise ConfigError("this net has LoRA adapters already; merge them first, with merge_lora")
    alpha = float(2 * rank if alpha is None else alpha)
    names = _chosen(net, targets)
    with warnings.catch_warnings(action="ignore"):  # it warns of models that it has no table for
        inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=alpha, target_modules=names), net)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(".lora_" in name)
    net.lora = {"rank": rank, "alpha": alpha, "targets": names}  # type: ignore[assignment]
    return net


def merge_lora(net: N) -> N:
    """The net with its adapters added into the weights; a copy, or the net itself where it has none."""
    if not adapted(net):
        return net
    merged = copy.deepcopy(net)
    for name in adapted(merged):
        layer: Any = merged.get_submodule(name)
        layer.merge()
        parent, _, child = name.rpartition(".")
        setattr(merged.get_submodule(parent), child, layer.get_base_layer())
    for extra in ("lora", "peft_config"):
        if hasattr(merged, extra):
            delattr(merged, extra)
    return merged


def adapted(net: nn.Module) -> list[str]:
    """Names of the layers that have adapters."""
    from peft.tuners.lora import LoraLayer

    return [name for name, module in net.named_modules() if isinstance(module, LoraLayer)]


def save_lora(net: nn.Module, path: str | Path) -> None:
    """Write the adapters alone, as safetensors: some thousandths of the net.

    Raises:
        ConfigError: the net has none.
    """
    path = Path(path)
    from safetensors.torch import save

    if not adapted(net):
        raise ConfigError("this net has no LoRA adapters to save; add_lora comes first")
    tensors = {name: tensor.detach().contiguous() for name, tensor in _adapters(net).items()}
    path.write_bytes(save(tensors, metadata={"lora": json.dumps(net.lora)}))  # its own writer lets nobody else read


def load_lora(net: N, path: str | Path) -> N:
    """Put saved adapters into the net they were learned on, in place; returns the net.

    Raises:
        ModelError: the file holds no adapters, or those of another net.
        ConfigError: the net has adapters already.
    """
    path = Path(path)
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    try:
        with safe_open(path, "pt") as file:
            settings = json.loads((file.metadata() or {})["lora"])
        tensors = load_file(path)
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelError(f"{path} holds no LoRA adapters; give a file that save_lora wrote") from error
    linear = set(_linear(net))
    if missing := [name for name in settings["targets"] if name not in linear]:
        raise ModelError(f"the adapters in {path} belong to another net: this one has no linear layer {missing[0]!r}")
    add_lora(net, **settings)
    for name, parameter in _adapters(net).items():
        if name not in tensors or tensors[name].shape != parameter.shape:
            raise ModelError(f"the adapters in {path} belong to another net: {name} does not fit")
        parameter.data.copy_(tensors[name])
    return net


def _adapters(net: nn.Module) -> dict[str, Tensor]:
    return {name: parameter for name, parameter in net.named_parameters() if ".lora_" in name}


def _linear(net: nn.Module) -> list[str]:
    """Names of the linear layers; those inside torch's own attention are not called, so adapting them does nothing."""
    inside = tuple(f"{name}." for name, module in net.named_modules() if isinstance(module, nn.MultiheadAttention))
    return [n for n, module in net.named_modules() if isinstance(module, nn.Linear) and not n.startswith(inside)]


def _chosen(net: nn.Module, targets: str | Sequence[str] | None) -> list[str]:
    linear = _linear(net)
    ends = sorted({name.rpartition(".")[2] for name in linear})
    wanted = QUERY_AND_VALUE if targets is None else {targets} if isinstance(targets, str) else set(targets)
    for pattern in wanted if targets is not None else ():
        if not any(_fits(name, pattern) for name in linear):
            near = plugins.suggest(pattern, ends)
            raise ConfigError(f"LoRA finds no linear layer {pattern!r} here.{near} There are: {', '.join(ends)}")
    chosen = [name for name in linear if any(_fits(name, pattern) for pattern in wanted)]
    if not chosen:
        raise ConfigError(
            f"LoRA knows no layer of attention here; name linear layers as targets. There are: {', '.join(ends)}"
        )
    return chosen


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or name.rpartition(".")[2] == pattern or fnmatchcase(name, pattern)
