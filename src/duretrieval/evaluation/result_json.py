"""Evaluations as JSON, and back without loss."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval import whole
from duretrieval.errors import EvaluationError
from duretrieval.evaluation.result import Evaluation, Pair, Provenance, Score, side
from duretrieval.types import Floats, Ints

FORMAT = 1


def to_json(evaluation: Evaluation) -> str:
    """One JSON object; NaN is null and infinity is "inf", which JSON has no words for."""
    return json.dumps(
        {
            "format": FORMAT,
            "name": evaluation.name,
            "level": evaluation.level,
            "totals": {key: plain(value) for key, value in evaluation.totals.items()},
            "provenance": asdict(evaluation.provenance),
            "pairs": [_pair(pair) for pair in evaluation.pairs],
        },
        ensure_ascii=False,
        allow_nan=False,
    )


def from_json(text: str | bytes, where: str = "the text") -> Evaluation:
    """The evaluation that `to_json` wrote.  where: what to call it in an error.

    Raises:
        EvaluationError: it is not an evaluation, or of another format.
    """
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise EvaluationError(f"{where} has format {data['format']!r}; this version reads format {FORMAT}")
        return Evaluation(
            name=data["name"],
            pairs=tuple(_read_pair(pair) for pair in data["pairs"]),
            totals={key: _number(value) for key, value in data["totals"].items()},
            level=float(data["level"]),
            provenance=Provenance(**data["provenance"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, EvaluationError):
            raise
        raise EvaluationError(
            f"{where} is not an evaluation written by duretrieval ({type(error).__name__}: {error}); evaluate again"
        ) from error


def save(evaluation: Evaluation, path: str | Path) -> None:
    """Write to a file, UTF-8, whole or not at all."""
    whole.write(Path(path), to_json(evaluation))


def load(path: str | Path) -> Evaluation:
    """Read from a file.

    Raises:
        EvaluationError: as `from_json`; the message names the file.
    """
    return from_json(Path(path).read_bytes(), str(path))


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "query": str(pair.query),
        "gallery": str(pair.gallery),
        "queries": list(pair.queries),
        "gallery_size": pair.gallery_size,
        "cluster": None if pair.cluster is None else pair.cluster.tolist(),
        "fold": None if pair.fold is None else pair.fold.tolist(),
        "scores": [
            {
                "measure": score.measure,
                **{key: plain(getattr(score, key)) for key in ("value", "low", "high")},
                "n": score.n,
                "values": [plain(value) for value in score.values.tolist()],
            }
            for score in pair.scores
        ],
    }


def _read_pair(data: dict[str, Any]) -> Pair:
    scores = tuple(
        Score(
            measure=score["measure"],
            value=_number(score["value"]),
            low=_number(score["low"]),
            high=_number(score["high"]),
            n=score["n"],
            values=_floats(score["values"]),
        )
        for score in data["scores"]
    )
    for score in scores:
        if len(score.values) != len(data["queries"]):
            raise ValueError(f"{len(data['queries'])} queries have {len(score.values)} values of {score.measure}")
    return Pair(
        query=side(data["query"]),
        gallery=side(data["gallery"]),
        queries=tuple(data["queries"]),
        gallery_size=data["gallery_size"],
        scores=scores,
        cluster=_labels(data["cluster"]),
        fold=_labels(data["fold"]),
    )


def plain(value: float) -> float | str | None:
    """A number as JSON can hold it: NaN is null, infinity "inf"."""
    if math.isnan(value):
        return None
    return str(value) if math.isinf(value) else float(value)


def _number(value: float | str | None) -> float:
    return float("nan") if value is None else float(value)


def _floats(values: list[float | str | None]) -> Floats:
    return np.array([_number(value) for value in values], dtype=np.float64)


def _labels(values: list[int] | None) -> Ints | None:
    return None if values is None else np.array(values, dtype=np.int64)
