"""Checks of what a user sets."""

from __future__ import annotations

from duretrieval.errors import ConfigError


def within(what: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside [low, high].

    Raises:
        ConfigError: "flip.chance is 2; it must be between 0 and 1".
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{what} is {value!r}; it must be between {low:g} and {high:g}")
