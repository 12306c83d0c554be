"""The command line as a shell runs it, in this process: one of its own would import everything anew."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from duretrieval.cli import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Shell = Callable[..., Ran]


def in_process(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Runs `duretrieval ARGUMENTS`."""

    def run(*arguments: str | Path) -> Ran:
        with monkeypatch.context() as patch:
            for name in ("stdout", "stderr"):
                patch.setattr(sys, name, getattr(sys, name))  # `main` puts others there
            patch.setattr(sys, "argv", ["duretrieval", *map(str, arguments)])
            with pytest.raises(SystemExit) as ended:
                main()
        said = capfd.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run
