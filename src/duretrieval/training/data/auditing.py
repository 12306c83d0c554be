"""A look at data before anything is trained with it: what cannot be used, how it divides, what would leak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from duretrieval.evaluation.labels.together import USUAL
from duretrieval.training.data.checks import validate
from duretrieval.training.data.identity import identify
from duretrieval.training.data.leakage import Leak, leaks
from duretrieval.training.data.opening import read_data
from duretrieval.training.data.read import SPLITS, Problem
from duretrieval.training.data.repeats import Repeats, repeats
from duretrieval.training.data.splits import split
from duretrieval.training.recipe.recipe import Data
from duretrieval.types import Modality


@dataclass(frozen=True, slots=True)
class Audit:
    """What is to be known of training data."""

    usable: int
    problems: Sequence[Problem]
    columns: Mapping[str, tuple[Modality, int]]
    """column -> its modality, and how many usable rows have it"""
    classes: int
    """Different labels."""
    splits: Mapping[str, int]
    """Usable rows of train, val and test, as a recipe divides them."""
    things: int
    """Rows that have a file, text, key or look in common count once."""
    leaks: Sequence[Leak]
    """What the data's own splits have in common; a split that is made here shares nothing."""
    notes: Sequence[str]
    repeats: Repeats
    """What several rows hold, and which of their own things rows have among their negatives."""

    @property
    def unusable(self) -> int:
        """Rows that are not used; a problem that is of no row of a file counts each time."""
        lost = [problem for problem in self.problems if not problem.used]
        rows = {problem.sample or (problem.file, problem.line) for problem in lost if problem.sample or problem.line}
        return len(rows) + sum(not problem.sample and not problem.line for problem in lost)

    @property
    def partly(self) -> int:
        """Rows that are used without something in them."""
        return len({(problem.file, problem.line) for problem in self.problems if problem.used})


def audit(
    path: str | Path, data: Data | None = None, seed: int = 0, progress: Callable[[str, int, int], None] | None = None
) -> Audit:
    """Read the data, open every file, divide the rows as a recipe with these settings would, and look for leaks.

    progress: told what is done ("files", "pictures"), how many of it, and of how many.

    Raises:
        ConfigError: the data cannot be read at all.
    """
    path = Path(path)
    data = data or Data()
    read = read_data(data, path)
    checked = validate(read.samples, progress=partial(progress, "files") if progress else None)
    good = checked.good
    told = partial(progress, "pictures") if progress else None
    known = identify(good, near=data.near_duplicates, texts=data.texts, progress=told)
    shares = {"train": 1 - data.val - data.test, "val": data.val, "test": data.test}
    parts = split(good, shares, seed, radius=data.nearness, identities=known)
    of = {sample.id: identity for sample, identity in zip(good, known, strict=True)}
    found = leaks(
        {name: parts[name] for name in SPLITS},
        radius=data.nearness,
        identities={name: [of[sample.id] for sample in parts[name]] for name in SPLITS},
    )
    counts = Counter(name for sample in good for name in sample.columns)
    modalities = {name: part.modality for sample in good for name, part in sample.columns.items()}
    return Audit(
        usable=len(good),
        problems=(*read.problems, *checked.problems),
        columns={name: (modalities[name], counts[name]) for name in counts},
        classes=len({sample.label for sample in good if sample.label is not None}),
        splits={name: len(parts[name]) for name in SPLITS},
        things=parts.components,
        leaks=found,
        notes=parts.notes,
        repeats=repeats(good, USUAL if data.positives is None else data.positives),
    )
