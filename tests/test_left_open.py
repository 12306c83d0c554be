"""A collection that stays open while another process migrates it, makes it anew or moves it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from duretrieval.collection.collection import Collection
from duretrieval.errors import CollectionMoved
from duretrieval.model.model import Model
from duretrieval.testing.models import small, wide

ANOTHER = """
import sys
from pathlib import Path
from duretrieval.collection.collection import Collection
from duretrieval.model.model import Model
with Collection.open(sys.argv[1], any_model=True) as c:
    c.migrate(Model.load(sys.argv[2]))
"""
EVERYTHING: dict[str, Callable[[Collection, Path], object]] = {
    "search": lambda c, notes: [hit.item.source for hit in c.search("rain", k=1)],
    "get": lambda c, notes: c.get(next(iter(c.items())).id),
    "items": lambda c, notes: list(c.items()),
    "problems": lambda c, notes: list(c.problems()),
    "stats": lambda c, notes: c.stats(),
    "len": lambda c, notes: len(c),
    "view": lambda c, notes: c.view().count(),
    "add": lambda c, notes: c.add(notes / "new.txt"),
    "remove": lambda c, notes: c.remove(where="name = 'a.txt'"),
    "repair": lambda c, notes: c.repair(),
}
