"""Pretrained joint models, to fine-tune and to take into the engine.

net       one tower of CLIP, Chinese-CLIP, SigLIP, SigLIP 2 or CLAP, as a net that trains
sentence  the same for sentence-transformers
graphs    what a tower's graph computes
folder    a whole model as a folder that needs no torch
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.joint.folder import export_joint as export_joint
    from duretrieval.training.joint.net import JointNet as JointNet
    from duretrieval.training.joint.sentence import SentenceImage as SentenceImage
    from duretrieval.training.joint.sentence import SentenceText as SentenceText
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "folder": "export_joint",
            "net": "JointNet",
            "sentence": "SentenceImage SentenceText",
        },
    )
