"""Evaluate whatever it is: a collection, a model, a run on disk, a matrix of similarities, an earlier result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from duretrieval.collection.collection import Collection
from duretrieval.collection.ingest import Report
from duretrieval.errors import ConfigError, EvaluationError
from duretrieval.evaluation.evaluated import Evaluated
from duretrieval.evaluation.health.health import measure_health
from duretrieval.evaluation.labels.together import USUAL
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.result import Evaluation, Provenance, Side
from duretrieval.evaluation.result_json import load
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.evaluation.subjects import collection as judged
from duretrieval.evaluation.subjects import model, run
from duretrieval.evaluation.subjects.matrix import evaluate_matrix
from duretrieval.model.model import Model

Subject = Literal["collection", "model", "training", "matrix", "run", "result"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to evaluate with; which of it is needed depends on what is evaluated."""

    data: str | Path | None = None
    """For a model, a manifest of what belongs together; for a collection, judgements; for a run of training, where its
    data is now."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """What columns of a model's manifest are, where their names do not say it (see `media.manifest`)."""
    positives: tuple[str, ...] = USUAL
    """What rows of a model's manifest have in common that belong together: key, text, file, label."""
    split: str = "test"
    """For a run of training: which of its rows."""
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
    model: str | Path | Model | None = None
    """A collection's model, where it is not as recorded."""
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
    command: str = ""


TAKES: dict[Subject, tuple[str, ...]] = {
    "collection": ("data", "judgements", "metrics", "queries", "index", "model"),
    "model": ("data", "columns", "positives", "dim", "metrics"),
    "training": ("data", "metrics", "split"),
    "matrix": ("protocol", "labels"),
    "run": ("data", "judgements", "metrics", "pair"),
    "result": (),
}
"""What of a request each subject is evaluated with."""
CALLED: dict[Subject, str] = {"training": "run of training"}
"""Subjects that are called otherwise than here."""


def evaluate(
    what: str | Path, request: Request | None = None, progress: Callable[[Report], None] | None = None
) -> Evaluated:
    """Recognise what is given, and measure it; request: None where nothing more needs to be said.

    Raises:
        EvaluationError: there is nothing of that name, something it needs is missing, or it cannot be evaluated.
        ConfigError: there is no such metric, or the request says what has nothing to do with what is evaluated.
        DuretrievalError: as the functions for each kind: `evaluate_collection`, `evaluate_model`, `evaluate_run`,
            `evaluate_matrix`.
    """
    what, request = str(what), request or Request()
    subject = recognise(what)
    check(subject, request)
    settings = {"bootstrap": request.bootstrap, "command": request.command}
    match subject:
        case "collection":
            return _collection(what, request)
        case "model":
            manifest = _needed(request, "a model is evaluated on a manifest of what belongs together", "data")
            names = request.metrics or model.MEASURES
            settings |= {"columns": request.columns, "positives": request.positives}
            cut = Model.load(what, dim=request.dim)
            return model.evaluate_model(cut, manifest, names=names, progress=progress, **settings)  # type: ignore[arg-type]
        case "training":
            raise EvaluationError(
                f"{what} is a run of training, which duretrieval.training.evaluate_run measures on its own rows; for "
                f"others, give {Path(what) / 'model'}"
            )
        case "matrix":
            if request.protocol is None:
                raise EvaluationError(f"{what} is a matrix: say by which protocol to measure it, with --protocol")
            return evaluate_matrix(Path(what), request.protocol, request.labels, **settings)  # type: ignore[arg-type]
        case "result":
            return Evaluated(load(Path(what)))
    qrels = _needed(request, "a run is evaluated against judgements", "judgements", "data")
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
    if "://" not in what and (path / "recipe.json").is_file() and (path / "run.json").is_file():
        return "training"
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
        f"{what} {there}; give a collection, a model folder or 'builtin', the folder of a run of training, "
        "a run (TREC, .jsonl, .parquet, .csv), a matrix of similarities (.npy), or an earlier result (.json)"
    )


def _collection(what: str, request: Request) -> Evaluated:
    qrels = _given(request, "a collection is evaluated with judgements, or without", "data", "judgements")
    if request.metrics and qrels is None:
        raise ConfigError("--metric is of what was judged, and there are no judgements; name them with --data")
    with Collection.open(what, request.model, create=False, index=request.index) as collection:
        health = measure_health(collection, queries=request.queries)
        if qrels is None:
            source = Provenance(model=collection.model.fingerprint, command=request.command)
            return Evaluated(Evaluation(Path(what).name or what, (), provenance=source), health=health)
        names = request.metrics or judged.MEASURES
        found = judged.evaluate_collection(
            collection, qrels, names=names, bootstrap=request.bootstrap, command=request.command
        )
        return replace(found, health=health)


def check(subject: Subject, request: Request) -> None:
    """Refuse what would be passed over, and a metric that there is not, before anything is measured.

    Raises:
        ConfigError: as `evaluate`.
    """
    usual, taken = Request(), TAKES[subject]
    for name in (name for names in TAKES.values() for name in names if name not in taken):
        if getattr(request, name) != getattr(usual, name):
            takes = f"which is evaluated with {', '.join(map(_option, taken))}"
            has = takes if taken else "whose figures are there already"
            raise ConfigError(
                f"{_option(name)} has nothing to do with a {CALLED.get(subject, subject)}, {has}; leave it out"
            )
    measures(request.metrics)


def _given(request: Request, why: str, *names: str) -> Path | None:
    """The first file of these that is named.

    Raises:
        EvaluationError: it is not there; why: what it is for.
    """
    for name in names:
        if (given := getattr(request, name)) is not None:
            if not Path(given).is_file():
                raise EvaluationError(f"there is no file {given}, named with {_option(name)}; {why}")
            return Path(given)
    return None


def _needed(request: Request, why: str, *names: str) -> Path:
    path = _given(request, why, *names)
    if path is None:
        raise EvaluationError(f"{why}; name it with {_option(names[0])}")
    return path


def _option(name: str) -> str:
    """How the command line calls what a request calls so."""
    return {"columns": "--column", "metrics": "--metric"}.get(name, f"--{name}")
