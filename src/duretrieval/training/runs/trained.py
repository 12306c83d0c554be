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
from dataclasses import asdict
from pathlib import Path
from typing import Any

from duretrieval import __version__, whole
from duretrieval.errors import ConfigError, DuretrievalError
from duretrieval.media.limits import Limits
from duretrieval.training.build.prepare import Progress
from duretrieval.training.data.divided import ids_of
from duretrieval.training.data.read import SPLITS
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit import history
from duretrieval.training.fit.checkpoints import stopped
from duretrieval.training.fit.loop import hush, trainer
from duretrieval.training.fit.tracking import close, loggers
from duretrieval.training.recipe.json import to_json
from duretrieval.training.recipe.parts import check_names
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.runs.folder import Outcome, described, facts, write_json
from duretrieval.training.runs.run import (
    BEST,
    LAST,
    Run,
    assemble,
    figures_of,
    load,
    queries,
    read,
    recall,
    training,
    write_model,
)

WHERE = ("accelerator", "devices", "workers")
"""What of `fit` says on which machine a run is made, and may change when it goes on."""


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
            recall(run)  # other devices are other processes
            best, epochs = load(run, folder / BEST), sum("check" in row for row in history.read(folder))
        figures = figures_of(run)
        if exporting and not (folder / "model" / "model.toml").is_file():
            write_model(run, folder / "model", best, figures)
    outcome = Outcome(
        folder=folder,
        model=folder / "model",
        best_epoch=best,
        epochs=epochs,
        queries={name: queries(run, name) for name in figures},
        seconds=round(time.monotonic() - start, 2),
        problems=write_problems(run),
        **figures,
    )
    write_json(folder / "result.json", {**asdict(outcome), "folder": None, "model": None})
    return outcome


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
    write_problems(run)
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


def write_problems(run: Run) -> int:
    """Rows that could not be used, with what was left out on the way; how many."""
    left_out = [f"{said} (left out in the middle of the run)" for said in run.prepared.left_out.reasons.values()]
    problems = [*run.problems, *left_out]
    whole.write(run.folder / "problems.txt", "".join(f"{problem}\n" for problem in problems))
    return len(problems)


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
