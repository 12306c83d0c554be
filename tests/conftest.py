"""For every test: one thread a process, an end to whatever it waits for, and the built-in model opened once."""

import gc
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.ends import ended

gc.disable()  # until all is imported
with suppress(ImportError):  # where a few tests run that need no more than pytest
    from hypothesis import settings

    settings.register_profile("any machine", deadline=None)  # a busy one is no fault
    settings.load_profile("any machine")
os.environ["OMP_NUM_THREADS"] = "1"  # of torch and NumPy, here and in what tests start; the cores have a worker each


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was imported stays: to look through it for garbage, over and over, takes a twentieth of the time."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    with ended():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    with ended():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    with ended():
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_decoder() -> Iterator[None]:
    """For a process of tests, as it has one thread; tests of several say how many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def _builtin_is_opened_once() -> Iterator[None]:
    """Each collection has a model of its own; the parts of the built-in one, which take long to open, are shared."""
    from duretrieval import builtin
    from duretrieval.model import slots

    opened, kept = slots.opened, {}

    def once(folder: Path, card: Mapping[str, Any]) -> dict[str, Any]:
        if folder != builtin.FOLDER:
            return opened(folder, card)
        if not kept:
            kept.update(opened(folder, card))
        return {slot: dict(part) if isinstance(part, dict) else part for slot, part in kept.items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "opened", once)
        yield
