"""A run as a folder of another library: sentence-transformers or transformers.

towers   which of the run's encoders go, and why one cannot
dense    a head as modules of sentence-transformers
sentence a folder of sentence-transformers
plain    a folder of transformers
weights  what has learned, in the model that it was taken from
agree    the written folder, opened again, held against the run
card     README.md
folder   all of it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.export.hub.folder import Hub as Hub
    from duretrieval.training.export.hub.folder import write_hub as write_hub
else:
    __getattr__, __dir__, __all__ = window(__name__, {"folder": "Hub write_hub"})
