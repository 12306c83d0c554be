"""Would a test notice? One small fault at a time is put into a copy of the package, and the tests of that file run.

A fault: a comparison, an operator, a number or a truth turned; a condition reversed; a call left out, or its arguments
swapped or dropped. A seeded sample of them a package. What no test notices *survives*: either nothing follows from it,
and `equivalent.tsv` says why, or a test is missing. Our own rather than mutmut, which starts the tests anew for each
fault: here one process imports torch once and forks, so that most faults take a second.

    python -m benchmarks.mutation [PACKAGE ...]    # half an hour; with packages, those alone are measured anew
"""

from __future__ import annotations

import ast
import copy
import csv
import importlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks.measure import HERE, write

SOURCE, TESTS = HERE.parent / "src" / "duretrieval", HERE.parent / "tests"
PACKAGES = ("training/losses", "training/nets/fusion", "fuse", "evaluation/metrics", "rank")
LIBRARIES = """scipy.stats sklearn.metrics torch onnx onnxruntime pytorch_metric_learning.losses torchmetrics
transformers sentence_transformers torch_geometric.nn pytrec_eval av safetensors.torch typer"""
SAMPLE = 40
RUN_HERE = "not registry and not gpu"

Op = type[ast.AST]
TURNED: dict[Op, tuple[Op, ...]] = {
    **{ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.Lt)},
    **{ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,)},
    **{ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.And: (ast.Or,), ast.Or: (ast.And,)},
    **{ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,)},
    **{ast.FloorDiv: (ast.Mult,), ast.Pow: (ast.Mult,), ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,)},
}
SILENT = (ast.JoinedStr, ast.Raise, ast.Import, ast.ImportFrom)
"""What computes nothing that is handed on, or (in f-strings) lies where Python 3.11 does not tell."""

UNTOUCHED = ("annotation", "returns", "decorator_list")


class Mutant(NamedTuple):
    file: Path
    line: int
    after: str
    """The faulty line, the first of them."""
    text: str
    """The whole file with the fault in it."""


def mutants(file: Path) -> list[Mutant]:
    """Every fault of these kinds, in the order of the file."""
    text, found = file.read_text(encoding="utf-8"), []
    for node, changed in _faults(ast.parse(text)):
        begin, end = _place(text, node.lineno, node.col_offset), _place(text, node.end_lineno, node.end_col_offset)
        faulty = f"{text[:begin]}({ast.unparse(changed)}){text[end:]}"
        found.append(Mutant(file, node.lineno, faulty.split("\n")[node.lineno - 1].strip(), faulty))
    return found


def _faults(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Expressions and what takes their places; not in annotations, decorators and messages."""
    if isinstance(node, ast.expr):
        yield from ((node, changed) for changed in _changes(node))
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield node.test, ast.UnaryOp(ast.Not(), node.test)
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            typed = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            skipped = name in UNTOUCHED or (isinstance(child, ast.keyword) and child.arg == "strict")
            if isinstance(child, ast.AST) and not isinstance(child, SILENT) and not typed and not skipped:
                yield from _faults(child)


def _changes(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(2 * value + 0.5)
        case ast.Compare(ops=[op]):
            yield from (_with(node, ops=[turned()]) for turned in TURNED[type(op)])
        case ast.BinOp(op=op) | ast.BoolOp(op=op):
            yield from (_with(node, op=turned()) for turned in TURNED.get(type(op), ()))
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Call(func=func, args=args, keywords=keywords):
            if isinstance(func, ast.Attribute) and not isinstance(func.value, ast.Name):
                yield func.value
            elif args and not isinstance(args[0], ast.Starred | ast.GeneratorExp):
                yield args[0]
            if len(args) > 1 and not any(isinstance(arg, ast.Starred) for arg in args):
                yield _with(node, args=[args[1], args[0], *args[2:]])
            yield from (
                _with(node, keywords=[k for k in keywords if k is not left])
                for left in keywords
                if left.arg not in (None, "strict")
            )


def _with(node: ast.expr, **fields: object) -> ast.expr:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _place(text: str, line: int | None, column: int | None) -> int:
    """Where in the text it is what `ast` says in lines and bytes."""
    lines = text.split("\n")[:line]
    return sum(len(before) + 1 for before in lines[:-1]) + len(lines[-1].encode()[:column].decode())


def _run(root: Path, tests: Sequence[Path], seconds: int) -> None:
    """In a process of its own: the tests, with the package in `root` before any other; ends with pytest's code."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.environ |= {"PYTHONPATH": str(root), "HYPOTHESIS_STORAGE_DIRECTORY": str(root / "hypothesis")}
    sys.path.insert(0, str(root))
    quietly = [
        "-x",
        "-q",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    os._exit(pytest.main([*quietly, "-m", RUN_HERE, *map(str, tests)]))


def passes(root: Path, tests: Sequence[Path], seconds: int = 600) -> bool:
    """seconds: of the processor, since a busy machine is no fault and a loop without end is one."""
    process = multiprocessing.get_context("fork").Process(target=_run, args=(root, tests, seconds))
    process.start()
    process.join(20 * seconds)
    process.kill()  # a fault may wait for ever
    process.join()
    if process.exitcode in (4, 5):
        raise RuntimeError(f"pytest found no tests in {', '.join(map(str, tests))}")
    print(process.exitcode, end=" ", flush=True, file=sys.stderr)
    return process.exitcode == 0


def survivors(source: Path, place: str, tests: Path, sample: int = SAMPLE) -> tuple[list[Mutant], list[Mutant]]:
    """The sampled faults of source/place, and those that no test notices: in tests/place, or importing the file."""
    files = [file for file in sorted((source / place).glob("*.py")) if file.stem != "__init__"]
    every = [mutant for file in files for mutant in mutants(file)]
    chosen = sorted(random.Random(place).sample(every, min(sample, len(every))))
    with tempfile.TemporaryDirectory() as temporary:
        root, skipped = Path(temporary), shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, root / source.name, copy_function=os.symlink, ignore=skipped)
        begun = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
        if not passes(root, [tests / place]):
            raise RuntimeError(f"the tests in {tests / place} fail without a fault")
        seconds = round(5 + 3 * (sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - begun))
        alive = []
        for mutant in chosen:
            own, elsewhere = _tests_of(mutant.file.relative_to(source), source.name, tests / place, tests)
            with _in_place(mutant, root / source.name / mutant.file.relative_to(source)):
                if passes(root, own, seconds) and (not elsewhere or passes(root, elsewhere)):
                    alive.append(mutant)
        return chosen, alive


def _tests_of(file: Path, package: str, mirror: Path, tests: Path) -> tuple[list[Path], list[Path]]:
    """Those of its package, the ones named after it first; those elsewhere that import it."""
    named = sorted(mirror.rglob(f"test_*{file.stem}*.py"))
    imported = ".".join([package, *file.with_suffix("").parts]) + " import"
    importing = [test for test in sorted(tests.rglob("test_*.py")) if imported in test.read_text(encoding="utf-8")]
    return [*named, mirror], [test for test in importing if mirror not in test.parents]


@contextmanager
def _in_place(mutant: Mutant, copied: Path) -> Iterator[None]:
    copied.unlink()
    copied.write_text(mutant.text, encoding="utf-8")
    try:
        yield
    finally:
        for compiled in copied.parent.glob(f"__pycache__/{copied.stem}.*"):
            compiled.unlink()  # a second fault of the same second and length would pass for this one
        copied.unlink()
        copied.symlink_to(mutant.file)


def main(places: Sequence[str] = ()) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    for library in LIBRARIES.split():
        importlib.import_module(library)
    for place in places or PACKAGES:
        chosen, alive = survivors(SOURCE, place, TESTS)
        left = [f"{mutant.file.name}:{mutant.line}\t{mutant.after}" for mutant in alive]
        file = HERE / "results" / "mutation.json"
        found = json.loads(file.read_text(encoding="utf-8"))["packages"] if file.exists() else {}
        found[place] = {"faults": len(chosen), "survive": left}
        found = {package: found[package] for package in PACKAGES if package in found}
        write("mutation", "Small faults, and whether a test notices", {"packages": found}, page(found))


def page(found: Mapping[str, dict[str, Any]]) -> str:
    """A line a package, then a line for each fault that survives, with what is known of it."""
    lines = (HERE / "equivalent.tsv").read_text(encoding="utf-8").splitlines()
    known = dict(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    rows = ["| package | faults | noticed | nothing follows | score |", "|---|--:|--:|--:|--:|"]
    left = ["| survives | the line with the fault | why |", "|---|---|---|"]
    for place, figures in found.items():
        survive = [line.split("\t") for line in figures["survive"]]
        reasons = [known.get(f"{at.partition('.')[0]}: {after}") for at, after in survive]
        noticed, same = figures["faults"] - len(survive), sum(why is not None for why in reasons)
        score = noticed / (figures["faults"] - same)
        rows.append(f"| {place} | {figures['faults']} | {noticed} | {same} | {score:.0%} |")
        for (at, after), why in zip(survive, reasons, strict=True):
            line = after.replace("|", "\\|")
            left.append(f"| {place}/{at} | `{line}` | {why or '**a test is missing**'} |")
    return "\n".join([*rows, "", *left])


if __name__ == "__main__":
    main(sys.argv[1:])
