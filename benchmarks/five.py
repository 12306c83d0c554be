"""The five systems, one after the other, on data that is made and with what the package carries: no internet.

    make recipes            (python -m benchmarks.five [RECIPE ...])

Each is trained by its ready recipe with --offline and small sizes, exported, indexed and searched; beside its figure
stand the same before training, chance, and the same without the mechanism that its description names.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from benchmarks import made
from benchmarks.regions import regions
from duretrieval import Collection, Item, Part, Term
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit.loop import hush
from duretrieval.training.fit.validation import check
from duretrieval.training.nets.score.mixed import Mixed
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.recipe.toml import read_recipe
from duretrieval.training.runs import run as runs
from duretrieval.training.runs.trained import train

QUICK = ("data.near_duplicates=false", "fit.patience=0")
REGIONS = (
    'data.columns={ query = "text" }',
    'data.positives=["key"]',
    "dim=64",
    "fusion.drop=0.0",
    "fit={ epochs = 25, batch = 32, lr = 3e-3, patience = 0 }",
)
NARROW = (
    'encoders.image.config={ model_type = "resnet", layer_type = "basic", embedding_size = 16, '
    "hidden_sizes = [16, 32, 8], depths = [1, 1, 1] }"
)
"""Eight features and three of a text: by chance they do not tell six things apart, so both encoders have to learn."""
MEAN = {"the mean in the place of attention": ("fusion.score=uniform",)}


@dataclass(frozen=True)
class System:
    """A ready recipe, small, and what shows that it does what its description says."""

    recipe: str
    data: Callable[[Path], Path]
    changes: tuple[str, ...]
    figure: str
    """Of the test rows."""
    chance: float
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What is left without the mechanism -> the settings that take it away, for a training of its own; FOLDER: a
    scratch folder."""
    asking: int = 0
    """Which view asks in the search."""
    lesions: Mapping[str, Callable[[runs.Run, runs.Run], None]] = field(default_factory=dict)
    """The same, done to the trained run; the second is an untrained one."""


def scorer_alone(trained: runs.Run, untrained: runs.Run) -> None:
    """Pairs are ordered by the dense layers, without the cosine and without known pairs."""
    assert isinstance(trained.objective.score, Mixed)
    trained.objective.score.weigh(1, 0, (1, 1, 1))


def untaught_scorer(trained: runs.Run, untrained: runs.Run) -> None:
    """The same, by layers that have learned nothing."""
    scorer_alone(trained, untrained)
    assert isinstance(trained.objective.score, Mixed)
    assert isinstance(untrained.objective.score, Mixed)
    trained.objective.score.score = untrained.objective.score.score


SYSTEMS = (
    System(
        "a-duretrieval",
        made.labelled,
        ("dim=32", "fit.lr=0.01", "fit.batch=16", "fit.epochs=20"),
        "accuracy",
        1 / 9,
        {"texts alone": ('views=[["text"]]',), "all but the texts": ('views=[["image", "audio", "video"]]',)},
    ),
    System(
        "b-dual-encoders",
        made.described,
        (
            "dim=32",
            "encoders.text.dim=3",
            "encoders.image.side=32",
            "encoders.image.lr=0.1",
            NARROW,
            "fit.batch=16",
            "fit.epochs=15",
        ),
        "image→text/hit@1",
        1 / 6,
        {"encoders that do not learn": ("encoders.image.train=[]", "encoders.text.train=[]")},
    ),
    System(
        "b-attention", lambda folder: regions(folder, 500), REGIONS, "text+image→query/hit@1", 1 / 6, MEAN, asking=1
    ),
    System(
        "c-pair-scorer",
        made.pairs,
        ("dim=32", "heads.hidden=64", "fit.batch=32", "fit.epochs=40", "fit.lr=0.003"),
        "image→text/hit@1",
        1 / 9,
        lesions={"the scorer alone": scorer_alone, "the scorer alone, untaught": untaught_scorer},
    ),
    System(
        "d-word2vec",
        made.spoken,
        (
            "dim=20",
            "encoders.text.dim=20",
            "encoders.text.min_count=1",
            "encoders.text.epochs=50",
            "fit.batch=16",
            "fit.lr=0.02",
            "fit.epochs=25",
        ),
        "image→text/hit@1",
        1 / 6,
        {
            "word vectors that learned nothing": (
                'encoders.text={ use = "word2vec", model = "FOLDER/meaningless.vec" }',
            )
        },
    ),
    System(
        "e-attention", lambda folder: regions(folder, 500), REGIONS, "text+image→query/hit@1", 1 / 6, MEAN, asking=1
    ),
)


@dataclass(frozen=True)
class Found:
    """What a system came to."""

    trained: float
    untrained: float
    searched: float
    """The share of questions to a collection, asked through the exported model, whose first hit is right."""
    without: Mapping[str, float]
    seconds: float
    """From the data to the searches; what is taken away is not in it."""


def measure(system: System, folder: Path, cache: Path) -> Found:
    """Train, export, index and search; then again without what it is about. cache: of rows of frozen encoders."""
    data = system.data(made.anew(folder / "media"))
    made.meaningless(folder)
    start = time.perf_counter()
    recipe = recipe_of(system, folder)
    untrained = assembled(recipe, data, folder, cache)
    before = figure(untrained, system)
    outcome = train(recipe, data, folder / "run", cache=cache)
    right = searched(system, untrained.prepared.recipe.views, runs.read(recipe, data)[0], folder)
    seconds = time.perf_counter() - start
    without = {
        name: trained(system, recipe_of(system, folder, *changes), data, folder / f"without {place}", cache)
        for place, (name, changes) in enumerate(system.without.items())
    }
    for name, cut in system.lesions.items():
        run = assembled(recipe, data, folder, cache)
        runs.load(run, folder / "run" / runs.BEST)
        cut(run, untrained)
        without[name] = figure(run, system)
    return Found(outcome.test[system.figure], before, right, without, seconds)


def recipe_of(system: System, folder: Path, *changes: str) -> Recipe:
    wanted = [change.replace("FOLDER", str(folder)) for change in (*QUICK, *system.changes, *changes)]
    return read_recipe(system.recipe, wanted, offline=True)


def assembled(recipe: Recipe, data: Path, folder: Path, cache: Path) -> runs.Run:
    return runs.assemble(recipe, runs.read(recipe, data), folder / "begun", cache=cache)


def trained(system: System, recipe: Recipe, data: Path, folder: Path, cache: Path) -> float:
    """The figure of another training on the same rows; no model is written."""
    outcome = train(recipe, data, folder, cache=cache, exporting=False)
    return outcome.test[system.figure]


def figure(run: runs.Run, system: System) -> float:
    """Of the test rows, by the run as it is."""
    return check(run.network.eval(), run.objective, run.prepared.rows["test"], run.recipe.fit.monitor)[system.figure]


def searched(system: System, views: Sequence[Sequence[str]], samples: Sequence[Sample], folder: Path) -> float:
    """How often the first hit is right: test rows ask by one view for the other; where there is one, for other rows."""
    test = [sample for sample in samples if sample.split == "test"]
    if len(views) == 1:
        asks, answers, held = None, None, [sample for sample in samples if sample.split == "train"]
    else:
        asks, answers, held = views[system.asking], views[1 - system.asking], test
    right = {sample.id: sample.label or sample.key for sample in samples}
    with Collection.open(folder / "collection", folder / "run" / "model") as collection:
        collection.add([Item(sample.id, sample.id, parts_of(sample, answers)) for sample in held], workers=1)
        firsts = [(sample, collection.search(terms_of(sample, asks), k=1)[0].item.id) for sample in test]
    return sum(right[first] == right[sample.id] for sample, first in firsts) / len(firsts)


def parts_of(sample: Sample, columns: Sequence[str] | None) -> tuple[Part, ...]:
    return tuple(part for name, part in sample.columns.items() if columns is None or name in columns)


def terms_of(sample: Sample, columns: Sequence[str] | None) -> list[Term]:
    parts = parts_of(sample, columns)
    return [Term(part.modality, part.content) for part in parts if part.content is not None]


def main(names: Sequence[str] = ()) -> None:
    torch.set_num_threads(1)
    hush()
    print(f"{'recipe':<16} {'s':>4} {'figure':>24} {'trained':>8} {'untrained':>9} {'chance':>6} {'first hit':>9}")
    for system in SYSTEMS:
        if names and system.recipe not in names:
            continue
        with tempfile.TemporaryDirectory(prefix="duretrieval-") as place:
            found = measure(system, Path(place), Path(place) / "features")
        figures = f"{found.trained:>8.3f} {found.untrained:>9.3f} {system.chance:>6.3f} {found.searched:>9.3f}"
        print(f"{system.recipe:<16} {found.seconds:>4.0f} {system.figure:>24} {figures}", flush=True)
        for name, value in found.without.items():
            print(f"{'':<16} {'':>4} {name:>33} {value:>8.3f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
