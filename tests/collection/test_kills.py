"""Every command that writes is killed at aimed and at random moments (`benchmarks.kills` does it a hundred times)."""

from __future__ import annotations

import pytest
from benchmarks import kills


@pytest.mark.slow
@pytest.mark.parametrize(
    ("commands", "times"),
    [
        (("index", "manifest", "remove", "migrate", "repair"), 6),
        (("evaluate", "ledger", "save"), 4),
        (("train", "export", "tune"), 1),
    ],
)
def test_killed_commands_lose_double_and_leave_nothing(commands: tuple[str, ...], times: int) -> None:
    done = kills.rounds(times, commands, seed=1)
    assert done.total() == times
    assert set(done) <= set(commands)
