"""Search for settings: many runs of one recipe, each with other values, judged by the validation metric.

[tune]
trials = 30
sampler = "tpe"                               # or random, grid

[tune.space]
"fit.lr" = { low = 1e-4, high = 1e-2, log = true }
"heads.hidden" = [256, 512, 1024]
"loss.use" = ["infonce", "hinge"]
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from random import Random
from typing import Any

import torch

from duretrieval import whole
from duretrieval.errors import ConfigError, Diverged, DuretrievalError
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit.checkpoints import AfterCheck
from duretrieval.training.recipe import settings
from duretrieval.training.recipe.json import to_json
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.recipe.toml import read_table, to_recipe
from duretrieval.training.runs.folder import Outcome, described
from duretrieval.training.runs.run import read
from duretrieval.training.runs.trained import train
from duretrieval.training.tuning.range import Range, read_range
from duretrieval.training.tuning.trial import Search, Trial

JOURNAL = "study.journal"


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a search came to."""

    folder: Path
    best: Trial
    trials: tuple[Trial, ...]
    report: Path
    model: Path


def read_search(
    path: str | Path, changes: Sequence[str] = (), *, offline: bool = False
) -> tuple[dict[str, Any], Search]:
    """A recipe's table without [tune], and what [tune] says; offline: as `read_recipe`.

    Raises:
        ConfigError: as `recipe.read_recipe`; or there is no [tune], or a range that cannot be searched.
    """
    path = Path(path)
    table = read_table(path, changes, offline=offline)
    tune = dict(settings.as_table(table.pop("tune", {}), f"{path}: [tune]"))
    listed = settings.as_table(tune.pop("space", {}), f"{path}: [tune.space]")
    space = {name: read_range(name, values) for name, values in listed.items()}
    to_recipe(table, str(path))
    return table, settings.build(Search, {**tune, "space": space}, f"{path}: [tune]")


def tune(
    table: Mapping[str, Any],
    search: Search,
    data: str | Path | Sequence[Sample],
    folder: str | Path,
    *,
    cache: str | Path | None = None,
    told: Callable[[Trial], None] | None = None,
) -> Tuned:
    """Run the search, or go on with the one in `folder`; then train the best settings and write the report.

    Raises:
        ConfigError: the folder holds a search of other settings, or no trial could be finished.
    """
    data = Path(data) if isinstance(data, str) else data
    folder = Path(folder)
    cache = Path(cache) if cache is not None else None
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("optuna").setLevel(logging.WARNING)
    recipe = to_recipe(table)
    if recipe.fit.devices > 1:
        raise ConfigError(
            f"fit.devices is {recipe.fit.devices}; a search tries its settings on one device. Set fit.devices = 1, and "
            "train with the best settings on more"
        )
    _with(table, _grid(search)[0])  # a setting that there is not is said before anything is written
    samples = read(recipe, data)[0]
    folder.mkdir(parents=True, exist_ok=True)
    study = _study(optuna, search, folder)
    while len(_finished(study)) < _wanted(search):
        study.sampler = _sampler(optuna, search, len(_finished(study)))
        if search.sampler == "grid":
            study.enqueue_trial(_next_point(search, study))
        trial = study.ask()
        chosen = {name: _suggest(trial, name, values) for name, values in search.space.items()}
        _try(optuna, study, trial, partial(_with, table, chosen), samples, folder, cache)
        if told:
            told(_told(study.trials[trial.number]))
    trials = tuple(_told(t) for t in study.trials if t.state.is_finished())
    for found in trials:
        _require_searched(search, found, folder)
    complete = [t for t in trials if t.state == "complete" and t.value is not None]
    if not complete:
        raise ConfigError(f"no trial of the search in {folder} could be finished; its trials/*/error.txt say why")
    best = max(complete, key=lambda t: t.value or 0.0)
    final = train_best(table, best, data, folder, cache)
    from duretrieval.training.tuning.report import write_report

    report = write_report(folder, search, trials, best, monitor=recipe.fit.monitor)
    return Tuned(folder, best, trials, report, final.model)


def train_best(
    table: Mapping[str, Any], best: Trial, data: Path | Sequence[Sample], folder: Path, cache: Path | None
) -> Outcome:
    """The run with the best settings, whole, in `folder`/best; that of what was best before more was tried goes."""
    recipe = _with(table, best.settings)
    place = folder / "best"
    known = (place / "recipe.json").is_file()
    if known and to_json(described(place)) != to_json(recipe):
        shutil.rmtree(place)
        known = False
    return train(recipe, data, place, resume=known, cache=cache)


def _require_searched(search: Search, trial: Trial, folder: Path) -> None:
    """The journal may be somebody else's: the settings that are trained again are those the search could have tried."""
    for name, value in trial.settings.items():
        if value not in search.space.get(name, ()):
            raise ConfigError(
                f"{folder / JOURNAL} says that trial {trial.number} tried {name} = {value!r}, which is outside "
                "[tune.space]: it was changed, or is of another search. Give another folder"
            )


def _with(table: Mapping[str, Any], chosen: Mapping[str, Any]) -> Recipe:
    return to_recipe(settings.merge(table, [(tuple(name.split(".")), value) for name, value in chosen.items()]))


def _study(optuna: Any, search: Search, folder: Path) -> Any:
    """The study in the folder; runs that were killed are marked as failed."""
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(
            str(folder / JOURNAL), lock_obj=optuna.storages.journal.JournalFileOpenLock(str(folder / JOURNAL))
        )
    )
    pruner = optuna.pruners.MedianPruner(n_startup_trials=4) if search.prune else optuna.pruners.NopPruner()
    study = optuna.create_study(
        study_name="tune",
        storage=storage,
        sampler=_sampler(optuna, search, 0),
        pruner=pruner,
        direction="maximize",
        load_if_exists=True,
    )
    space = {name: repr(values) for name, values in search.space.items()}
    known = study.user_attrs.get("space")
    if known is not None and known != space:
        raise ConfigError(f"{folder} holds a search of {', '.join(known)} in other ranges; give another folder")
    study.set_user_attr("space", space)
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        _without_states(_place(folder, trial.number))
        if search.sampler != "grid" and len(trial.params) == len(search.space):
            study.enqueue_trial(trial.params)  # what was cut off is tried again
    return study


def _sampler(optuna: Any, search: Search, number: int) -> Any:
    """What chooses the trial after `number` that are done: by seed and number alone, whatever was killed between."""
    samplers = optuna.samplers
    kind = samplers.TPESampler if search.sampler == "tpe" else samplers.RandomSampler
    return kind(seed=search.seed * 1_000_003 + number)


def _grid(search: Search) -> list[dict[str, Any]]:
    """As many points as there are to be trials, drawn by the seed, so that the first few are not all of one kind."""
    values = [v.points() if isinstance(v, Range) else list(v) for v in search.space.values()]
    total = prod(map(len, values))  # may be of any size: ten settings of five values have ten million points
    points = []
    for place in Random(search.seed).sample(range(total), min(total, search.trials)):
        point = {}
        for name, held in zip(search.space, values, strict=True):
            place, at = divmod(place, len(held))
            point[name] = held[at]
        points.append(point)
    return points


def _next_point(search: Search, study: Any) -> dict[str, Any]:
    """The first point of the grid that was not tried to its end."""
    tried = [t.params for t in _finished(study)]
    return next(point for point in _grid(search) if point not in tried)


def _wanted(search: Search) -> int:
    """Trials to finish: all points of a grid, if it has fewer."""
    return len(_grid(search)) if search.sampler == "grid" else search.trials


def _finished(study: Any) -> list[Any]:
    """Trials that need not be tried again: not those that were killed."""
    trials = study.get_trials(deepcopy=False)
    return [t for t in trials if t.state.name in ("COMPLETE", "PRUNED") or "error" in t.user_attrs]


def _suggest(trial: Any, name: str, values: Range | tuple[Any, ...]) -> Any:
    if not isinstance(values, Range):
        return trial.suggest_categorical(name, list(values))
    if values.whole:
        step = 1 if values.step is None else int(values.step)
        return trial.suggest_int(name, int(values.low), int(values.last), step=step, log=values.log)
    return trial.suggest_float(name, values.low, values.last, step=values.step, log=values.log)


def _try(
    optuna: Any,
    study: Any,
    trial: Any,
    recipe: Callable[[], Recipe],
    samples: Sequence[Sample],
    folder: Path,
    cache: Path | None,
) -> None:
    """One run; what stops it is written beside it, also where its settings do not go together."""
    place = _place(folder, trial.number)
    place.mkdir(parents=True, exist_ok=True)
    try:
        told = [AfterCheck(_judge(optuna, trial))]
        outcome = train(recipe(), samples, place, cache=cache, callbacks=told, exporting=False)
    except optuna.TrialPruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except (DuretrievalError, torch.OutOfMemoryError) as error:
        whole.write(place / "error.txt", f"{error}\n")
        trial.set_user_attr("error", str(error))
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        if trial.number == 0 and isinstance(error, ConfigError) and not isinstance(error, Diverged):
            raise  # most likely it is the recipe, and no trial would do better
    else:
        study.tell(trial, outcome.val["monitor"])
    _without_states(place)


def _place(folder: Path, number: int) -> Path:
    return folder / "trials" / f"{number:04d}"


def _without_states(place: Path) -> None:
    """Only the figures of a trial are needed; the best settings are trained once more."""
    whole.sweep(place)
    for file in place.glob("*.ckpt"):
        file.unlink()


def _judge(optuna: Any, trial: Any) -> Callable[[int, float], None]:
    """Reports each check to the search, which may say that it is enough."""

    def judge(epoch: int, value: float) -> None:
        trial.report(value, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    return judge


def _told(trial: Any) -> Trial:
    values = trial.intermediate_values
    value = trial.value if trial.value is not None else (values[max(values)] if values else None)
    return Trial(trial.number, dict(trial.params), trial.state.name.lower(), value, dict(values))
