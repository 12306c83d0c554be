"""Figures of a run, a search and a data set on a terminal, and as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from duretrieval.cli.terminal import out

if TYPE_CHECKING:
    from duretrieval.training.data.auditing import Audit
    from duretrieval.training.runs.folder import Outcome
    from duretrieval.training.tuning.search import Tuned
    from duretrieval.training.tuning.trial import Trial

SHOWN = 10
"""Leaks that are listed; `--json` has all."""


def figures(outcome: Outcome) -> None:
    """A table a split: a direction a row; figures of classes below."""
    for split, part, values in (("validation", "val", outcome.val), ("test", "test", outcome.test)):
        pairs: dict[str, dict[str, float]] = {}
        for name, value in values.items():
            direction, slash, metric = name.rpartition("/")
            if slash:
                pairs.setdefault(direction, {})[metric] = value
        if pairs:
            table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
            table.add_column(split)
            table.add_column("queries", justify="right")
            metrics = list(dict.fromkeys(metric for found in pairs.values() for metric in found))
            for metric in metrics:
                table.add_column(metric, justify="right")
            for direction, found in pairs.items():
                asked = str(outcome.queries[part][direction])
                table.add_row(direction, asked, *(f"{found[m]:.3f}" if m in found else "" for m in metrics))
            out.print(table)
        rest = [f"{name} {value:.3f}" for name, value in values.items() if "/" not in name and name != "monitor"]
        if rest:
            out.print(f"{split}: {', '.join(rest)}")


def outcome_dict(outcome: Outcome) -> dict[str, Any]:
    """A run as plain values."""
    return {**asdict(outcome), "folder": str(outcome.folder), "model": str(outcome.model)}


def audit(found: Audit) -> None:
    """Problems, columns, splits, leaks."""
    for problem in found.problems:
        out.print(str(problem))
    if found.problems:
        out.print()
    held = ", ".join(f"{name} ({modality}) in {n}" for name, (modality, n) in found.columns.items())
    labels = f"; {found.classes} classes" if found.classes else ""
    out.print(f"{found.usable} usable rows, {found.things} different things{labels}. Columns: {held or 'none'}.")
    out.print(", ".join(f"{name} {n}" for name, n in found.splits.items()))
    for note in found.notes:
        out.print(f"note: {note}")
    for column, rows in found.repeats.columns.items():
        out.print(
            f"note: in {rows} rows '{column}' holds what it holds in another row too, with no key in common; "
            "data.positives says whether they are right for one another"
        )
    if contrary := found.repeats.contrary:
        out.print(
            f"note: {len(contrary)} rows have what is theirs among their negatives: {', '.join(contrary[:SHOWN])}"
        )
    for leak in found.leaks[:SHOWN]:
        there = "; ".join(f"{name}: {', '.join(ids[:3])}" for name, ids in leak.samples.items())
        out.print(f"leak: {leak.tie} is in {there}")
    if len(found.leaks) > SHOWN:
        out.print(f"... and {len(found.leaks) - SHOWN} more leaks (--json lists all)")
    said = f"{found.unusable} rows cannot be used" if found.unusable else "Every row can be used"
    said += f", {found.partly} not wholly" if found.partly else ""
    leaked = f"{len(found.leaks)} things are in more than one split" if found.leaks else "nothing leaks"
    out.print(f"{said}; {leaked}.")


def audit_rows(found: Audit) -> Iterator[dict[str, Any]]:
    """A line a problem and a leak, then a summary; `kind` says which."""
    for problem in found.problems:
        file = None if problem.file is None else str(problem.file)
        about = {"file": file, "line": problem.line, "row": problem.sample or None, "column": problem.column or None}
        yield {"kind": "problem", **about, "reason": problem.reason, "used": problem.used}
    for leak in found.leaks:
        yield {"kind": "leak", "tie": leak.tie, "rows": {name: list(ids) for name, ids in leak.samples.items()}}
    yield {
        "kind": "summary",
        "usable": found.usable,
        "unusable": found.unusable,
        "partly": found.partly,
        "things": found.things,
        "classes": found.classes,
        "columns": {name: {"modality": str(m), "rows": n} for name, (m, n) in found.columns.items()},
        "splits": dict(found.splits),
        "leaks": len(found.leaks),
        "repeated": found.repeats.columns,
        "contrary": list(found.repeats.contrary),
        "notes": list(found.notes),
    }


def trial_line(trial: Trial, monitor: str) -> str:
    """`trial 3  rr 0.7312  fit.lr=0.001 loss.use=hinge`."""
    value = "failed" if trial.value is None else figure(monitor, trial.value)
    state = "" if trial.state in ("complete", "fail") else f"  ({trial.state})"
    return f"trial {trial.number}  {value}  {written(trial.settings)}{state}"


def figure(monitor: str, value: float) -> str:
    """`loss 2.0421`: what decides, as it was before its sign was turned to make larger better."""
    from duretrieval.training.recipe.monitor import sign

    return f"{monitor} {sign(monitor) * value:.4f}"


def written(settings: Mapping[str, Any]) -> str:
    """`fit.lr=0.001 loss.use=hinge`."""
    return " ".join(f"{name}={v:.4g}" if isinstance(v, float) else f"{name}={v}" for name, v in settings.items())


def trial_dict(trial: Trial) -> dict[str, Any]:
    """A trial as plain values."""
    about = {"number": trial.number, "state": trial.state, "value": trial.value}
    return {"kind": "trial", **about, "settings": dict(trial.settings)}


def tuned_dict(tuned: Tuned) -> dict[str, Any]:
    """The end of a search as plain values."""
    where = {"report": str(tuned.report), "model": str(tuned.model)}
    return {**trial_dict(tuned.best), "kind": "best", **where}
