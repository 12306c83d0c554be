"""What a search tries for one setting: a range of numbers, or choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from duretrieval.errors import ConfigError
from duretrieval.training.recipe import settings

GRID_POINTS = 5
"""Values of a range that a grid tries, unless the range has a step."""


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from low to high, both included."""

    low: int | float
    high: int | float
    log: bool = False
    """Try values evenly by their logarithm."""
    step: int | float | None = None

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0) or (self.step is not None and self.step <= 0):
            raise ConfigError(
                f"the range from {self.low:g} to {self.high:g} cannot be searched: low must be below high, and above 0 "
                "with log; a step must be above 0"
            )
        if self.log and self.step is not None:
            raise ConfigError("a range has either log or a step, not both")

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return all(isinstance(v, int) for v in (self.low, self.high)) and not isinstance(self.step, float)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high

    @property
    def last(self) -> int | float:
        """The largest number that is tried: `high`, or the last step that does not pass it."""
        if self.step is None:
            return self.high
        return self.low + int((self.high - self.low) / self.step + 1e-9) * self.step

    def points(self) -> list[float]:
        """What a grid tries."""
        import numpy as np

        if self.step is not None:
            found = np.linspace(self.low, self.last, 1 + round((self.last - self.low) / self.step))
        elif self.log:
            found = np.geomspace(self.low, self.high, GRID_POINTS).clip(self.low, self.high)
        else:
            found = np.linspace(self.low, self.high, GRID_POINTS)
        return list(dict.fromkeys(round(float(v)) for v in found)) if self.whole else [float(v) for v in found]


def read_range(name: str, values: Any) -> Range | tuple[Any, ...]:
    """What [tune.space] says of a setting: choices, or a range.

    Raises:
        ConfigError: it is neither, or cannot be searched.
    """
    if isinstance(values, Mapping):
        if missing := {"low", "high"} - set(values):
            raise ConfigError(f"[tune.space] {name!r} has no {' and no '.join(sorted(missing))}")
        return settings.build(Range, values, f"[tune.space] {name!r}")
    if isinstance(values, list) and values:
        for value in values:
            if not isinstance(value, str | int | float):
                raise ConfigError(
                    f"[tune.space] {name!r} has the choice {value!r}; a choice is a number, a word, or true"
                )
        return tuple(values)
    raise ConfigError(f"[tune.space] {name!r} is {values!r}; give a list of choices, or {{ low = ..., high = ... }}")
