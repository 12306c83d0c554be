"""The front door of training: a recipe and data in, a run folder with a model in it out.

RUN/recipe.json     the recipe as it was, every default written out
    run.json        the data, its digest and split sizes, the version
    splits.json     the ids of the rows of each split
    last.ckpt       where it stopped (every check writes it anew)
    best.ckpt       the best check so far
    history.jsonl   every step's loss, every check's figures
    problems.txt    rows that could not be used, and those that were left out on the way
    result.json     figures of the best model on validation and test rows, once it is done
    model/          that model, for the engine
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import shorten
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
from duretrieval.training.build.prepare import Prepared, Progress, prepare
from duretrieval.training.data.divided import ids_of
from duretrieval.training.data.opening import read_data, with_relations
from duretrieval.training.data.read import SPLITS, Read
from duretrieval.training.data.sample import Sample
from duretrieval.training.export.model import export
from duretrieval.training.fit import history
from duretrieval.training.fit.checkpoints import run_state, stopped
from duretrieval.training.fit.loop import Training, hush, trainer
from duretrieval.training.fit.preflight import check_learnable, check_measurable
from duretrieval.training.fit.tracking import close, loggers
from duretrieval.training.fit.validation import asked, check
from duretrieval.training.recipe.json import to_json
from duretrieval.training.recipe.parts import check_names
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.runs.folder import Outcome, described, facts, write_json

LAST, BEST = "last.ckpt", "best.ckpt"
WHERE = ("accelerator", "devices", "workers")
"""What of `fit` says on which machine a run is made, and may change when it goes on."""


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
    tell: Callable[[str], None] | None = None,
) -> Outcome:
    """Train, keep the best check, measure it on the test rows, and export it to `folder`/model.

    data: what the recipe's reader reads, or samples.  resume: go on with the run in `folder` where it was stopped,
    to the same result.  track: "tensorboard", "wandb" (offline unless its own settings say otherwise).  cache: as
    `prepare` takes it.  bar: draw the steps on the terminal.  callbacks: further ones of Lightning's.  exporting: write
    the model.  tell: told of each file that cannot be read any more and is left out for the rest of the run; None: the
    log is.

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
    run = assemble(recipe, read(recipe, data), folder, limits=limits, cache=cache, progress=progress, tell=tell)
    with closing(run.prepared.decoders):
        begin(run, data, resume)
        best, epochs = 0, 0
        if recipe.align is None:  # what is fitted whole takes no steps
            with _nothing_lost(folder):
                take_steps(run, resume=resume, track=track, bar=bar, callbacks=callbacks)
            _recall(run)  # other devices are other processes
            best, epochs = load(run, folder / BEST), sum("check" in row for row in history.read(folder))
        figures = figures_of(run)
        if exporting and not (folder / "model" / "model.toml").is_file():
            write_model(run, folder / "model", best, figures)
    outcome = Outcome(
        folder=folder,
        model=folder / "model",
        best_epoch=best,
        epochs=epochs,
        queries={name: _queries(run, name) for name in figures},
        seconds=round(time.monotonic() - start, 2),
        problems=_write_problems(run),
        **figures,
    )
    write_json(folder / "result.json", {**asdict(outcome), "folder": None, "model": None})
    return outcome


def _recall(run: Run) -> None:
    """What the run had left out when it last wrote a checkpoint."""
    if (run.folder / LAST).is_file():
        run.prepared.left_out.recall(run_state(run.folder / LAST))


def _write_problems(run: Run) -> int:
    """Rows that could not be used, with what was left out on the way; how many."""
    left_out = [f"{said} (left out in the middle of the run)" for said in run.prepared.left_out.reasons.values()]
    problems = [*run.problems, *left_out]
    whole.write(run.folder / "problems.txt", "".join(f"{problem}\n" for problem in problems))
    return len(problems)


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


def take_steps(
    run: Run, *, resume: bool = False, track: Iterable[str] = (), bar: bool = False, callbacks: Sequence[Any] = ()
) -> None:
    """The steps of a run, from the beginning or from its last checkpoint; none where it had stopped early."""
    fit, last = run.recipe.fit, run.folder / LAST
    going_on = resume and last.is_file()
    if going_on and stopped(last, fit.patience):
        return
    hush()
    module, watchers = training(run), loggers(track, run.folder, run.recipe)
    try:
        driver = trainer(fit, module.order.epochs(fit.epochs), run.folder, watchers, progress=bar, callbacks=callbacks)
        with warnings.catch_warnings(action="ignore"):  # Lightning's advice on workers and devices
            driver.fit(module, ckpt_path=str(last) if going_on else None, weights_only=True)
    finally:
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


def figures_of(run: Run) -> dict[str, dict[str, float]]:
    """val, test -> every figure of the run's modules as they are; {} where there are not two rows."""
    rows, monitor = run.prepared.rows, run.recipe.fit.monitor
    return {
        name: check(run.network, run.objective, rows[name], monitor) if len(rows[name]) > 1 else {}
        for name in ("val", "test")
    }


def _queries(run: Run, split: str) -> dict[str, int]:
    """Direction -> rows of a split that ask in it."""
    network = run.network
    return asked(run.prepared.rows[split], {**network.views, **network.alone}, network.directions)


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
    recipe, known = described(folder), facts(folder)
    check_names(recipe)
    source = data if data is not None else (Path(known["data"]) if known["data"] else None)
    if source is None or (isinstance(source, Path) and not source.exists()):
        raise ConfigError(f"the data of the run in {folder} is not at {known['data'] or 'any path'}; say where it is")
    run = assemble(recipe, read(recipe, source), folder, cache=cache)
    if run.prepared.digest != known["digest"]:
        raise ConfigError(f"the data of the run in {folder} has changed since; train again, or give the data it had")
    _recall(run)
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
    known, given = ({**made, "fit": _anywhere(made["fit"])} for made in (to_json(described(folder)), to_json(recipe)))
    if known != given:
        different = [key for key in given if given[key] != known[key]]
        raise ConfigError(
            f"the run in {folder} is of another recipe: {', '.join(different)} differ. Go on with the recipe it has, "
            "or give another folder"
        )


def _anywhere(fit: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fit.items() if name not in WHERE}


@contextmanager
def _nothing_lost(folder: Path) -> Iterator[None]:
    """A recipe that proves impossible before its first check leaves the folder free for a better one."""
    try:
        yield
    except DuretrievalError:
        if not (folder / LAST).is_file():
            (folder / "recipe.json").unlink(missing_ok=True)
        raise


def begin(run: Run, data: Path | Sequence[Sample], resume: bool) -> None:
    """Write down what a run is of, before its first step.

    Raises:
        ConfigError: a run that is to go on had other data.
    """
    path = run.folder / "run.json"
    if resume and path.is_file() and facts(run.folder)["digest"] != run.prepared.digest:
        raise ConfigError(f"the data of the run in {run.folder} has changed since; give another folder to train anew")
    run.folder.mkdir(parents=True, exist_ok=True)
    whole.sweep(run.folder)
    _write_problems(run)
    if not (resume and (run.folder / LAST).is_file()):
        history.cut(run.folder, -1)
    known = {
        "data": str(data.absolute()) if isinstance(data, Path) else None,
        "digest": run.prepared.digest,
        "rows": {name: len(run.prepared.rows[name]) for name in SPLITS},
        "duretrieval": __version__,
    }
    write_json(path, known)
    write_json(run.folder / "splits.json", ids_of(run.prepared.samples))
    write_json(run.folder / "recipe.json", to_json(run.recipe))


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
    unused(folder)
    opened = reopen(run, data=data, cache=cache, trust=trust)
    with closing(opened.prepared.decoders):
        # what is fitted whole has no checkpoint
        epoch = 0 if opened.recipe.align else load(opened, run / f"{checkpoint}.ckpt")
        return write_model(opened, folder, epoch, figures_of(opened), name)


def unused(folder: Path) -> Path:
    """The folder, if a model may go there.

    Raises:
        ConfigError: it is in use.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ConfigError(f"{folder} is in use; give a folder that is empty, or that does not exist")
    return folder
