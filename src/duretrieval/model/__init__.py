"""The model folder: what encodes, aligns, fuses and compares, with the hash of every file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.model.card import check_files as check_files
    from duretrieval.model.card import fingerprint as fingerprint
    from duretrieval.model.card import origins as origins
    from duretrieval.model.card import read_card as read_card
    from duretrieval.model.model import Model as Model
    from duretrieval.model.seal import Origin as Origin
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "card": "check_files fingerprint origins read_card",
            "model": "Model",
            "seal": "Origin",
        },
    )
