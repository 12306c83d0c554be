"""Pretrained joint models of a hub, as they are: `Model.load("clip:openai/clip-vit-base-patch32")`.

Needs torch and transformers (`pip install 'duretrieval[train]'`), which are imported when such a model is opened and
never before. `duretrieval.training.joint.export` turns the same models into folders that need neither.

source    a hub id or a folder to files on this disk, and their fingerprint
towers    what one side of a joint model is: parts to arrays, arrays to rows
text, image, sound   the three kinds of tower
clip, siglip, clap   which towers the families have, with which settings
sentence  what sentence-transformers loads
joint     a family's model, opened as an engine model
"""
