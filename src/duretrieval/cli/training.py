"""`train`, `check`, `tune`, `export`, `recipes`: models of one's own. Torch is imported inside the commands alone."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from duretrieval.cli.columns import Columns, setting
from duretrieval.cli.options import Json, Trust, trusting
from duretrieval.cli.output import print_json
from duretrieval.cli.ready_recipes import online, say_offline
from duretrieval.cli.terminal import err, out
from duretrieval.cli.training_progress import Stages, interruptible, workbench
from duretrieval.errors import ConfigError

Recipe = Annotated[Path, typer.Argument(help="A TOML file, or the name of a ready recipe (`duretrieval recipes`).")]
DataPath = Annotated[Path, typer.Option("--data", help="The rows: a manifest, or what the recipe's reader reads.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting: fit.lr=1e-4; KEY= drops it."),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Take what the recipe's table [offline] names in the place of a hub's models.")
]
Cache = Annotated[
    Path | None, typer.Option(help="Where rows of frozen encoders are kept. Default: the user's cache folder.")
]


class Tracker(StrEnum):
    """Where a run can be watched."""

    tensorboard = "tensorboard"
    wandb = "wandb"


class Layout(StrEnum):
    """Whose folder a run's model becomes."""

    sentence_transformers = "sentence-transformers"
    transformers = "transformers"


class Checkpoint(StrEnum):
    """Which state of a run."""

    best = "best"
    last = "last"


def train(
    recipe: Recipe,
    data: DataPath,
    out_: Annotated[Path | None, typer.Option("--out", help="The run's folder. Default: runs/NAME.")] = None,
    set_: Set = None,
    column: Columns = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out where it stopped.")] = False,
    track: Annotated[list[Tracker] | None, typer.Option(help="Where to watch it; again for both.")] = None,
    cache: Cache = None,
    trust: Trust = False,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Train a model of your own, from a recipe and data. It ends in figures and a model folder to index with."""
    from duretrieval.cli import training_tables as tables

    with workbench():
        from duretrieval.training.fit.checkpoints import AfterCheck
        from duretrieval.training.recipe.toml import read_recipe
        from duretrieval.training.runs.trained import train as train_model

    read = read_recipe(recipe, [*(set_ or []), *setting(column)], offline=offline)
    if offline:
        say_offline(recipe)
    folder = out_ or Path("runs") / read.name
    with (
        online(recipe, offline),
        trusting(trust),
        Stages() as stages,
        redirect_stdout(stages),
        interruptible("--resume"),
    ):
        outcome = train_model(
            read,
            data,
            folder,
            resume=resume,
            track=[tracker.value for tracker in track or []],
            cache=cache,
            progress=stages.show,
            bar=err.is_terminal,
            callbacks=[] if err.is_terminal else [AfterCheck(stages.check(read.fit.monitor))],
            tell=err.print,
        )
    if json:
        print_json([tables.outcome_dict(outcome)])
        return
    tables.figures(outcome)
    if outcome.problems:
        out.print(f"{outcome.problems} rows could not be used, or not wholly: {folder / 'problems.txt'}")
    kept = f"; the best of {outcome.epochs} checks is number {outcome.best_epoch + 1}" if outcome.epochs else ""
    out.print(f"{outcome.seconds:.0f} s{kept}. Model: {outcome.model}")
    _next(outcome.model)


def check(
    data: Annotated[Path, typer.Argument(help="The rows: a manifest, or what the reader reads.")],
    reader: Annotated[str | None, typer.Option(help="How they are read. Default: the recipe's, or manifest.")] = None,
    recipe: Annotated[Path | None, typer.Option(help="Check them for this recipe: its columns, its shares.")] = None,
    set_: Set = None,
    column: Columns = None,
    json: Json = False,
) -> None:
    """Check training data before a run. Exit code 1 when there are rows that cannot be used, or leaks."""
    from duretrieval.cli import training_tables as tables

    with workbench():
        from duretrieval.training.data.auditing import audit
        from duretrieval.training.recipe.settings import merge, parse
        from duretrieval.training.recipe.toml import read_recipe, to_recipe

    changes = [*(set_ or []), *setting(column)]
    read = read_recipe(recipe, changes) if recipe else to_recipe(merge({}, [parse(change) for change in changes]))
    settings = replace(read.data, reader=reader) if reader else read.data
    with Stages() as stages:
        found = audit(data, settings, read.seed, stages.show)
    if recipe:
        with workbench():
            from duretrieval.training.recipe.recipe import with_views
        with_views(read, {name: modality for name, (modality, _) in found.columns.items()})
    if json:
        print_json(tables.audit_rows(found))
    else:
        tables.audit(found)
    if found.problems or found.leaks:
        raise typer.Exit(1)


def tune(
    recipe: Recipe,
    data: DataPath,
    out_: Annotated[Path, typer.Option("--out", help="The search's folder; the same one goes on with it.")],
    trials: Annotated[int | None, typer.Option(min=1, help="How many runs. Default: the recipe's.")] = None,
    set_: Set = None,
    column: Columns = None,
    cache: Cache = None,
    trust: Trust = False,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Search for the best settings of a recipe. Its table "tune" names them; the best are trained."""
    from duretrieval.cli import training_tables as tables

    with workbench():
        from duretrieval.training.recipe.toml import to_recipe
        from duretrieval.training.tuning import search
        from duretrieval.training.tuning.trial import Trial

    changes = [*(set_ or []), *setting(column), *([f"tune.trials={trials}"] if trials else [])]
    table, wanted = search.read_search(recipe, changes, offline=offline)
    if offline:
        say_offline(recipe)
    monitor = to_recipe(table).fit.monitor

    def told(trial: Trial) -> None:
        if json:
            print_json([tables.trial_dict(trial)])
        else:
            out.print(tables.trial_line(trial, monitor))

    with trusting(trust), interruptible():
        tuned = search.tune(table, wanted, data, out_, cache=cache, told=told)
    if json:
        print_json([tables.tuned_dict(tuned)])
        return
    out.print()
    out.print(f"Best: {tables.trial_line(tuned.best, monitor)}")
    settings = [text for name, value in tuned.best.settings.items() for text in ("--set", f"{name}={value}")]
    way = ["--offline"] if offline else []
    again = shlex.join(["duretrieval", "train", str(recipe), "--data", str(data), *way, *settings])
    out.print(f"The same again: {again}")
    out.print(f"Report: {tuned.report}")
    out.print(f"Model: {tuned.model}")
    _next(tuned.model)


def export(
    what: Annotated[str, typer.Argument(help="The folder of a run; or a model by its name, as clip:ID.")],
    folder: Annotated[Path, typer.Argument(help="Where the model goes: a folder that does not exist yet.")],
    name: Annotated[
        str | None, typer.Option(help="How the model is called. Default: as its recipe, or its ID.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Of a named model's weights, as MIT. Default: see its card.")
    ] = None,
    checkpoint: Annotated[
        Checkpoint | None, typer.Option(help="The best check of the run, or its last. Default: best.")
    ] = None,
    others: Annotated[
        list[Path] | None,
        typer.Option("--with", help="A further run of the same recipe with another seed; their heads are averaged."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="The run's data, if it has moved.")] = None,
    as_: Annotated[
        Layout | None,
        typer.Option("--as", help="Back to a library of the hub, for a run. Default: the engine's folder."),
    ] = None,
    only: Annotated[str | None, typer.Option(metavar="MODALITY", help="With --as: one modality of the run.")] = None,
    cache: Cache = None,
    trust: Trust = False,
) -> None:
    """Write the model of a run, or a pretrained one, as a folder. The engine runs it without torch."""
    from duretrieval.model.model import Model, is_hub_name

    if is_hub_name(what):
        given: dict[str, object] = {"--checkpoint": checkpoint, "--with": others, "--data": data, "--as": as_}
        given |= {"--only": only, "--cache": cache, "--trust": trust or None}
        _refuse(given, f"is for the folder of a run, and {what} is the name of a model")
        with workbench():
            from duretrieval.training.joint.folder import UNSTATED, export_joint

        export_joint(what, folder, name=name, licence=licence or UNSTATED)
        model = Model.load(folder)
    else:
        _refuse({"--licence": licence}, f"is for the name of a model (clip:ID), and {what} is the folder of a run")
        if others:
            _refuse({"--checkpoint": checkpoint}, "is for one run, and of several the best checks are averaged")
            _refuse({"--as": as_}, "is for one run, and the average of several is a model of the engine")
        if as_ is not None:
            state = checkpoint or Checkpoint.best
            _export_hub(
                as_, Path(what), folder, only, name=name, checkpoint=state.value, data=data, cache=cache, trust=trust
            )
            return
        _refuse({"--only": only}, "is for --as, which writes one modality of a run")
        with workbench():
            from duretrieval.training.runs.averaged import export_averaged
            from duretrieval.training.runs.reopened import export_run

        with trusting(trust):
            if others:
                model = export_averaged([what, *others], folder, name=name, data=data, cache=cache)
            else:
                state = checkpoint or Checkpoint.best
                model = export_run(Path(what), folder, name=name, checkpoint=state.value, data=data, cache=cache)
    said = ", ".join(sorted(model.modalities))
    out.print(f"Model {model.name!r} ({said}; {model.dim} dimensions): {folder}")
    _next(folder)


def _export_hub(layout: Layout, run: Path, folder: Path, only: str | None, *, trust: bool, **options: Any) -> None:
    with workbench():
        from duretrieval.training.runs.hub import export_hub

    with trusting(trust):
        found = export_hub(run, folder, layout.value, only=only, trust=trust, **options)
    said = ", ".join(f"{m} to {difference:.0e}" for m, difference in found.differences.items())
    out.print(f"A folder of {layout} ({', '.join(found.modalities)}; {found.dim} dimensions): {folder}")
    out.print(f"Opened by {layout}, its vectors of a few training rows are the run's ({said}).")
    if found.opens is not None:
        _next(found.opens)


def _refuse(given: Mapping[str, object], why: str) -> None:
    """Options that do not belong to what is exported.

    Raises:
        ConfigError: one of them was given.
    """
    for option in (option for option, value in given.items() if value is not None):
        raise ConfigError(f"{option} {why}; leave it out")


def recipes(json: Json = False) -> None:
    """List the recipes that come with the package: what each needs, and what it reached. Each works by its name."""
    from duretrieval.cli.ready_recipes import listed, listed_dict
    from duretrieval.training.recipe.ready import ready

    found = ready()
    if json:
        print_json(listed_dict(r) for r in found)
        return
    for r in found:
        listed(r)
    out.print(f"Files to copy and change: {found[0].path.parent}")


def _next(model: Path | str) -> None:
    out.print(f"Next: duretrieval index FOLDER --model {shlex.quote(str(model))}")
