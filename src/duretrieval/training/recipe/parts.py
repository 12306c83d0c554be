"""Parts by name: what a recipe asks for, made with what the rest of the model already fixes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, get_type_hints

from duretrieval import plugins
from duretrieval.errors import ConfigError, MissingExtra
from duretrieval.training import parts
from duretrieval.training.augment.composed import compose
from duretrieval.training.recipe.monitor import sign
from duretrieval.training.recipe.recipe import Recipe, Use
from duretrieval.training.recipe.settings import fitting, is_plain


def make(kind: str, spec: Use, known: Mapping[str, Any], required: Mapping[str, Any] | None = None) -> Any:
    """The part of a kind that a recipe names, made with its options.

    known: what the model fixes (modality, dim_in, ...), given to parts whose constructor has a parameter of that name
    and to which the recipe gives none itself.  required: the same, for parameters that every such part must take.

    Raises:
        UnknownPart, MissingExtra: as `parts.find`.
        ConfigError: an option that the part does not have, one that it needs and has not got, or one of another kind.
    """
    found = parts.find(kind, spec.use)
    if not callable(found):
        raise ConfigError(f"{spec.use!r} is {found!r}, which makes nothing; name a class or a function")
    return found(**arguments(found, spec, known, required))


def arguments(
    found: Any, spec: Use, known: Mapping[str, Any], required: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What `make` calls the part with.

    Raises:
        ConfigError: as `make`.
    """
    parameters = inspect.signature(found).parameters
    given = {key: value for key, value in known.items() if key in parameters}
    given |= {**(required or {}), **_fitted(found, spec)}
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
    return given


def _fitted(found: Any, spec: Use) -> dict[str, Any]:
    """The recipe's options; what is wanted as a number, a string or a choice must be one."""
    try:
        hints = get_type_hints(found.__init__ if isinstance(found, type) else found)  # type: ignore[misc]
    except (NameError, TypeError):  # someone else's part, with types that are known to its type checker alone
        hints = {}
    return {
        name: fitting(value, hints[name], f"{spec.use!r}: {name}") if _checked(value, hints.get(name)) else value
        for name, value in spec.options.items()
    }


def _checked(value: Any, hint: Any) -> bool:
    return hint is not None and is_plain(hint) and isinstance(value, str | int | float | list | tuple | Mapping)


def check_names(recipe: Recipe) -> None:
    """Find every part, metric and augmentation that a recipe names, before anything is computed.

    Raises:
        UnknownPart, MissingExtra, ConfigError: as `parts.find`; or there is no such metric or augmentation.
    """
    wanted = [("train.encoders", encoding.use) for encoding in recipe.encoders.values()]
    wanted += [("train.heads", head.use) for head in recipe.heads.values()]
    wanted += [("train.losses", loss.use) for loss in recipe.losses]
    single = {"train.fusions": recipe.fusion, "train.scores": recipe.score, "aligners": recipe.align}
    wanted += [(kind, part.use) for kind, part in single.items() if part]
    wanted.append(("train.samplers", recipe.fit.sampler.use))
    for kind, name in wanted:
        parts.find(kind, name)
    sign(recipe.fit.monitor)
    if recipe.augment:
        compose(recipe.augment)
    if recipe.align is not None and hasattr(found := parts.find("aligners", recipe.align.use), "fit"):
        _fitted(found.fit, recipe.align)
    if recipe.codes is not None:
        _check_codes(recipe.codes, recipe.dim)
    if recipe.index is not None:
        with suppress(MissingExtra):  # it is needed where the model is searched, and said there
            arguments(parts.find("indexes", recipe.index.use), recipe.index, {}, {"dim": recipe.dim})


def _check_codes(spec: Use, dim: int) -> None:
    """What would else be found out when the trained model is exported."""
    found = parts.find("aligners", spec.use)
    if spec.use != "itq":
        raise ConfigError(f"[codes] fits codes to vectors; use itq, not {spec.use!r}")
    bits = arguments(found.fit, spec, {}, {"x": None})["bits"]
    if not 1 <= bits <= dim:
        raise ConfigError(f"[codes] has bits = {bits}; a code of vectors of {dim} dimensions has 1 to {dim} bits")
