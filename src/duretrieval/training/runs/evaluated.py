"""A run's model on the run's own rows: what its `result.json` says, found again through the engine, without torch."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from duretrieval import __version__, plugins
from duretrieval.collection.ingest import Report
from duretrieval.collection.reading import Road, encoded
from duretrieval.errors import ConfigError, DuretrievalError, EvaluationError, MediaError
from duretrieval.evaluation.evaluated import Evaluated
from duretrieval.evaluation.labels.labelled import ROW_PROBLEMS
from duretrieval.evaluation.labels.together import Together
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.metrics.correlation import correlations
from duretrieval.evaluation.report.closeup import Material
from duretrieval.evaluation.report.exhibit import Exhibit, looks, of_file, of_text
from duretrieval.evaluation.request import Request
from duretrieval.evaluation.request import check as check_request
from duretrieval.evaluation.result import Evaluation, Pair, Provenance, side
from duretrieval.evaluation.scoring import score_matrix
from duretrieval.evaluation.subjects.model import MEASURES, fits, left_out, ranked
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.rank.nearest import RERANKED
from duretrieval.training.data.divided import digest_of, divided
from duretrieval.training.data.fused import fused
from duretrieval.training.data.negatives import negatives_of
from duretrieval.training.data.opening import read_data
from duretrieval.training.data.read import SPLITS
from duretrieval.training.data.sample import Sample, columns_of
from duretrieval.training.data.splits import Splits
from duretrieval.training.data.things import sides, things_of
from duretrieval.training.recipe.recipe import Recipe, alone, directions, view_name, with_views
from duretrieval.training.runs.folder import described, facts, splits
from duretrieval.types import Array, Ints, Modality, Part


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The rows of a split, as a run sees them."""

    samples: Sequence[Sample]
    """(n,) those that can ask, and their negatives after them."""
    columns: Mapping[str, Modality]
    """Those that the views name."""
    views: Mapping[str, tuple[str, ...]]
    """Those of the recipe, and those that ask alone."""
    directions: Sequence[tuple[str, str]]
    """What asks and what is searched."""
    positives: Sequence[str]
    digest: str
    """Of the run's data and the name of the split."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The views of n rows, by the engine."""

    rows: Mapping[str, Array]
    """view -> (n, dim) unit, zeros where a row lacks it"""
    things: Mapping[str, Ints]
    """view -> (n,) what each row holds there, -1 where it lacks it"""
    together: Together


def evaluate_run(
    folder: str | Path, request: Request | None = None, progress: Callable[[Report], None] | None = None
) -> Evaluated:
    """Measure a run's model on the rows of one of its splits, with the recipe's views, positives and negatives.

    Each view asks, each other one is searched: a pair is named by the recipe's views, as "anchor-positive", and a view
    of several columns is fused by the model; where it is the only one, each of its columns asks alone.  The figures are
    those of the run's `result.json`, but for long files whose encoder learns, of which a check sees one window.

    Raises:
        ConfigError: there is no run or no such split, it does not say which rows it had, or its data is not where it
            was, or has changed; or the request says what has nothing to do with it.
        EvaluationError: the split is empty, or nothing in it can be searched with anything else.
        ModelError: the run has no model.
        Untrusted: as `reopen`.
    """
    folder, request = Path(folder), request or Request()
    check_request("training", request)
    if request.split not in SPLITS:
        raise ConfigError(
            f"a run has no rows called {request.split!r}.{plugins.suggest(request.split, list(SPLITS))} There are: "
            f"{', '.join(SPLITS)}"
        )
    with plugins.stored(folder / "recipe.json"):
        split = read_split(folder, request.split, request.data)
    if not (folder / "model" / "model.toml").is_file():
        raise EvaluationError(
            f"the run in {folder} has no model yet; go on with it (duretrieval train --resume), or export it "
            "(duretrieval export) and evaluate that"
        )
    model = Model.load(folder / "model")
    if model.kinds:
        raise EvaluationError(
            f"the model of the run in {folder} looks at an item's neighbours, which this does not read; the figures of "
            "its rows beside their neighbours are in result.json"
        )
    seen, problems = look_at(model, split, progress)
    found = _measured(model, split, seen, request)
    source = Provenance(model.fingerprint, split.digest, request.command, __version__, RERANKED if model.scorer else 0)
    name = f"{folder.resolve().name}, {request.split}"
    totals = _graded(model, split, seen)
    evaluation = Evaluation(name, tuple(pair for pair, _ in found), totals, request.bootstrap.level, source)
    notes = (*split.notes, *left_out(problems))
    if not found and not totals:
        raise EvaluationError(
            f"nothing in the {request.split} rows of the run in {folder} can be searched with anything else in them; "
            f"its views are {', '.join(split.views)}. " + " ".join(notes)
        )
    return Evaluated(evaluation, tuple(material for _, material in found), None, notes)


def read_split(folder: Path, name: str, data: str | Path | None = None) -> Split:
    """The rows of a run's split, read again.

    Raises:
        ConfigError: as `evaluate_run`.
        EvaluationError: there are none.
    """
    recipe, known, ids = described(folder), facts(folder), splits(folder)
    where = data if data is not None else known["data"]
    if where is None or not Path(where).exists():
        raise ConfigError(f"the data of the run in {folder} is not at {where or 'any path'}; say where with --data")
    read = read_data(recipe.data, where)
    parts = divided(read.samples, ids)
    if digest_of(parts) != known["digest"]:
        raise ConfigError(
            f"the data of the run in {folder} has changed since: what is at {where} does not hold the rows that "
            "splits.json names, as they were. Give the data it had with --data"
        )
    if not parts[name]:
        there = ", ".join(f"{len(parts[other])} {other}" for other in SPLITS)
        raise EvaluationError(f"the run in {folder} has no {name} rows; it has {there}. Say which with --split")
    problems = [str(problem) for problem in read.problems]
    notes = [*problems[:ROW_PROBLEMS]]
    if len(problems) > ROW_PROBLEMS:
        notes.append(f"{len(problems) - ROW_PROBLEMS} more rows have a problem")
    return _split(recipe, parts, name, columns_of(read.samples), f"{known['digest']} {name}", tuple(notes))


def _split(
    recipe: Recipe,
    parts: Splits,
    name: str,
    columns: Mapping[str, Modality],
    digest: str,
    notes: tuple[str, ...],
) -> Split:
    seen = with_views(recipe, columns).views
    views = {**{view_name(view): view for view in seen}, **alone(seen)}
    used = {column: columns[column] for view in views.values() for column in view}
    samples = (*parts[name], *negatives_of(parts[name], used).samples)
    return Split(samples, used, views, directions(seen), recipe.positives, digest, notes)


def look_at(model: Model, split: Split, progress: Callable[[Report], None] | None = None) -> tuple[Seen, list[str]]:
    """The split's views, as the model makes them; and a sentence for each content that it cannot read."""
    made, problems = _encode(model, split, progress)
    read = {
        column: [
            None if (part := sample.columns.get(column)) is None else made.get(_key(part)) for sample in split.samples
        ]
        for column in split.columns
    }
    present = {column: [held is not None for held in rows] for column, rows in read.items()}
    things, together = things_of(split.samples, split.views, present, split.positives)
    rows = {name: fused(model, {c: read[c] for c in view}, split.columns) for name, view in split.views.items()}
    return Seen(rows, things, together), problems


def _encode(
    model: Model, split: Split, progress: Callable[[Report], None] | None
) -> tuple[dict[Hashable, list[Array]], list[str]]:
    """Of each content, once, what the model reads of its windows: (t, dim) unit rows each."""
    parts = {
        _key(sample.columns[column]): sample.columns[column]
        for sample in split.samples
        for column in split.columns
        if column in sample.columns
    }
    made: dict[Hashable, list[Array]] = {}
    report = Report()
    with Road(model.reading, Limits()) as road:
        for key, found in zip(parts, encoded(road.read_all(parts.values()), model.sequences), strict=True):
            name = str(parts[key].content) if isinstance(parts[key].content, str | Path) else "an array"
            report.indexed += 1
            if isinstance(found, DuretrievalError):
                report.problems[name] = str(found) if isinstance(found, MediaError) else f"{name}: {found}"
            elif any(sequence.any() for sequence in found[1]):
                made[key] = list(found[1])
            else:
                report.problems[name] = f"{name}: the model finds nothing in it"
            if progress:
                progress(report)
    return made, list(report.problems.values())


def _key(part: Part) -> Hashable:
    content = part.content if isinstance(part.content, str | Path) else id(part.content)
    return part.modality, type(content), content, part.start_s, part.end_s


def _measured(model: Model, split: Split, seen: Seen, request: Request) -> list[tuple[Pair, Material]]:
    """Every direction in which something asks; as `training.fit.validation.retrieval`, with intervals."""
    wanted, road = measures(request.metrics or MEASURES), looks()
    clusters = seen.together.clusters()
    there = {view: np.flatnonzero(things >= 0) for view, things in seen.things.items()}
    found = []
    for asking, searched in split.directions:
        rows, among = there[asking], there[searched]
        held, holds = seen.things[asking][rows], seen.things[searched][among]
        queries, gallery, right = sides(seen.together, rows, held, among, holds)
        if not len(queries) or len(gallery) < 2:
            continue
        relevance = right.rows(0, len(right))
        scores = ranked(model, seen.rows[asking][queries], seen.rows[searched][gallery])
        pair = score_matrix(
            scores,
            relevance,
            wanted,
            side(asking),
            side(searched),
            queries=[split.samples[row].id for row in queries],
            cluster=clusters[seen.things[asking][queries]],
            bootstrap=request.bootstrap,
        )
        shown = [
            lambda i, rows=rows, view=split.views[view]: _exhibit(split.samples[rows[i]], view, road)
            for view, rows in ((asking, queries), (searched, gallery))
        ]
        found.append((pair, Material(pair.name, scores, relevance, *shown)))
    return found


def _graded(model: Model, split: Split, seen: Seen) -> dict[str, float]:
    """How far similarities follow the scores that rows have: "premise-hypothesis/spearman" -> figure."""
    scores = np.array([np.nan if sample.score is None else sample.score for sample in split.samples])
    found: dict[str, float] = {}
    for a, b in combinations(split.views, 2):
        at = np.flatnonzero((seen.things[a] >= 0) & (seen.things[b] >= 0) & ~np.isnan(scores))
        similar = fits(model, seen.rows[a][at], seen.rows[b][at])
        found |= {f"{a}-{b}/{name}": value for name, value in correlations(similar, scores[at]).items()}
    return found


def _exhibit(sample: Sample, view: Sequence[str], road: Road) -> Exhibit:
    """What a row holds in a view: the words, pictures and sounds of its columns."""
    contents = [sample.columns[column].content for column in view if column in sample.columns]
    looked = [
        of_file(content, road) if isinstance(content, Path) else of_text(content)
        for content in contents
        if isinstance(content, str | Path)
    ]
    return Exhibit(
        " ".join(one.name for one in looked if one.name) or ("" if looked else sample.id),
        " ".join(one.text for one in looked if one.text),
        tuple(picture for one in looked for picture in one.pictures),
        next((one.wave for one in looked if one.wave is not None), None),
    )
