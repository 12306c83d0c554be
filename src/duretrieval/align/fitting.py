"""An aligner by its name, fitted: what a recipe or a command line asks for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from duretrieval import plugins
from duretrieval.align.pairs import Rows
from duretrieval.errors import ConfigError
from duretrieval.protocols import Aligner


def fit_aligner(
    name: str,
    x: Rows,
    y: Rows,
    *,
    table: plugins.Table = plugins.BUILT_IN,
    progress: Callable[[str, int, int], None] | None = None,
    **options: Any,
) -> Aligner:
    """Fit the aligner called `name` to pairs: x (n, d_in) to be carried to y (n, dim).

    table: where it is looked up; the workbench has its own.  progress: told what is done, how much of it, and of how
    much, by those whose `fit` takes long.
    options: those of its `fit`, such as `penalty` of ridge; `cca` needs `x_modalities`, `y_modalities` and `dim`.

    Raises:
        UnknownPart, MissingExtra: as `plugins.find`.
        ConfigError: the aligner is not fitted to pairs, an option is unknown or missing; or as its `fit`.
        ShapeError: as its `fit`.
    """
    fit = getattr(plugins.find("aligners", name, table), "fit", None)
    parameters = {} if fit is None else inspect.signature(fit).parameters
    if fit is None or not {"x", "y"} <= set(parameters):
        raise ConfigError(f"the aligner {name!r} is not fitted to pairs; choose ridge, procrustes, cca or adversarial")
    known = [key for key in parameters if key not in ("x", "y", "settings", "progress")]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for key in options:
        if key not in known and not takes_any:
            raise ConfigError(
                f"{name!r} has no option {key!r}.{plugins.suggest(key, known)} It has: {', '.join(known)}"
            )
    missing = [key for key in known if parameters[key].default is inspect.Parameter.empty and key not in options]
    if missing:
        raise ConfigError(f"{name!r} needs the option {missing[0]!r}; it takes: {', '.join(known)}")
    if "progress" in parameters:
        options["progress"] = progress
    aligner: Aligner = fit(x, y, **options)
    return aligner
