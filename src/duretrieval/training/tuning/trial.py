"""What is searched, and one trial of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from duretrieval.errors import ConfigError
from duretrieval.training.tuning.range import Range


@dataclass(frozen=True, slots=True)
class Search:
    """What is tried, how, and how often."""

    space: Mapping[str, Range | tuple[Any, ...]]
    """setting, as `fit.lr` -> a range, or choices"""
    trials: int = 20
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    prune: bool = True
    """Stop a run that is worse than the median of the others at the same check."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.space:
            raise ConfigError('there is nothing to search; add [tune.space] with lines such as "fit.lr" = [1e-3, 1e-4]')
        if self.trials < 1 or self.seed < 0:
            raise ConfigError(f"tune.trials is {self.trials} and seed {self.seed}; give at least 1 and 0")
        if "fit.monitor" in self.space:
            raise ConfigError("fit.monitor cannot be searched: figures of different metrics cannot be compared")
        for name, tried in self.space.items():
            if isinstance(tried, tuple) and (twice := [v for i, v in enumerate(tried) if v in tried[:i]]):
                raise ConfigError(f"[tune.space] {name!r} has the choice {twice[0]!r} twice; leave one of them out")


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a search."""

    number: int
    settings: Mapping[str, Any]
    state: str
    """complete, pruned or fail"""
    value: float | None
    """The best `monitor`; the last one before a pruned run was stopped."""
    checks: Mapping[int, float] = field(default_factory=dict)
    """epoch -> monitor"""
