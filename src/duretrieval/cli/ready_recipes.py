"""What a person is told of the recipes that come with the package: what they need, reached, and have in its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from duretrieval.cli.terminal import err, out
from duretrieval.errors import ModelError

if TYPE_CHECKING:
    from duretrieval.training.recipe.ready import Ready


def listed(recipe: Ready) -> None:
    """Its name and what it is, and a line each of its rows, what it takes from a hub, what stands in, its figures."""
    out.print(f"{recipe.name}  {recipe.about}")
    known = listed_dict(recipe)
    hub = ", ".join(f"{model} ({place})" for place, model in known["hub"].items())
    lines = {
        "rows": recipe.rows,
        "hub": hub or "nothing: it runs without internet as it is",
        "--offline": "; ".join(said(recipe.path)) or "changes nothing",
        "reached": recipe.reached or "not measured yet",
    }
    for name, line in lines.items():
        out.print(f"    {name:<9}  {line}")
    out.print()


def listed_dict(recipe: Ready) -> dict[str, Any]:
    """A recipe as plain values; hub: place among the encoders -> the id of a model; offline: setting -> its value."""
    from duretrieval.training.recipe.offline import hub_models, instead
    from duretrieval.training.recipe.toml import tables

    table = tables(recipe.path)
    known = {"name": recipe.name, "about": recipe.about, "path": str(recipe.path), "rows": recipe.rows}
    offline = dict(instead(table, recipe.name))
    return {**known, "hub": hub_models(table), "offline": offline, "reached": recipe.reached or None}


def say_offline(recipe: Path) -> None:
    """What [offline] has put in the place of what."""
    changes = said(recipe)
    err.print(f"offline: {'; '.join(changes)}" if changes else "offline: the recipe takes nothing from a hub")


def said(recipe: Path) -> list[str]:
    """["encoders.text is builtin in the place of transformer (google-bert/bert-base-uncased)"]."""
    from duretrieval.training.recipe.offline import instead
    from duretrieval.training.recipe.toml import tables

    table = tables(recipe)
    found = []
    for setting, value in instead(table, str(recipe)).items():
        was: Any = table
        for key in setting.split("."):
            was = was.get(key, {}) if isinstance(was, dict) else {}
        found.append(f"{setting} is {_short(value)} in the place of {_short(was)}")
    return found


def _short(value: Any) -> str:
    """What is used, and whose weights; another value as it is."""
    if not isinstance(value, dict) or "use" not in value:
        return repr(value) if value else "nothing"
    which = value.get("model", "weights drawn, not learned before" if "config" in value else "")
    return f"{value['use']} ({which})" if which else str(value["use"])


@contextmanager
def online(recipe: Path, offline: bool) -> Iterator[None]:
    """A model that no hub gave: the way without one is named, where the recipe has one and it was not taken.

    Raises:
        ModelError: as within, with that said.
    """
    try:
        yield
    except ModelError as error:
        from duretrieval.training.recipe.offline import hub_models
        from duretrieval.training.recipe.toml import tables

        asked = any(model in str(error) for model in hub_models(tables(recipe)).values())
        if offline or not asked or not (changes := said(recipe)):
            raise
        raise ModelError(f"{error}\nOr train without: --offline ({'; '.join(changes)})") from error
