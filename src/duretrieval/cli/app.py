"""The whole command line: each command puts itself on `options.app` when its module is imported."""

from __future__ import annotations

from duretrieval.cli import doctor, evaluating, indexing, inspecting, judging, searching, training  # noqa: F401
from duretrieval.cli.options import app

__all__ = ["app"]
