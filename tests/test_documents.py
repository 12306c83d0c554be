"""What documents point to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_coverage_names_tests_that_exist() -> None:
    """Each row's last cell: files, folders, `file::test` or the name of a suite."""
    for line in (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8").splitlines()[8:]:
        for name in line.rstrip("| ").split(" | ")[-1].split(", "):
            if name.startswith("`"):
                continue  # a conformance suite
            file, _, test = name.partition("::")
            assert (ROOT / file).exists(), f"{line.split('|')[1]}: {name}"
            assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), name
