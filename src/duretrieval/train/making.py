"""Parts by name: what a recipe asks for, made with what the rest of the model already fixes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from duretrieval import plugins
from duretrieval.errors import ConfigError
from duretrieval.train.recipe import Recipe, Use


def make(kind: str, spec: Use, known: Mapping[str, Any], required: Mapping[str, Any] | None = None) -> Any:
    """The part of a kind that a recipe names, made with its options.

    known: what the model fixes (modality, dim_in, ...), given to parts whose constructor has a parameter of that name
    and to which the recipe gives none itself.  required: the same, for parameters that every such part must take.

    Raises:
        UnknownPart, MissingExtra: as `plugins.find`.
        ConfigError: an option that the part does not have, or one that it needs and has not got.
    """
    found = plugins.find(kind, spec.use)
    parameters = inspect.signature(found).parameters
    given = {key: value for key, value in known.items() if key in parameters}
    given |= {**(required or {}), **spec.options}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for option in given:
        if option not in parameters and not takes_any:
            names = [name for name, p in parameters.items() if p.kind is not p.VAR_POSITIONAL and name not in known]
            raise ConfigError(
                f"{spec.use!r} has no option {option!r}.{plugins.suggest(option, names)} "
                f"It has: {', '.join(names) or 'none'}"
            )
    for name, p in parameters.items():
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and name not in given:
            raise ConfigError(f"{spec.use!r} needs the option {name!r}; add a line such as: {name} = ...")
    return found(**given)


def check_names(recipe: Recipe) -> None:
    """Find every part that a recipe names, before anything is computed.

    Raises:
        UnknownPart, MissingExtra, ConfigError: as `plugins.find`.
    """
    wanted = [("train.encoders", encoding.use) for encoding in recipe.encoders.values()]
    wanted += [("train.heads", head.use) for head in recipe.heads.values()]
    wanted += [("train.losses", loss.use) for loss in recipe.losses]
    single = {"train.fusions": recipe.fusion, "train.scores": recipe.score, "aligners": recipe.align}
    wanted += [(kind, part.use) for kind, part in single.items() if part]
    wanted.append(("train.samplers", recipe.fit.sampler.use))
    for kind, name in wanted:
        plugins.find(kind, name)
