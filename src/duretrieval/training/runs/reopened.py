"""A run in its folder, opened again, and its model written once more."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from duretrieval import plugins
from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.parts import check_names
from duretrieval.training.runs.folder import described, facts
from duretrieval.training.runs.run import Run, assemble, figures_of, load, read, recall, write_model


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
    recall(run)
    return run


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
