"""Evaluate whatever it is: a collection, a model, a run on disk, a matrix of similarities, an earlier result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from duretrieval.collection.collection import Collection, Report
from duretrieval.errors import ConfigError, EvaluationError
from duretrieval.evaluation.evaluated import Evaluated
from duretrieval.evaluation.labels.together import USUAL
from duretrieval.evaluation.health.health import measure_health
from duretrieval.evaluation.result import Evaluation, Provenance, Side
from duretrieval.evaluation.result_json import load
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.evaluation.subjects import collection as judged
from duretrieval.evaluation.subjects import model, run
from duretrieval.evaluation.subjects.matrix import evaluate_matrix
from duretrieval.model.model import Model

Subject = Literal["collection", "model", "matrix", "run", "result"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to evaluate with; which of it is needed depends on what is evaluated."""

    data: str | Path | None = None
    """For a model, a manifest of what belongs together; for a collection, judgements."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """What columns of a model's manifest are, where their names do not say it (see `media.manifest`)."""
    positives: tuple[str, ...] = USUAL
    """What rows of a model's manifest have in common that belong together: key, text, file, label."""
    judgements: str | Path | None = None
    """For a run."""
    protocol: str | None = None
    labels: str | Path | None = None
    """For a matrix."""
    dim: int | None = None
    """To how many dimensions a model is cut."""
    metrics: tuple[str, ...] = ()
    """Instead of the usual ones."""
    pair: tuple[Side, Side] = ("any", "any")
    """What a run's queries and items are."""
    queries: int = 100
    """How many to ask of a collection without labels."""
    index: str | None = None
    """The index in memory that a collection is searched by (`Collection.open`)."""
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
    command: str = ""


def evaluate(
    what: str | Path, request: Request | None = None, progress: Callable[[Report], None] | None = None
) -> Evaluated:
    """Recognise what is given, and measure it; request: None where nothing more needs to be said.

    Raises:
        EvaluationError: there is nothing of that name, something it needs is missing, or it cannot be evaluated.
        DuretrievalError: as the functions for each kind: `evaluate_collection`, `evaluate_model`, `evaluate_run`,
            `evaluate_matrix`.
    """
    what, request = str(what), request or Request()
    subject = recognise(what)
    _check(subject, request)
    settings = {"bootstrap": request.bootstrap, "command": request.command}
    match subject:
        case "collection":
            return _collection(what, request)
        case "model":
            manifest = _needed(request.data, "--data", "a model is evaluated on a manifest of what belongs together")
            names = request.metrics or model.MEASURES
            settings |= {"columns": request.columns, "positives": request.positives}
            cut = Model.load(what, dim=request.dim)
            return model.evaluate_model(cut, manifest, names=names, progress=progress, **settings)  # type: ignore[arg-type]
        case "matrix":
            if request.protocol is None:
                raise EvaluationError(f"{what} is a matrix: say by which protocol to measure it, with --protocol")
            return evaluate_matrix(Path(what), request.protocol, request.labels, **settings)  # type: ignore[arg-type]
        case "result":
            return Evaluated(load(Path(what)))
    qrels = _needed(request.judgements or request.data, "--judgements", "a run is evaluated against judgements")
    names = request.metrics or run.MEASURES
    return run.evaluate_run(Path(what), qrels, *request.pair, names=names, **settings)  # type: ignore[arg-type]


def recognise(what: str | Path) -> Subject:
    """What is at a path.

    Raises:
        EvaluationError: nothing that can be evaluated.
    """
    path, what = Path(what), str(what)
    if "://" not in what and (what == "builtin" or (path / "model.toml").is_file()):
        return "model"
    if Collection.exists(what):
        return "collection"
    if path.suffix == ".npy" and path.is_file():
        return "matrix"
    if path.suffix == ".json" and path.is_file():
        return "result"
    if path.is_file():
        return "run"
    there = "holds neither a model nor a collection" if path.is_dir() else "is not there"
    raise EvaluationError(
        f"{what} {there}; give a collection, a model folder or 'builtin', a run (TREC, .jsonl, .parquet, .csv), "
        "a matrix of similarities (.npy), or an earlier result (.json)"
    )


def _collection(what: str, request: Request) -> Evaluated:
    with Collection.open(what, create=False, index=request.index) as collection:
        health = measure_health(collection, queries=request.queries)
        qrels = request.data or request.judgements
        if qrels is None:
            source = Provenance(model=collection.model.fingerprint, command=request.command)
            return Evaluated(Evaluation(Path(what).name or what, (), provenance=source), health=health)
        names = request.metrics or judged.MEASURES
        found = judged.evaluate_collection(
            collection, qrels, names=names, bootstrap=request.bootstrap, command=request.command
        )
        return replace(found, health=health)


def _check(subject: Subject, request: Request) -> None:
    if request.index and subject != "collection":
        raise ConfigError(f"--index is how a collection is searched, and this is a {subject}; leave it out")
    if request.dim is not None and subject != "model":
        raise ConfigError(f"--dim cuts the vectors of a model, and this is a {subject}; leave it out")
    if request.metrics and subject in ("matrix", "result"):
        raise ConfigError(f"a {subject} has its own metrics, so --metric does not apply; leave it out")


def _needed(given: str | Path | None, option: str, why: str) -> Path:
    if given is None:
        raise EvaluationError(f"{why}; name it with {option}")
    path = Path(given)
    if not path.is_file():
        raise EvaluationError(f"there is no file {path}; {why}, named with {option}")
    return path
