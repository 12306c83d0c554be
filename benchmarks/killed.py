"""A command that kills itself: `python -m benchmarks.killed STEP COUNT COMMAND ...`.

Whatever touches a file counts as two steps, before and after; at STEP (from 1; 0 never) it is SIGKILL, so that no
handler runs. COUNT: a file for how many steps there were. Commands are those of `duretrieval`, and two of the library:
`ledger FILE N` records N judgements, `save MODEL FOLDER` saves a model again.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import lance
from filelock import FileLock

from duretrieval.cli import main as command_line
from duretrieval.evaluation.judging import JudgementFile
from duretrieval.index.lance import upkeep
from duretrieval.index.lance.journal import Journal
from duretrieval.index.lance.store import LanceStore
from duretrieval.model.model import Model

POINTS: tuple[tuple[Any, str], ...] = (
    *((Path, name) for name in ("rename", "replace", "unlink", "mkdir", "rmdir", "write_text", "write_bytes")),
    (shutil, "rmtree"),
    (os, "fsync"),
    (FileLock, "acquire"),
    (FileLock, "release"),
    (lance, "write_dataset"),
    (lance.LanceDataset, "delete"),
    (LanceStore, "_merge"),
    (Journal, "_add"),
    (Journal, "tidy"),
    (upkeep, "_approximate"),
)


def arm(step: int) -> list[int]:
    """Count steps from here on, in the list's only number."""
    steps = [0]

    def tick() -> None:
        steps[0] += 1
        if steps[0] == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            tick()
            result = original(*args, **kwargs)
            tick()
            return result

        return call

    for holder, name in POINTS:
        setattr(holder, name, watched(getattr(holder, name)))
    return steps


def main() -> None:
    step, count, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if command[0] in ("train", "tune", "export"):
        import duretrieval.training.tuning.search  # noqa: F401  (what importing writes is not a step)
    steps = arm(step)
    print("armed", flush=True)
    try:
        if command[0] == "ledger":
            ledger = JudgementFile(Path(command[1]))
            for i in range(len(ledger), int(command[2])):
                ledger.record(f"query {i % 7}", f"item {i}", "a source", i % 2)
                print(i, flush=True)
        elif command[0] == "save":
            Model.load(command[1]).save(command[2])
        else:
            sys.argv[1:] = command
            command_line()
    finally:
        Path(count).open("w").write(str(steps[0]))  # noqa: SIM115  (by no function that is watched)


if __name__ == "__main__":
    main()
