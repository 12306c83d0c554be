"""For every test: one thread a process, and an end to whatever it waits for."""

import os
from collections.abc import Generator

import pytest
from tests.ends import ended

os.environ["OMP_NUM_THREADS"] = "1"  # of torch and NumPy, here and in what tests start; the cores have a worker each


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
