"""Everything that learns, with its learning rate."""

from __future__ import annotations

from torch import nn

from duretrieval.errors import ConfigError
from duretrieval.training.build.encoders import Encoders
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import TotalLoss


def groups(network: Network, objective: TotalLoss, encoders: Encoders) -> list[tuple[list[nn.Parameter], float | None]]:
    """Everything that learns, with its learning rate; None is that of `Fit`."""
    own = {id(p) for parameters, _ in encoders.groups for p in parameters}
    inside = {id(p) for net in network.encoders.values() for p in net.parameters()}
    rest = [p for p in [*network.parameters(), *objective.parameters()] if id(p) not in own | inside]
    found = [(rest, None), *encoders.groups]
    if not any(parameters for parameters, _ in found):
        raise ConfigError(
            "nothing in this recipe learns; give it a head such as mlp, a fusion, or `train` in [encoders]"
        )
    return [group for group in found if group[0]]
