"""Rows of the built-in encoders that every contestant of the training benchmarks learns from, and is tested on.

Learned from: Open Clip Art and emoji (`benchmarks/clipart.py`).  Tested on: the stamps of Tux Paint, of which nothing
is learned.  Computed once (a few minutes) and kept in `.data/features`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch

from benchmarks.clipart import DATA, manifest
from benchmarks.tuxpaint import Stamp, stamps
from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.result import Evaluation, Pair
from duretrieval.evaluation.scoring import score_matrix
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.training.build.prepare import Prepared, prepare
from duretrieval.training.data.batches import Rows
from duretrieval.training.data.manifest import read_manifest
from duretrieval.training.data.positives import positives
from duretrieval.training.nets.builtin import builtin_image_both
from duretrieval.training.recipe.recipe import Recipe, view_name
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.types import Array, Modality, Part

MEASURES = ("hit@1", "hit@5", "hit@10", "ap", "rr")
COLUMNS = {"keywords": "text", "chinese": "ignore"}
RECIPE = {
    "name": "drawings",
    "dim": 384,
    "views": [["text"], ["image"], ["keywords"]],
    "encoders": {"text": "builtin", "image": "builtin-image-both"},
    "heads": {"text": "identity", "image": "class-names"},
    "data": {"columns": COLUMNS, "near_duplicates": False, "texts": ["text"], "val": 0.05, "test": 0.0},
    "loss": {"use": "infonce", "temperature": 0.1, "learned": False},
    "fit": {"epochs": 10, "batch": 256, "lr": 1e-3, "patience": 0},
}
"""Our own: words where they are, pictures learned beside what their classes' names say."""


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """The stamps: rows of encoders, and which belong together."""

    stamps: list[Stamp]
    text: Array
    """(q, 384) a row for each different description"""
    image: Array
    """(n, 2280)"""
    sound: Array
    """(n, 384) in the space of texts; zeros where a stamp has no sound"""
    of_text: list[list[int]]
    """stamps of each description"""


@cache
def learned_from() -> Prepared:
    """The drawings, split, with their rows."""
    recipe = to_recipe(RECIPE)
    samples = read_manifest(manifest(), COLUMNS).samples
    return prepare(recipe, samples, cache=DATA / "features")


def on_data(recipe: Recipe) -> Prepared:
    """The same rows for another recipe: the columns that its views read, as `prepare` would have it."""
    held = learned_from()
    used = {name: held.columns[name] for name in dict.fromkeys(name for view in recipe.views for name in view)}
    views = {view_name(view): view for view in recipe.views}
    rows = {}
    for split, found in held.rows.items():
        columns = {name: found.columns[name] for name in used}
        present = {name: column.present.tolist() for name, column in columns.items()}
        right = positives(held.samples[split], views, present, recipe.positives)
        rows[split] = Rows(columns, found.keys.numpy(), found.labels.numpy(), positives=right)
    return replace(held, recipe=recipe, columns=used, rows=rows)


@cache
def tested_on() -> Tested:
    """Tux Paint, by the same encoders."""
    model = Model.load("builtin")
    found = stamps(model.reading)
    texts = list(dict.fromkeys(stamp.english for stamp in found))
    words = model.encode([Part(Modality.TEXT, text) for text in texts])
    pictures = builtin_image_both().encode([stamp.picture[0] for stamp in found])
    sounds = np.zeros((len(found), model.dim), np.float32)
    for i, stamp in enumerate(found):
        if stamp.sound:
            sounds[i] = unit(model.encode(list(stamp.sound)).mean(axis=0, keepdims=True))[0]
    places = [[i for i, stamp in enumerate(found) if stamp.english == text] for text in texts]
    return Tested(found, words, pictures, sounds, places)


def evaluate(name: str, text: Array, image: Array, sound: Array | None = None) -> Evaluation:
    """text (q, d), image (n, d), sound (n, d) unit rows of the stamps in one space: every direction."""
    data = tested_on()
    owner = np.zeros(len(image), np.int64)
    for q, places in enumerate(data.of_text):
        owner[places] = q
    pairs = [
        _pair(text, image, [*data.of_text], Modality.TEXT, Modality.IMAGE),
        _pair(image, text, owner[:, None].tolist(), Modality.IMAGE, Modality.TEXT),
    ]
    if sound is not None:
        heard = np.flatnonzero(np.abs(sound).sum(axis=1) > 0)
        asked = sorted({int(owner[i]) for i in heard})
        together = [[j for j, i in enumerate(heard) if owner[i] == q] for q in asked]
        own = [[asked.index(owner[i])] for i in heard]
        pairs += [
            _pair(text[asked], sound[heard], together, Modality.TEXT, Modality.AUDIO),
            _pair(sound[heard], text[asked], own, Modality.AUDIO, Modality.TEXT),
            _pair(image[heard], sound[heard], [together[at] for (at,) in own], Modality.IMAGE, Modality.AUDIO),
            _pair(sound[heard], image[heard], [together[at] for (at,) in own], Modality.AUDIO, Modality.IMAGE),
        ]
    return Evaluation(name, tuple(pairs))


def _pair(a: Array, b: Array, right: list[list[int]], query: Modality, gallery: Modality) -> Pair:
    return score_matrix(
        a @ b.T, relevant(right), measures(MEASURES), query, gallery, bootstrap=Bootstrap(resamples=1000)
    )


def rows(split: str, column: str) -> tuple[torch.Tensor, torch.Tensor]:
    """A column's rows of a split, and which of them are there."""
    held = learned_from().rows[split]
    found = held.columns[column]
    return torch.from_numpy(found.means()), torch.from_numpy(found.present)
