"""Pretrained joint models of a hub, as they are: `Model.load("clip:openai/clip-vit-base-patch32")`.

Needs torch and transformers (`pip install 'duretrieval[train]'`), which are imported when such a model is opened and
never before. `duretrieval.training.export_joint` turns the same models into folders that need neither.

source    a hub id or a folder to files on this disk, and their fingerprint
pretrained  what transformers reads there
preprocessing  what an image processor does, as numbers
towers    what one side of a joint model is: parts to arrays, arrays to rows
text, image, sound   the three kinds of tower
clip, siglip, clap   which towers the families have, with which settings
sentence  what sentence-transformers loads
joint     a family's model, opened as an engine model
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.encode.hub.clap import open_clap as open_clap
    from duretrieval.encode.hub.clip import open_chinese_clip as open_chinese_clip
    from duretrieval.encode.hub.clip import open_clip as open_clip
    from duretrieval.encode.hub.joint import Joint as Joint
    from duretrieval.encode.hub.joint import Opened as Opened
    from duretrieval.encode.hub.sentence import open_sentence as open_sentence
    from duretrieval.encode.hub.siglip import open_siglip as open_siglip
    from duretrieval.encode.hub.siglip import open_siglip2 as open_siglip2
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "clap": "open_clap",
            "clip": "open_chinese_clip open_clip",
            "joint": "Joint Opened",
            "sentence": "open_sentence",
            "siglip": "open_siglip open_siglip2",
        },
    )
