"""Every example in docs/binary-codes.md runs and prints what it says."""

import doctest
from pathlib import Path


def test_the_page() -> None:
    page = Path(__file__).parents[2] / "docs" / "binary-codes.md"
    found = doctest.testfile(str(page), module_relative=False)
    assert found.attempted > 7
    assert found.failed == 0
