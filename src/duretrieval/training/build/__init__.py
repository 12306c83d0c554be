"""From a recipe to the network that learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.build.encoders import Encoders as Encoders
    from duretrieval.training.build.encoders import make_encoders as make_encoders
    from duretrieval.training.build.freeze import groups as groups
    from duretrieval.training.build.freeze import select as select
    from duretrieval.training.build.frozen import Frozen as Frozen
    from duretrieval.training.build.frozen import from_model as from_model
    from duretrieval.training.build.lora import add_lora as add_lora
    from duretrieval.training.build.lora import load_lora as load_lora
    from duretrieval.training.build.lora import merge_lora as merge_lora
    from duretrieval.training.build.lora import save_lora as save_lora
    from duretrieval.training.build.network import Network as Network
    from duretrieval.training.build.network_of import make_network as make_network
    from duretrieval.training.build.network_of import make_objective as make_objective
    from duretrieval.training.build.prepare import Prepared as Prepared
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "encoders": "Encoders make_encoders",
            "freeze": "groups select",
            "frozen": "Frozen from_model",
            "lora": "add_lora load_lora merge_lora save_lora",
            "network": "Network",
            "network_of": "make_network make_objective",
            "prepare": "Prepared",
        },
    )
