"""A model described: what encodes, aligns, fuses, compares and teaches it, as a TOML file of about twenty lines.

    name = "clipart"
    dim = 384
    views = [["text"], ["image"]]     # columns of a row that mean the same; several columns in one view are fused

    [encoders.image]
    use = "convnext"                  # any name of `training.parts`, or my_package.module:MyNet
    model = "facebook/convnext-tiny-224"
    train = ["*stages.3*"]            # parameters that learn; without this line the encoder is frozen, its rows cached
    lr = 1e-5

    [heads]
    use = "mlp"

    [loss]
    use = "infonce"

    [fit]
    epochs = 20

What a table does not say has the default that the dataclass below shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, Literal

from duretrieval.errors import ConfigError
from duretrieval.evaluation.labels.together import USUAL, check_positives
from duretrieval.types import Modality, Positive

RADIUS = 8
"""Bits of `duplicates.perceptual.code` by which near-duplicates differ at most."""
MOST = 32
"""The largest radius: pictures that have nothing in common differ in about 80 bits, seldom in fewer than 40."""
SEEDS = 2**32
"""Seeds are below it."""


@dataclass(frozen=True, slots=True)
class Use:
    """A part by its name in `training.parts`, and what it is made with."""

    use: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one modality is encoded, and which of the encoder's parameters learn."""

    use: str = "builtin"
    options: Mapping[str, Any] = field(default_factory=dict)
    train: tuple[str, ...] = ()
    """Patterns of parameter names ("*" is all); none: the encoder is frozen."""
    lr: float | None = None
    """Learning rate of its parameters; None is that of `Fit`."""
    lora: int = 0
    """Rank of low-rank adapters (LoRA) in a transformer's attention; 0 is none."""
    tokens: int = 0
    """Most words, cells, frames or patches that a part hands on to a fusion; 0 hands on one row."""

    def __post_init__(self) -> None:
        if self.tokens < 0:
            raise ConfigError(f"the encoder {self.use!r} has tokens {self.tokens}; it must be 0, one row, or more")
        if (self.lr is not None and self.lr <= 0) or self.lora < 0:
            rate = "" if self.lr is None else f"lr {self.lr:g} and "
            raise ConfigError(
                f"the encoder {self.use!r} has {rate}lora {self.lora}; lr must be above 0, lora 0 or more"
            )


@dataclass(frozen=True, slots=True)
class Objective:
    """A loss, how much it counts, and between which views; no views: between all pairs of them."""

    use: str = "infonce"
    options: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0
    views: tuple[str, str] | None = None
    on: Literal["scores", "vectors"] = "scores"
    """What a loss of scores reads: those of [score], or the cosines of the vectors all the same."""
    hardest: int = 0
    """Negatives of each anchor that count, those of the largest cosine, as a search asks a score about; 0: all."""

    apart: bool = False
    """The loss teaches the score or the classifier alone, and not what makes the vectors."""

    def __post_init__(self) -> None:
        if self.hardest < 0:
            raise ConfigError(f"the loss {self.use!r} has hardest = {self.hardest}; it must be at least 0 (all)")

    matryoshka: tuple[int, ...] = ()
    """Leading dimensions whose cosines it is taken of as well, each as if the vectors ended there."""


@dataclass(frozen=True, slots=True)
class Relations:
    """Which rows are beside which, for a fusion that looks at neighbours (`graph-attention`)."""

    file: str | None = None
    """A table of item, other, kind (`media.relations`), its path from the data's folder; what rows say themselves
    (`related`) counts as well."""
    neighbours: int = 8
    """How many of a row's neighbours are looked at; of more, other ones in each step, and at a check and in the engine
    the same ones each time."""
    directed: tuple[str, ...] = ()
    """Kinds that are something else from their other end: `cites`."""
    views: tuple[str, ...] | None = None
    """Which views see their neighbours; None is all but the first, which asks."""

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ConfigError(
                f"data.relations has neighbours = {self.neighbours}; it must be at least 1. To look at none, take "
                "another fusion than graph-attention"
            )


@dataclass(frozen=True, slots=True)
class Data:
    """How rows are read and divided."""

    reader: str = "manifest"
    options: Mapping[str, Any] = field(default_factory=dict)
    val: float = 0.1
    test: float = 0.1
    """Shares of the rows, where the data does not divide itself."""
    texts: tuple[str, ...] | None = None
    """Columns whose texts tie rows together where they are equal, so that one split has them all; None is every one."""
    near_duplicates: bool = True
    """Keep pictures that look alike in one split."""
    radius: int = RADIUS
    """Bits of 212 in which two pictures that look alike differ at most; smaller ties fewer together."""
    positives: tuple[Positive, ...] | None = None
    """What rows may have in common to be right for one another, in losses, mining and figures alike: the `key`, an
    equal `text`, the same `file`, the `label`.  None: key, text, file, and label with a sampler that goes by labels."""
    relations: Relations = Relations()
    """In TOML the name of a file of relations, or a table."""
    tokens_gb: float = 4.0
    """The most that sequences of frozen encoders may take, in memory and on disk (float16)."""

    def __post_init__(self) -> None:
        if not 0 <= self.radius <= MOST:
            raise ConfigError(
                f"data.radius is {self.radius}; it must be from 0 (the same picture) to {MOST}. To let looks count for "
                "nothing, set near_duplicates = false"
            )
        check_positives(self.positives or ())
        if self.tokens_gb <= 0:
            raise ConfigError(f"data.tokens_gb is {self.tokens_gb:g}; it must be above 0")
        if self.val < 0 or self.test < 0 or self.val + self.test >= 1:
            raise ConfigError(
                f"data.val is {self.val:g} and data.test {self.test:g}; they are shares of the rows, at least 0, and "
                "must leave some for training"
            )

    @property
    def nearness(self) -> int:
        """The radius, or -1 where looks do not count."""
        return self.radius if self.near_duplicates else -1


@dataclass(frozen=True, slots=True)
class Fit:
    """How it is trained."""

    epochs: int = 20
    batch: int = 128
    accumulate: int = 1
    """Batches whose gradients make up one step."""
    chunk: int = 0
    """Rows of a batch that are encoded at a time, with the gradients of the whole batch (`fit.chunks`); 0: all."""
    sampler: Use = Use("shuffled")
    """Which rows make up a step: `shuffled`, `per-class`, `weighted`; in TOML its name, or a table with its options."""
    lr: float = 1e-3
    optimizer: Literal["adamw", "sgd"] = "adamw"
    weight_decay: float = 1e-4
    warmup: float = 0.05
    """Share of the steps over which the learning rate rises from 0."""
    schedule: Literal["cosine", "constant"] = "cosine"
    clip: float = 1.0
    """Longest gradient; 0 does not clip."""
    patience: int = 5
    """Checks without a better `monitor` after which training stops; 0 never stops early."""
    monitor: str = "rr"
    """What decides on the validation rows: a metric of `evaluate`, averaged over directions; accuracy, f1; loss."""
    check_steps: int = 0
    """Steps between two checks, each of which also saves; 0 is one pass over the rows."""
    precision: Literal["32", "16-mixed", "bf16-mixed"] = "32"
    accelerator: str = "auto"
    devices: int = 1
    workers: int = 0
    """Processes that decode files for encoders that learn, for each device; 0: one a core, which devices share."""
    memory: int = 0
    """Rows of earlier batches that serve as further negatives (cross-batch memory)."""
    hard_negatives: int = 0
    """Negatives mined for each row; 0 mines none."""
    mine_every: int = 1
    """Passes over the rows between two minings."""

    def __post_init__(self) -> None:
        least = {"epochs": 1, "batch": 2, "accumulate": 1, "devices": 1, "mine_every": 1}
        least |= dict.fromkeys(("chunk", "patience", "check_steps", "workers", "memory", "hard_negatives"), 0)
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ConfigError(f"fit.{name} is {getattr(self, name)}; it must be at least {low}")
        if self.lr <= 0 or self.weight_decay < 0 or self.clip < 0 or not 0 <= self.warmup <= 1:
            raise ConfigError(
                f"fit.lr is {self.lr:g}, weight_decay {self.weight_decay:g}, clip {self.clip:g} and warmup "
                f"{self.warmup:g}; lr must be above 0, warmup a share from 0 to 1, and the others at least 0"
            )
        if self.batch % self.devices:
            raise ConfigError(
                f"fit.batch is {self.batch} and fit.devices {self.devices}; each device takes the same share of a "
                "batch, so make it a multiple of the devices"
            )


@dataclass(frozen=True, slots=True)
class Recipe:
    """The whole description."""

    name: str = "model"
    dim: int = 384
    seed: int = 0
    views: tuple[tuple[str, ...], ...] = ()
    """Columns of each view; none given: every column of the data is one. "*" is every column: views = [["*"]]."""
    encoders: Mapping[Modality, Encoding] = field(default_factory=dict)
    heads: Mapping[Modality, Use] = field(default_factory=dict)
    """A modality without one has that of another (`films`), or `mlp`."""
    align: Use | None = None
    """An aligner fitted whole (ridge, procrustes, cca) in the place of heads: nothing is trained step by step."""
    fusion: Use | None = None
    score: Use | None = None
    """None is the cosine."""
    codes: Use | None = None
    """Binary codes beside the vectors, fitted when the model is exported: `itq` with its bits."""
    index: Use | None = None
    """The index in memory by which collections of the model are searched: exact, faiss, binary; None: the store."""
    losses: tuple[Objective, ...] = (Objective(),)
    teacher: str | None = None
    """A model folder, or `builtin`, whose scores and vectors losses of distillation learn."""
    augment: Mapping[str, Any] = field(default_factory=dict)
    data: Data = Data()
    fit: Fit = Fit()

    def __post_init__(self) -> None:
        if self.dim < 1 or not 0 <= self.seed < SEEDS or not self.name.strip():
            raise ConfigError(
                f"name is {self.name!r}, dim {self.dim} and seed {self.seed}; a model has a name, 1 dimension or more, "
                f"and a seed from 0 to {SEEDS - 1}"
            )
        for view in self.views:
            if not view or len(set(view)) < len(view) or self.views.count(view) > 1:
                raise ConfigError(
                    f"views has {list(view)}; each view is a list of different columns, and no two are alike, such as "
                    'views = [["text"], ["image"]]'
                )
            if len(view) > 1 and self.fusion is None:
                raise ConfigError(
                    f"the view {list(view)} has several columns and nothing fuses them; add a table [fusion] with "
                    'use = "concat" or another, or make each column a view of its own'
                )
        if self.align is not None and (self.heads or self.fusion or self.score):
            raise ConfigError("[align] takes the place of [heads], [fusion] and [score]; keep it or them")
        if wrong := [d for loss in self.losses for d in loss.matryoshka if not 1 <= d < self.dim]:
            raise ConfigError(
                f"matryoshka has {wrong[0]}, and dim is {self.dim}; it lists shorter vectors, of 1 dimension or more"
            )
        if self.dims and self.fusion is not None:
            raise ConfigError(
                "a fusion takes whole vectors, so what it makes cannot be cut; leave out [fusion], or matryoshka"
            )
        names = [view_name(view) for view in self.views]
        for objective in self.losses:
            if objective.views is not None and len(objective.views) != 2:
                raise ConfigError(
                    f"the loss {objective.use!r} names {len(objective.views)} views; it compares 2, or all pairs of "
                    "them where it names none"
                )
            if objective.views is not None and len(set(objective.views)) < 2:
                raise ConfigError(f"the loss {objective.use!r} compares the view {objective.views[0]!r} with itself")
            for name in objective.views or ():
                if names and name not in names:
                    raise ConfigError(
                        f"the loss {objective.use!r} names a view {name!r}; there are: {', '.join(names)}"
                    )

    @property
    def dims(self) -> tuple[int, ...]:
        """What the vectors of the model may be cut to, the longest first."""
        return tuple(sorted({d for loss in self.losses for d in loss.matryoshka}, reverse=True))

    @property
    def positives(self) -> tuple[Positive, ...]:
        """What rows have in common that belong together, beside the row they share."""
        if self.data.positives is not None:
            return self.data.positives
        by_label = self.fit.sampler.use == "per-class" and self.fit.sampler.options.get("by", "label") == "label"
        return (*USUAL, "label") if by_label else USUAL


def view_name(view: Sequence[str]) -> str:
    """("image", "keywords") -> "image+keywords"."""
    return "+".join(view)


def alone(views: Iterable[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Views that ask where the only one there is holds whole items: each of its columns by itself."""
    held = [tuple(view) for view in views]
    return {name: (name,) for name in held[0]} if len(held) == 1 and len(held[0]) > 1 else {}


def directions(views: Iterable[Sequence[str]]) -> list[tuple[str, str]]:
    """What asks and what is searched: each view each other one; of one view of whole items each of its columns."""
    held = [tuple(view) for view in views]
    return [*permutations(map(view_name, held), 2), *((name, view_name(held[0])) for name in alone(held))]


def with_views(recipe: Recipe, columns: Mapping[str, Modality]) -> Recipe:
    """The recipe with its views named: none given means a view a column, and "*" every column.

    Raises:
        ConfigError: a view names a column that no row has.
    """
    every = tuple(columns)
    views = tuple(every if view == ("*",) else view for view in recipe.views) or tuple((name,) for name in every)
    for view in views:
        for name in view:
            if name not in columns:
                raise ConfigError(
                    f"the recipe has a view of the column {name!r}, and no row has it; there are: "
                    f"{', '.join(columns) or 'none'}"
                )
    return replace(recipe, views=views)
