"""Limits as they are typed: `--limit max_pixels=400000000`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from math import inf
from typing import TYPE_CHECKING

from duretrieval.errors import ConfigError

if TYPE_CHECKING:
    from duretrieval.media.limits import Limits


def limits(typed: Iterable[str]) -> Limits:
    """`name=number`, any number of them; what is not named keeps its default.

    Raises:
        ConfigError: there is no limit of that name, or the value is not a number above 0.
    """
    from duretrieval.media.limits import Limits
    from duretrieval.plugins import suggest

    known = {field.name: type(getattr(Limits(), field.name)) for field in fields(Limits)}
    values: dict[str, int | float] = {}
    for pair in typed:
        name, _, number = pair.partition("=")
        if name not in known:
            raise ConfigError(
                f"--limit {pair}: no limit {name!r}.{suggest(name, list(known))} There are: {', '.join(known)}"
            )
        try:
            values[name] = known[name](float(number))
        except (ValueError, OverflowError):
            raise ConfigError(f"--limit {pair}: expected a number, as in {name}={getattr(Limits(), name):g}") from None
        if not 0 < values[name] < inf:
            raise ConfigError(f"--limit {pair}: a limit is above 0, and has an end")
    return Limits(**values)  # type: ignore[arg-type]
