"""Which parameters of a net learn, and how fast."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from duretrieval.errors import ConfigError

_LAST = re.compile(r"last (\d+)")
_WRAPPED = ".base_layer"
"""What peft inserts into the name of a layer that it adapts."""
_ADAPTER = re.compile(r"\.lora_\w+?\.\w+(?=\.)")


def select(net: nn.Module, patterns: Sequence[str]) -> list[nn.Parameter]:
    """Let the parameters that fit a pattern learn and freeze the others; returns those that learn.

    A pattern is a name with wildcards ("model.encoder.layer.11.*", "*bias"), the name of a module, which stands for
    all in it ("model.encoder.layer.11"), or "last 2": the last two layers and what comes after them.  Adapters of
    `lora` are left as they are, and neither change names nor are returned.

    Raises:
        ConfigError: a pattern fits nothing; the message names what is near.
    """
    chosen = {name for pattern in patterns for name in fitting(net, pattern)}
    named = list(_named(net))
    for name, parameter in named:
        parameter.requires_grad_(name in chosen)
    return [parameter for name, parameter in named if name in chosen]


def groups(net: nn.Module, rates: Mapping[str, float], lr: float) -> list[dict[str, Any]]:
    """Parameter groups for an optimizer: those that learn, by the first pattern that fits them, else with `lr`.

    rates: pattern (see `select`) -> learning rate.  groups(net, {"last 1": 1e-4}, 1e-5) gives
    [{"params": [...], "lr": 1e-4}, {"params": [...], "lr": 1e-5}]; a group without parameters is left out.

    Raises:
        ConfigError: a pattern fits nothing.
    """
    sets = [fitting(net, pattern) for pattern in rates]
    found: list[dict[str, Any]] = [{"params": [], "lr": rate} for rate in (*rates.values(), lr)]
    for raw, parameter in net.named_parameters():
        if parameter.requires_grad:
            name = _ADAPTER.sub("", raw).replace(_WRAPPED, "")  # an adapter learns as fast as what it adapts
            place = next((i for i, names in enumerate(sets) if name in names), len(sets))
            found[place]["params"].append(parameter)
    return [group for group in found if group["params"]]


def fitting(net: nn.Module, pattern: str) -> set[str]:
    """Names of the parameters that a pattern fits.

    Raises:
        ConfigError: there is none, or `last` asks for more layers than there are.
    """
    names = [name for name, _ in _named(net)]
    if last := _LAST.fullmatch(pattern):
        return _after(net, names, int(last[1]))
    found = {name for name in names if fnmatchcase(name, pattern) or name.startswith(f"{pattern}.")}
    if not found:
        near = get_close_matches(pattern, sorted({part for name in names for part in _prefixes(name)}), n=3, cutoff=0.4)
        hint = f"Near it are: {', '.join(near)}." if near else f"There are: {', '.join(names[:3])} ..."
        raise ConfigError(
            f"no parameter fits {pattern!r}. {hint} A pattern is a name, with * for anything, or 'last 2'"
        )
    return found


def _after(net: nn.Module, names: Sequence[str], n: int) -> set[str]:
    """The last n layers of the longest stack that is in no other, and whatever is defined after it."""
    stacks = [(name, module) for name, module in net.named_modules() if isinstance(module, nn.ModuleList)]
    outer = [(a, stack) for a, stack in stacks if not any(a.startswith(f"{b}.") for b, _ in stacks)]
    name, stack = max(outer, key=lambda found: len(found[1]), default=("", ()))
    if not 0 < n <= len(stack):
        raise ConfigError(f"'last {n}' cannot be: this net has {len(stack)} layers{f' in {name}' if name else ''}")
    first = f"{name}.{len(stack) - n}."
    start = next(i for i, parameter in enumerate(names) if parameter.startswith(first))
    return set(names[start:])


def _named(net: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The net's own parameters under the names they have without adapters."""
    for name, parameter in net.named_parameters():
        if not _ADAPTER.search(name):
            yield name.replace(_WRAPPED, ""), parameter


def _prefixes(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:i]) for i in range(1, len(parts) + 1))
