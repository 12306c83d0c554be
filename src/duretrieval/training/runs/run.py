"""The front door of training: a recipe and data in, a run folder with a model in it out.

RUN/recipe.json     the recipe as it was, every default written out
    run.json        the data, its digest and split sizes, the version
    last.ckpt       where it stopped (every check writes it anew)
    best.ckpt       the best check so far
    history.jsonl   every step's loss, every check's figures
    problems.txt    rows that could not be used
    result.json     figures of the best model on validation and test rows, once it is done
    model/          that model, for the engine
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from duretrieval import __version__, plugins, whole
from duretrieval.errors import ConfigError, DuretrievalError
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.training.align.closed_form import fit_heads
from duretrieval.training.build.learned import groups
from duretrieval.training.build.network import Network
from duretrieval.training.build.network_of import draw_of, make_network, make_objective
from duretrieval.training.build.objective import TotalLoss
from duretrieval.training.build.prepare import SPLITS, Prepared, Progress, prepare
from duretrieval.training.data.opening import read_data
from duretrieval.training.data.sample import Sample
from duretrieval.training.export.model import export
from duretrieval.training.fit import history
from duretrieval.training.fit.checkpoints import read_checkpoint, stopped
from duretrieval.training.fit.loop import Training, hush, trainer
from duretrieval.training.fit.preflight import check_learnable, check_measurable
from duretrieval.training.fit.tracking import close, loggers
from duretrieval.training.fit.validation import asked, check
from duretrieval.training.recipe.json import to_json
from duretrieval.training.recipe.parts import check_names
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.runs.folder import Outcome, described, write_json

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


def train(
    recipe: Recipe,
    data: str | Path | Sequence[Sample],
    folder: str | Path,
    *,
    resume: bool = False,
    track: Iterable[str] = (),
    limits: Limits | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
    bar: bool = False,
    callbacks: Sequence[Any] = (),
    exporting: bool = True,
) -> Outcome:
    """Train, keep the best check, measure it on the test rows, and export it to `folder`/model.

    data: what the recipe's reader reads, or samples.  resume: go on with the run in `folder` where it was stopped,
    to the same result.  track: "tensorboard", "wandb" (offline unless its own settings say otherwise).  callbacks:
    further ones of Lightning's.

    Raises:
        ConfigError: there is a run in `folder` and `resume` is not set, or it is of another recipe or other data; or
            the recipe does not fit the data.
        MissingExtra: a part of the recipe is not installed.
    """
    data = Path(data) if isinstance(data, str) else data
    folder = Path(folder)
    cache = Path(cache) if cache is not None else None
    start = time.monotonic()
    _check_folder(folder, recipe, resume)
    check_names(recipe)
    run = assemble(recipe, read(recipe, data), folder, limits=limits, cache=cache, progress=progress)
    _begin(run, data, resume)
    epochs, best = 0, 0
    if recipe.align is None:
        hush()
        last = folder / LAST
        going_on = resume and last.is_file()
        if not (going_on and stopped(last, recipe.fit.patience)):
            with _nothing_lost(folder):
                fit(run, last if going_on else None, loggers(track, folder, recipe), bar=bar, callbacks=callbacks)
        epochs = sum("check" in row for row in history.read(folder))
        best = int(load(run, folder / BEST)["epoch"])
    test = run.prepared.rows["test"]
    figures = {
        "val": check(run.network, run.objective, run.prepared.rows["val"], recipe.fit.monitor),
        "test": check(run.network, run.objective, test, recipe.fit.monitor) if len(test) > 1 else {},
    }
    outcome = Outcome(
        folder=folder,
        model=folder / "model",
        best_epoch=best,
        epochs=epochs,
        queries=queries(run),
        seconds=round(time.monotonic() - start, 2),
        problems=len(run.problems),
        **figures,
    )
    if exporting and not (folder / "model" / "model.toml").is_file():
        write_model(run, folder / "model", outcome)
    write_json(folder / "result.json", {**asdict(outcome), "folder": None, "model": None})
    return outcome


def read(recipe: Recipe, data: Path | Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[str]]:
    """Samples, and why rows could not be read.

    Raises:
        DuretrievalError: as `read_data`.
    """
    if not isinstance(data, Path):
        return data, []
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
) -> Run:
    """The recipe's modules on its data, with parameters as they begin."""
    samples, unread = found
    prepared = prepare(recipe, samples, limits=limits, cache=cache, progress=progress)
    fitted = fit_heads(recipe, prepared.rows["train"]) if recipe.align else None
    network = make_network(prepared.recipe, prepared.encoders, prepared.columns, fitted)
    taught = prepared.rows["train"].taught
    objective = make_objective(recipe, network, len(prepared.classes), None if taught is None else taught.width)
    if recipe.align is None:
        check_learnable(objective, network.views, prepared.rows["train"])
    check_measurable(recipe.fit.monitor, objective, network.views, prepared.rows["val"])
    folder.mkdir(parents=True, exist_ok=True)
    whole.sweep(folder)
    problems = [*unread, *prepared.problems]
    whole.write(folder / "problems.txt", "".join(f"{problem}\n" for problem in problems))
    return Run(recipe, prepared, network, objective, folder, problems)


def fit(run: Run, checkpoint: Path | None, watchers: Sequence[Any], *, bar: bool, callbacks: Sequence[Any]) -> None:
    """The steps of a run, from the beginning or from a checkpoint."""
    module = training(run)
    epochs = module.order.epochs(run.recipe.fit.epochs)
    driver = trainer(run.recipe.fit, epochs, run.folder, watchers, progress=bar, callbacks=callbacks)
    with quiet():
        driver.fit(module, ckpt_path=None if checkpoint is None else str(checkpoint), weights_only=True)
    close(watchers)


def training(run: Run) -> Training:
    """What Lightning trains."""
    rows = run.prepared.rows
    learned = groups(run.network, run.objective, run.prepared.encoders)
    recipe = run.recipe
    draw = draw_of(recipe.fit.sampler, run.prepared.samples["train"], run.prepared.columns)
    return Training(
        run.network, run.objective, recipe.fit, recipe.seed, rows["train"], rows["val"], learned, run.folder, draw
    )


def load(run: Run, checkpoint: Path) -> dict[str, Any]:
    """Set the run's modules to a checkpoint's state.

    Raises:
        ConfigError: there is no such checkpoint; or as `read_checkpoint`.
    """
    if not checkpoint.is_file():
        raise ConfigError(f"there is no checkpoint {checkpoint}; the run has not reached its first check")
    held = read_checkpoint(checkpoint)
    for name, module in (("network", run.network), ("objective", run.objective)):
        prefix = f"{name}."
        state = {key.removeprefix(prefix): v for key, v in held["state_dict"].items() if key.startswith(prefix)}
        module.cpu().load_state_dict(state)
    return held


def queries(run: Run) -> dict[str, dict[str, int]]:
    """val, test -> direction -> rows that ask in it."""
    views, directions = {**run.network.views, **run.network.alone}, run.network.directions
    return {name: asked(run.prepared.rows[name], views, directions) for name in ("val", "test")}


def write_model(run: Run, folder: Path, outcome: Outcome, name: str | None = None) -> None:
    """The run's model, in its present state, as a folder of the engine."""
    provenance = {
        "recipe": run.recipe.name,
        "data": run.prepared.digest,
        "rows": len(run.prepared.rows["train"]),
        "seed": run.recipe.seed,
        "epoch": outcome.best_epoch,
        "duretrieval": __version__,
        "metrics": {key: round(value, 6) for key, value in (outcome.test or outcome.val).items()},
    }
    export(run.recipe, run.prepared, run.network, run.objective, folder, name=name, training=provenance)


def reopen(
    folder: Path, *, data: Path | Sequence[Sample] | None = None, cache: Path | None = None, trust: bool = False
) -> Run:
    """The run in a folder, assembled again from its recipe and its data.

    The recipe is a stored file: its parts are looked up among those built in and installed, and no hub is asked for
    the models it names.  trust: follow paths to Python code in it too, which runs that code.

    Raises:
        ConfigError: there is no run; its data is gone or has changed.
        Untrusted: its recipe names a path to code, and `trust` is not set.
    """
    with plugins.stored(folder / "recipe.json"), plugins.trusting(trust):
        return _reopened(folder, data, cache)


def _reopened(folder: Path, data: Path | Sequence[Sample] | None, cache: Path | None) -> Run:
    recipe, facts = described(folder)
    check_names(recipe)
    source = data if data is not None else (Path(facts["data"]) if facts["data"] else None)
    if source is None or (isinstance(source, Path) and not source.exists()):
        raise ConfigError(f"the data of the run in {folder} is not at {facts['data'] or 'any path'}; say where it is")
    run = assemble(recipe, read(recipe, source), folder, cache=cache)
    if run.prepared.digest != facts["digest"]:
        raise ConfigError(f"the data of the run in {folder} has changed since; train again, or give the data it had")
    return run


def _check_folder(folder: Path, recipe: Recipe, resume: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; a run is a folder, so give another")
    if not (folder / "recipe.json").is_file():
        if (folder / "model").exists():
            raise ConfigError(f"there is something at {folder / 'model'} that is of no run; give another folder")
        return
    if not resume:
        raise ConfigError(f"there is a run in {folder} already; go on with it (--resume), or give another folder")
    known, given = to_json(described(folder)[0]), to_json(recipe)
    if known != given:
        different = [key for key in given if given[key] != known[key]]
        raise ConfigError(
            f"the run in {folder} is of another recipe: {', '.join(different)} differ. Go on with the recipe it has, "
            "or give another folder"
        )


@contextmanager
def _nothing_lost(folder: Path) -> Iterator[None]:
    """A recipe that proves impossible before its first check leaves the folder free for a better one."""
    try:
        yield
    except DuretrievalError:
        if not (folder / LAST).is_file():
            (folder / "recipe.json").unlink(missing_ok=True)
        raise


def _begin(run: Run, data: Path | Sequence[Sample], resume: bool) -> None:
    facts = {
        "data": str(data.absolute()) if isinstance(data, Path) else None,
        "digest": run.prepared.digest,
        "rows": {name: len(run.prepared.rows[name]) for name in SPLITS},
        "duretrieval": __version__,
    }
    path = run.folder / "run.json"
    if resume and path.is_file() and json.loads(path.read_text(encoding="utf-8"))["digest"] != facts["digest"]:
        raise ConfigError(f"the data of the run in {run.folder} has changed since; give another folder to train anew")
    if not (resume and (run.folder / LAST).is_file()):
        history.cut(run.folder, -1)
    write_json(path, facts)
    write_json(run.folder / "recipe.json", to_json(run.recipe))


def quiet() -> AbstractContextManager[None]:
    """Without Lightning's advice on workers and devices."""
    return warnings.catch_warnings(action="ignore")


def export_run(
    run: str | Path,
    folder: str | Path,
    *,
    name: str | None = None,
    checkpoint: Literal["best", "last"] = "best",
    data: str | Path | None = None,
    cache: str | Path | None = None,
    trust: bool = False,
) -> Model:
    """Write the model of a run's checkpoint; a few rows are encoded by torch and by the engine, and must agree.

    name: how the model is called; None: as its recipe.  data: where the run's data is now, if it has moved.  trust: as
    `reopen` takes it.

    Raises:
        ConfigError: there is no run or no such checkpoint, its data is gone or has changed, or `folder` is in use.
        ModelError: the engine's vectors are not torch's.
    """
    run = Path(run)
    folder = Path(folder)
    data = Path(data) if data is not None else None
    cache = Path(cache) if cache is not None else None
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ConfigError(f"{folder} is in use; give a folder that is empty, or that does not exist")
    opened = reopen(run, data=data, cache=cache, trust=trust)
    epoch = 0
    if opened.recipe.align is None:  # what is fitted whole has no checkpoint
        epoch = int(load(opened, run / f"{checkpoint}.ckpt")["epoch"])
    rows, monitor = opened.prepared.rows, opened.recipe.fit.monitor
    figures = {
        split: check(opened.network, opened.objective, rows[split], monitor) if len(rows[split]) > 1 else {}
        for split in ("val", "test")
    }
    outcome = Outcome(
        folder=run,
        model=folder,
        best_epoch=epoch,
        epochs=epoch + 1,
        queries=queries(opened),
        seconds=0.0,
        problems=len(opened.problems),
        **figures,
    )
    write_model(opened, folder, outcome, name)
    return Model.load(folder, trust=True)  # what this process has just written
