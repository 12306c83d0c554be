"""A recipe assembled on its data: its modules, their state in a checkpoint, their figures, their model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

from duretrieval import __version__
from duretrieval.errors import ConfigError
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.training.align.closed_form import fit_heads
from duretrieval.training.build.learned import groups
from duretrieval.training.build.network import Network
from duretrieval.training.build.network_of import draw_of, make_network, make_objective
from duretrieval.training.build.objective import TotalLoss
from duretrieval.training.build.prepare import Prepared, Progress, prepare
from duretrieval.training.data.opening import read_data, with_relations
from duretrieval.training.data.read import Read
from duretrieval.training.data.sample import Sample
from duretrieval.training.export.model import export
from duretrieval.training.fit.checkpoints import run_state
from duretrieval.training.fit.loop import Training
from duretrieval.training.fit.preflight import check_learnable, check_measurable
from duretrieval.training.fit.validation import asked, check
from duretrieval.training.recipe.recipe import Recipe

LAST, BEST = "last.ckpt", "best.ckpt"


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A recipe assembled on its data."""

    recipe: Recipe
    prepared: Prepared
    network: Network
    objective: TotalLoss
    folder: Path
    problems: Sequence[str]
    """Rows that could not be read, or not be used, with the reason."""


def read(recipe: Recipe, data: Path | Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[str]]:
    """Samples, and why rows could not be read.

    Raises:
        DuretrievalError: as `read_data`.
    """
    if not isinstance(data, Path):
        file = recipe.data.relations.file
        related = Read(tuple(data)) if file is None else with_relations(Read(tuple(data)), Path(file))
        return related.samples, [str(problem) for problem in related.problems]
    found = read_data(recipe.data, data)
    return found.samples, [str(problem) for problem in found.problems]


def assemble(
    recipe: Recipe,
    found: tuple[Sequence[Sample], Sequence[str]],
    folder: Path,
    *,
    limits: Limits | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
) -> Run:
    """The recipe's modules on its data, with parameters as they begin; writes nothing.

    Raises:
        ConfigError: the recipe does not fit the data, or there is nothing to learn in it or to judge by.
    """
    samples, unread = found
    prepared = prepare(recipe, samples, limits=limits, cache=cache, progress=progress, tell=tell)
    fitted = fit_heads(recipe, prepared.rows["train"], progress) if recipe.align else None
    network = make_network(prepared.recipe, prepared.encoders, prepared.columns, fitted, prepared.kinds)
    taught = prepared.rows["train"].taught
    objective = make_objective(recipe, network, len(prepared.classes), None if taught is None else taught.width)
    problems = [*unread, *prepared.problems]
    try:
        if recipe.align is None:
            check_learnable(objective, network.views, prepared.rows["train"])
        check_measurable(recipe.fit.monitor, objective, network.views, prepared.rows["val"])
    except ConfigError as error:
        if not problems:
            raise
        first = [*prepared.problems, *unread][0]
        raise ConfigError(f"{error}. {len(problems)} could not be used, such as: {first}") from error
    return Run(recipe, prepared, network, objective, folder, problems)


def training(run: Run) -> Training:
    """What Lightning trains."""
    rows = run.prepared.rows
    learned = groups(run.network, run.objective, run.prepared.encoders)
    recipe = run.recipe
    draw = draw_of(recipe.fit.sampler, run.prepared.samples["train"], run.prepared.columns)
    return Training(
        run.network, run.objective, recipe.fit, recipe.seed, rows["train"], rows["val"], learned, run.folder, draw
    )


def load(run: Run, checkpoint: Path) -> int:
    """Set the run's modules to a checkpoint's state; returns its epoch.

    Raises:
        ConfigError: there is no such checkpoint, it is of another recipe; or as `run_state`.
    """
    if not checkpoint.is_file():
        raise ConfigError(f"there is no checkpoint {checkpoint}; the run has not reached its first check")
    held = run_state(checkpoint)
    for name, module in (("network", run.network), ("objective", run.objective)):
        prefix = f"{name}."
        state = {key.removeprefix(prefix): v for key, v in held["state_dict"].items() if key.startswith(prefix)}
        try:
            module.cpu().load_state_dict(state)
        except RuntimeError as error:
            raise ConfigError(f"{checkpoint} is the state of another recipe: {shorten(str(error), 200)}") from error
    return int(held["epoch"])


def recall(run: Run) -> None:
    """What the run had left out when it last wrote a checkpoint."""
    if (run.folder / LAST).is_file():
        run.prepared.left_out.recall(run_state(run.folder / LAST))


def figures_of(run: Run) -> dict[str, dict[str, float]]:
    """val, test -> every figure of the run's modules as they are; {} where there are not two rows."""
    rows, monitor = run.prepared.rows, run.recipe.fit.monitor
    return {
        name: check(run.network, run.objective, rows[name], monitor) if len(rows[name]) > 1 else {}
        for name in ("val", "test")
    }


def queries(run: Run, split: str) -> dict[str, int]:
    """Direction -> rows of a split that ask in it."""
    network = run.network
    return asked(run.prepared.rows[split], {**network.views, **network.alone}, network.directions)


def provenance(run: Run, epoch: int, figures: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """What a written model says of where it comes from; epoch, figures: of the run's present state."""
    return {
        "recipe": run.recipe.name,
        "data": run.prepared.digest,
        "rows": len(run.prepared.rows["train"]),
        "seed": run.recipe.seed,
        "epoch": epoch,
        "duretrieval": __version__,
        "metrics": {key: round(value, 6) for key, value in (figures["test"] or figures["val"]).items()},
    }


def write_model(
    run: Run, folder: Path, epoch: int, figures: Mapping[str, Mapping[str, float]], name: str | None = None
) -> Model:
    """The run's model, in its present state, as a folder of the engine; epoch, figures: of that state."""
    return export(
        run.recipe,
        run.prepared,
        run.network,
        run.objective,
        folder,
        name=name,
        training=provenance(run, epoch, figures),
    )
