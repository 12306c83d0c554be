"""The model in a collection's record: how it is written down, and how it is found again.

The record may be somebody else's: it names a place and a fingerprint. What is at the place is opened only if it has the
fingerprint, nothing is fetched, and no place on the network is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from duretrieval import builtin, plugins
from duretrieval.errors import ModelError, ModelMismatch
from duretrieval.model.card import fingerprint
from duretrieval.model.cutting import cut_fingerprint
from duretrieval.model.model import Model, is_hub_name


def metadata(model: Model, path: str | Path) -> dict[str, str]:
    """What the record of the collection at `path` says of its model."""
    cut = {"cut": str(model.dim)} if model.is_cut else {}
    return {"format": "1", "model": _written(model, path), "fingerprint": model.fingerprint, **cut}


def cut_of(known: Mapping[str, str]) -> int | None:
    """To how many dimensions a record says that its model is cut; None: it is not.

    Raises:
        ModelError: it says something else.
    """
    said = known.get("cut")
    if said is not None and not said.isdecimal():
        raise ModelError(f"the record of the collection says that its model is cut to {said!r}, which is no number")
    return None if said is None else int(said)


def name_of(model: Model) -> str:
    """What to give `Model.load` to get this model again."""
    if model.folder is None:
        return model.name  # made in Python: it has to be passed to `open` each time
    return "builtin" if model.folder == builtin.FOLDER else str(model.folder.absolute())


def place(name: str, path: str | Path) -> str:
    """The name in the record of the collection at `path`, with the whole path where it is one."""
    if name == "builtin" or "://" in str(path) or is_hub_name(name) or _is_remote(name) or Path(name).is_absolute():
        return name
    there = Path(os.path.normpath(Path(path).resolve() / name))
    return str(there) if there.exists() else name


def reopen(known: Mapping[str, str], path: str | Path, *, trust: bool = False) -> Model:
    """The model that the record of the collection at `path` names.

    Raises:
        ModelError: it is not there, or lies on the network.
        ModelMismatch: what is there is another model.
    """
    if _is_remote(known["model"]):
        raise ModelError(
            f"the collection at {path} names {known['model']!r} as its model, a place on the network that only you can "
            "say to look at. Copy the model here, and name it with --model FOLDER"
        )
    name = place(known["model"], path)
    with plugins.stored(f"the collection at {path}"):
        if name != "builtin" and not is_hub_name(name):
            _require(Path(name), known, path)
        model = Model.load(name, dim=cut_of(known), trust=trust)
    require(model.fingerprint, name, known, path)
    return model


def opened(
    model: str | Path | Model, dim: int | None, known: Mapping[str, str] | None = None, *, trust: bool = False
) -> Model:
    """A model that the caller names, cut to `dim`; None: as in a record of the same model, where there is one.

    Raises:
        ModelError: as `Model.load` and `Model.cut`.
    """
    whole = model if isinstance(model, Model) else Model.load(model, trust=trust)
    if dim is None and known is not None:
        cut = cut_of(known)
        if cut is not None and cut_fingerprint(whole.fingerprint, cut) == known["fingerprint"]:
            dim = cut
    return whole if dim is None else whole.cut(dim)


def require_dim(dim: int | None, model: Model, path: str | Path) -> None:
    """Raises ModelMismatch unless the recorded model of the collection at `path` has so many dimensions; None: any."""
    if dim not in (None, model.dim):
        raise ModelMismatch(
            f"the collection at {path} has vectors of {model.dim} dimensions, not {dim}; encode it again with: "
            f"duretrieval migrate -c {quote(str(path))} --model {quote(name_of(model))} --dim {dim}"
        )


def require(found: str, name: str, known: Mapping[str, str], path: str | Path) -> None:
    """Raises ModelMismatch unless a model, called `name`, has the fingerprint in the record."""
    if found != known["fingerprint"]:
        raise ModelMismatch(
            f"the collection at {path} was made with model {place(known['model'], path)}{_cut(known)} "
            f"({known['fingerprint']}), not with {name} ({found}); their vectors cannot be compared. Open it with the "
            f"first (--model), or encode it again with: duretrieval migrate -c {quote(str(path))} --model {quote(name)}"
        )


def _require(folder: Path, known: Mapping[str, str], path: str | Path) -> None:
    """Before anything of a model folder is used: it is there, and has the fingerprint."""
    if not (folder / "model.toml").is_file():
        raise ModelError(
            f"the model of the collection at {path} is not at {folder}: there is no model.toml in it. Say where it is "
            f"with --model FOLDER (its fingerprint is {known['fingerprint']})"
        )
    cut, found = cut_of(known), fingerprint(folder)
    require(found if cut is None else cut_fingerprint(found, cut), str(folder), known, path)


def _cut(known: Mapping[str, str]) -> str:
    cut = cut_of(known)
    return "" if cut is None else f" cut to {cut} dimensions"


def _written(model: Model, path: str | Path) -> str:
    """The model's name; a folder within the folder that the collection lies in from there, so that both may move."""
    name = name_of(model)
    if model.folder is None or name == "builtin" or "://" in str(path):
        return name
    folder, here = model.folder.resolve(), Path(path).resolve()
    return Path(os.path.relpath(folder, here)).as_posix() if folder.is_relative_to(here.parent) else name


def _is_remote(name: str) -> bool:
    """Whether a stored name leads to another machine: an address, or a share of Windows, of a hub's kind or not."""
    where = name.partition(":")[2] if is_hub_name(name) else name
    return "://" in name or where.startswith(("//", "\\\\"))
