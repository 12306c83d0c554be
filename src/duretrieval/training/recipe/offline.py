"""What a recipe takes from a hub, and what stands in its place where there is no internet.

[offline]                                     # --offline: each setting is replaced whole
"encoders.text" = { use = "builtin" }
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError
from duretrieval.training.recipe.settings import as_table, merge

TABLE = "offline"


def replaced(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The recipe's tables with [offline] in their place, and without that table.

    Raises:
        ConfigError: [offline] is no table, or something of a hub is left.
    """
    rest = {key: value for key, value in table.items() if key != TABLE}
    found = merge(rest, [(tuple(key.split(".")), value) for key, value in instead(table, where).items()])
    if left := hub_models(found):
        named = ", ".join(f"{model} (encoders.{place})" for place, model in left.items())
        raise ConfigError(
            f"{where} takes from a hub: {named}, and says nothing to use without; add a table [offline] with settings "
            'such as "encoders.text" = { use = "builtin" }, or give the folder of a copy as model'
        )
    return found


def instead(table: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Setting -> what [offline] puts there; empty where there is no such table."""
    return as_table(table.get(TABLE, {}), f"{where}: [{TABLE}]")


def hub_models(table: Mapping[str, Any]) -> dict[str, str]:
    """Place among [encoders] -> the id of a model that a hub has; a folder of this machine is none."""
    return dict(_named("", table.get("encoders", {})))


def _named(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        if key == "model" and isinstance(inner, str) and _is_id(inner):
            yield place or "all", inner
        elif key != "options":
            yield from _named(f"{place}.{key}" if place else key, inner)
        else:
            yield from _named(place, inner)


def _is_id(model: str) -> bool:
    """`organisation/name`, and nothing that lies here: files of word vectors have a suffix or exist."""
    return model.count("/") == 1 and not Path(model).expanduser().exists() and not model.startswith((".", "~", "/"))
