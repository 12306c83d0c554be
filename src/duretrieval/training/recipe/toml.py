"""A recipe from a TOML file: its tables, changes from the command line, and what they stand for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError
from duretrieval.training.recipe.films import usual
from duretrieval.training.recipe.offline import TABLE, replaced
from duretrieval.training.recipe.ready import locate
from duretrieval.training.recipe.recipe import Data, Encoding, Fit, Objective, Recipe, Relations, Use
from duretrieval.training.recipe.settings import QUOTES, as_table, build, check_keys, merge, parse
from duretrieval.types import Modality


def read_recipe(path: str | Path, changes: Sequence[str] = (), *, offline: bool = False) -> Recipe:
    """Read a recipe; changes: settings that replace its own, as on the command line: `fit.lr=1e-4`.

    offline: with its table [offline] in the place of what it takes from a hub.

    Raises:
        ConfigError: no such file, not TOML, or a setting that does not exist or has the wrong kind of value; offline,
            and something of a hub is left.
    """
    path = Path(path)
    table = read_table(path, changes, offline=offline)
    table.pop("tune", None)  # what `tune` searches, which `train` does not need
    return to_recipe(table, str(path))


def read_table(path: str | Path, changes: Sequence[str] = (), *, offline: bool = False) -> dict[str, Any]:
    """The tables of a recipe's file, or of a ready recipe by its bare name; changes, offline: as `read_recipe`.

    Raises:
        ConfigError: no such file, not TOML, or a change that is not KEY=VALUE; offline: as `offline.replaced`.
    """
    path = Path(path)
    table = tables(path)
    if offline:
        table = replaced(table, str(path))
    table.pop(TABLE, None)
    return merge(table, [parse(change) for change in changes])


def tables(path: Path) -> dict[str, Any]:
    """All that the file of a recipe says, as it stands there.

    Raises:
        ConfigError: no such file, or not TOML.
    """
    try:
        return tomllib.loads(locate(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}{QUOTES if 'key' in str(error) else ''}") from error


def to_recipe(table: Mapping[str, Any], where: str = "the recipe") -> Recipe:
    """A recipe from the tables of a TOML file.

    Raises:
        ConfigError: as `read_recipe`.
    """
    known = ("name", "dim", "seed", "views", "encoders", "heads", "align", "fusion", "score", "codes", "index")
    check_keys(table, (*known, "loss", "losses", "augment", "data", "fit", "teacher"), where)
    made: dict[str, Any] = {k: table[k] for k in ("name", "dim", "seed", "augment", "teacher") if k in table}
    if "views" in table:
        made["views"] = _views(table["views"], where)
    if "encoders" in table:
        made["encoders"] = _by_modality(table["encoders"], Encoding, f"{where}: [encoders]")
    if "heads" in table:
        made["heads"] = _by_modality(table["heads"], Use, f"{where}: [heads]")
    for key in ("align", "fusion", "score", "codes", "index"):
        if key in table:
            made[key] = _named(table[key], Use, f"{where}: [{key}]")
    given = [table[key] for key in ("losses", "loss") if key in table]
    losses = [loss for some in given for loss in (some if isinstance(some, list) else [some])]
    if losses:
        made["losses"] = tuple(_named(loss, Objective, f"{where}: [loss]") for loss in losses)
    if "data" in table:
        data = dict(as_table(table["data"], f"{where}: [data]"))
        if "relations" in data:
            named = {"file": data["relations"]} if isinstance(data["relations"], str) else data["relations"]
            data["relations"] = build(Relations, named, f"{where}: [data] relations")
        made["data"] = _with_options(data, Data, f"{where}: [data]")
    if "fit" in table:
        fit = dict(as_table(table["fit"], f"{where}: [fit]"))
        if "sampler" in fit:
            fit["sampler"] = _named(fit["sampler"], Use, f"{where}: [fit] sampler")
        made["fit"] = build(Fit, fit, f"{where}: [fit]")
    return build(Recipe, made, where)


def _views(value: Any, where: str) -> tuple[tuple[str, ...], ...]:
    """["text", ["image", "title"]] -> (("text",), ("image", "title"))."""
    views = [[view] if isinstance(view, str) else view for view in value] if isinstance(value, list | tuple) else [0]
    if not all(isinstance(view, list | tuple) and all(isinstance(name, str) for name in view) for view in views):
        raise ConfigError(f'{where}: views is {value!r}; it must be a list of lists, such as [["text"], ["image"]]')
    return tuple(tuple(view) for view in views)  # type: ignore[arg-type]


def _by_modality(table: Any, kind: type, where: str) -> dict[Modality, Any]:
    """{text: {...}, image: {...}}; a table with `use` is that of every modality that has none of its own.

    One that has another's where no table names it (`films.usual`) is left out.
    """
    table = as_table({"use": table} if isinstance(table, str) else table, where)
    names = [modality.value for modality in Modality]
    if "use" in table:
        common = {key: value for key, value in table.items() if key not in names}
        wanted = [name for name in names if name in table or usual(Modality(name)) == name]
        return {Modality(name): _named(table.get(name, common), kind, where) for name in wanted}
    check_keys(table, names, where)
    return {Modality(key): _named(value, kind, f"{where[:-1]}.{key}]") for key, value in table.items()}


def _named(table: Any, kind: Any, where: str) -> Any:
    """A part by its name, or by a table with `use`."""
    table = as_table({"use": table} if isinstance(table, str) else table, where)
    if "use" not in table:
        raise ConfigError(f"{where} does not say what to use; add a line such as: use = ...")
    return _with_options(table, kind, where)


def _with_options(table: Any, kind: Any, where: str) -> Any:
    """A dataclass with `options`: what is no field of it is one."""
    table, fields = as_table(table, where), set(kind.__dataclass_fields__)
    own = {key: value for key, value in table.items() if key in fields and key != "options"}
    options = {key: value for key, value in table.items() if key not in fields}
    options |= dict(as_table(table.get("options", {}), f"{where}: options"))
    return build(kind, {**own, "options": options}, where)
