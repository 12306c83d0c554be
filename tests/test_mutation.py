"""The faults that `benchmarks.mutation` puts into code, and that it finds those which no test notices."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.mutation import mutants, page

ROOT = Path(__file__).parents[1]
CODE = '''
def nearest(values: list[int], at: int = 0) -> int:
    """The value is nearest to `at`, or -1."""
    if not values:
        raise ValueError(f"none of {len(values) + 1}")
    return min(values, key=lambda v: abs(v - at)) if len(values) > 1 else values[0]
'''
LARGER = "def larger(a: int, b: int) -> int:\n    return a if a > b else b\n"
TEST = "from toy.place.order import larger\n\ndef test_larger():\n    assert larger(1, 2) == 2\n"
ASKED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from benchmarks.mutation import survivors
chosen, alive = survivors(Path.cwd() / "toy", "place", Path.cwd() / "checks")
print(len(chosen), *(mutant.after for mutant in alive), sep="|")
"""


def written(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_every_fault_is_one_place_and_is_code(tmp_path: Path) -> None:
    found = mutants(written(tmp_path / "near.py", CODE))
    for mutant in found:
        compile(mutant.text, "near", "exec")
        assert [a for a, b in zip(CODE.split("\n"), mutant.text.split("\n"), strict=True) if a != b] == [
            CODE.split("\n")[mutant.line - 1]
        ]
    lines = [mutant.after.removeprefix("return ") for mutant in found]
    one, other = "min(values, key=lambda v: abs(v - at))", "values[0]"
    assert f"{one} if (len(values) >= 1) else {other}" in lines
    assert f"{one} if len(values) > (2) else {other}" in lines
    assert f"(values) if len(values) > 1 else {other}" in lines
    assert f"(min(values)) if len(values) > 1 else {other}" in lines
    assert f"min(values, key=lambda v: abs((v + at))) if len(values) > 1 else {other}" in lines
    assert f"min(values, key=lambda v: (v - at)) if len(values) > 1 else {other}" in lines
    assert "if (not not values):" in lines
    assert not [line for line in lines if line.startswith("raise")], "what a message says is for other tests"


def test_what_no_test_notices_survives(tmp_path: Path) -> None:
    """One fault is noticed by the test of the file and one by a test elsewhere; from the third nothing follows."""
    code = written(tmp_path / "toy" / "place" / "order.py", LARGER)
    written(tmp_path / "checks" / "place" / "test_order.py", TEST)
    written(tmp_path / "checks" / "test_all.py", TEST.replace("(1, 2) == 2", "(2, 1) == 2"))
    done = subprocess.run(
        [sys.executable, "-c", ASKED, ROOT],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "3|return a if (a >= b) else b\n", done.stderr
    assert code.read_text(encoding="utf-8") == LARGER


def test_the_page_counts_what_nothing_follows_from_apart() -> None:
    survive = ["nearest.py:41\tcandidates = (best)", "nearest.py:1\tx = a | (b)"]
    shown = page({"rank": {"faults": 5, "survive": survive}}).splitlines()
    assert "| rank | 5 | 3 | 1 | 75% |" in shown
    assert shown[-2].startswith("| rank/nearest.py:41 | `candidates = (best)` | walking over")
    assert shown[-1] == "| rank/nearest.py:1 | `x = a \\| (b)` | **a test is missing** |"
