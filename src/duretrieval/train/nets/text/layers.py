"""Which part of a transformer learns, and how many tokens it can take."""

from __future__ import annotations

from torch import nn

from duretrieval.errors import ConfigError


def learn_last(model: nn.Module, layers: int) -> None:
    """Let only the last `layers` layers change, and what the model holds after them (a final norm, a pooler).

    0: nothing changes.  A model whose layers share their weights (ALBERT) has one.

    Raises:
        ConfigError: the model has fewer layers.
    """
    name, blocks = _blocks(model)
    if not 0 <= layers <= len(blocks):
        raise ConfigError(
            f"layers is {layers}, but the model has {len(blocks)} of its own weights; give 0 to {len(blocks)}"
        )
    model.requires_grad_(False)
    first = f"{name}.{len(blocks) - layers}."
    learns = False
    for parameter_name, parameter in model.named_parameters():
        learns = learns or parameter_name.startswith(first)
        parameter.requires_grad_(learns)


def positions(model: nn.Module) -> int | None:
    """How many tokens the model has positions for; None where it does not number them (T5, rotary positions).

    RoBERTa and its kin count from one past the padding id, so 514 rows are 512 positions.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) and name.endswith(("position_embeddings", ".wpe")):
            unused = 0 if module.padding_idx is None else module.padding_idx + 1
            return module.num_embeddings - unused
    return None


def _blocks(model: nn.Module) -> tuple[str, nn.ModuleList]:
    """The longest list of modules, which holds the layers; the outermost, where several are as long."""
    lists = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.ModuleList)]
    if not lists:
        raise ConfigError(f"{type(model).__name__} has no list of layers to choose from; leave out layers to train all")
    return max(lists, key=lambda found: len(found[1]))
