"""Pretrained joint models, to fine-tune and to take into the engine.

net       one tower of CLIP, Chinese-CLIP, SigLIP, SigLIP 2 or CLAP, as a net that trains
sentence  the same for sentence-transformers
graphs    what a tower's graph computes
folder    a whole model as a folder that needs no torch
"""

from duretrieval.training.joint.folder import export

__all__ = ["export"]
