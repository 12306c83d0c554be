"""Each promise of the threat model names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")


def test_every_row_names_tests_that_are_there():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.endswith("| proved by |")]
    assert rows
    for row in rows:
        names = re.findall(r"(tests/[\w/]+\.py)::(\w+)", row.rstrip("| ").split(" | ")[-1])
        assert names, row
        for file, test in names:
            assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}::{test}"
