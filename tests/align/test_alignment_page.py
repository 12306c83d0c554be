"""Every example in docs/alignment.md runs and prints what it says."""

import doctest
from pathlib import Path


def test_the_page() -> None:
    page = Path(__file__).parents[2] / "docs" / "alignment.md"
    found = doctest.testfile(str(page), module_relative=False)
    assert found.attempted > 15
    assert found.failed == 0
