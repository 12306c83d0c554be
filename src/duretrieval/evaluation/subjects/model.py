"""A model on a labelled data set: every modality asks, every other one is searched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from pathlib import Path

import numpy as np

from duretrieval import __version__
from duretrieval.collection.ingest import Report
from duretrieval.collection.reading import Road, Thing, encoded
from duretrieval.errors import DuretrievalError, EvaluationError, MediaError
from duretrieval.evaluation.evaluated import Evaluated
from duretrieval.evaluation.labels.labelled import ROW_PROBLEMS, Labelled, read_labelled
from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.labels.together import USUAL
from duretrieval.evaluation.measures import Measure, measures
from duretrieval.evaluation.metrics.blocks import Compared, Scores
from duretrieval.evaluation.metrics.correlation import correlations
from duretrieval.evaluation.metrics.reranked import Reranked
from duretrieval.evaluation.report.closeup import Material
from duretrieval.evaluation.report.exhibit import Exhibit, looks, of_file, of_text
from duretrieval.evaluation.result import Evaluation, Pair, Provenance
from duretrieval.evaluation.scoring import score_matrix
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.fuse.means import mean
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.rank.nearest import RERANKED
from duretrieval.types import Array, Item, Modality, Part

MEASURES = ("hit@1", "hit@5", "hit@10", "rr", "ap", "median-rank", "mean-rank")


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The units of one modality that the model could read."""

    units: tuple[int, ...]
    """(n,) places in `Labelled.units`."""
    vectors: Array
    """(n, d) unit rows: the mean over a unit's parts, as `fuse.means` has it."""


def evaluate_model(
    model: Model,
    manifest: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    positives: Sequence[str] = USUAL,
    names: Sequence[str] = MEASURES,
    bootstrap: Bootstrap | None = None,
    progress: Callable[[Report], None] | None = None,
    command: str = "",
) -> Evaluated:
    """Encode what a manifest names, rank exactly, and measure every pair of modalities that rows hold, both ways.

    A film is asked and searched by its frames, a long file by the mean of its parts (`fuse.means`), and where the model
    has a fusion, each by what that makes of its one modality.  A model with a learned score ranks by it as a search
    does: the nearest by cosine, in the score's order (`Reranked`).  positives: what rows have in common that belong
    together, as `[data] positives` in training.  progress: told of every file.

    Raises:
        EvaluationError: no row has two modalities that the model could read.
        ConfigError: it is no manifest.
    """
    manifest = Path(manifest)
    data = read_labelled(manifest, columns, positives)
    embedded, problems = embed(model, data, progress)
    notes = (*data.notes, *left_out(problems))
    wanted, bootstrap, road = measures(names), bootstrap or Bootstrap(), looks()
    pairs, materials = [], []
    for query, gallery in permutations(sorted(embedded, key=list(Modality).index), 2):
        scores = partial(_ranked, model, embedded[query], embedded[gallery])
        if found := _measure(data, embedded, query, gallery, wanted, bootstrap, scores, road):
            pairs.append(found[0])
            materials.append(found[1])
    totals = _graded(model, data, embedded)
    if not pairs and not totals:
        kinds = " and ".join(sorted(embedded)) or "nothing"
        raise EvaluationError(
            f"{manifest}: no row has two modalities that {model.name} could read; what it read is {kinds}. "
            + " ".join(notes)
        )
    source = Provenance(model.fingerprint, data.hash, command, __version__, RERANKED if model.scorer else 0)
    evaluation = Evaluation(manifest.name, tuple(pairs), totals, bootstrap.level, source)
    return Evaluated(evaluation, tuple(materials), None, notes)


def embed(
    model: Model, data: Labelled, progress: Callable[[Report], None] | None = None
) -> tuple[dict[Modality, Embedded], list[str]]:
    """Vectors by modality, and a sentence for each unit without."""
    rows: dict[Modality, list[tuple[int, Array]]] = {}
    report = Report()
    things = [_thing(item, wanted) for item, wanted in zip(data.units, data.wanted, strict=True)]
    with Road(model.reading, Limits(), known=model.modalities, takes=lambda: model.takes) as road:
        for i, found in enumerate(encoded(road.read_all(things), model.sequences)):
            name = _name(data.units[i])
            report.indexed += 1
            if isinstance(found, DuretrievalError):
                report.problems[name] = str(found) if isinstance(found, MediaError) else f"{name}: {found}"
            elif (vector := _vector(model, *found)).any():
                rows.setdefault(found[0], []).append((i, vector))
            else:
                report.problems[name] = f"{name}: the model finds nothing in its {found[0].value}"
            if progress:
                progress(report)
    embedded = {}
    for modality, held in rows.items():
        embedded[modality] = Embedded(tuple(i for i, _ in held), np.stack([vector for _, vector in held]))
    return embedded, list(report.problems.values())


def _vector(model: Model, modality: Modality, parts: Sequence[Array]) -> Array:
    """(dim,) of a thing of these parts, as `Model.sequences` gives them; zeros where nothing is in it."""
    if model.fusion is not None:
        return model.whole([modality] * len(parts), parts)
    return mean(np.concatenate(parts))


def _thing(item: Item, wanted: Modality | None) -> Thing:
    """A file as what its column holds, or as what it turns out to hold."""
    content = item.parts[0].content
    if not isinstance(content, Path):
        return item.parts[0]
    return content if wanted is None else Part(wanted, content)


def _measure(
    data: Labelled,
    embedded: Mapping[Modality, Embedded],
    query: Modality,
    gallery: Modality,
    wanted: Sequence[Measure],
    bootstrap: Bootstrap,
    scored: Callable[[list[int]], Scores],
    road: Road,
) -> tuple[Pair, Material] | None:
    """None where no row holds both modalities.

    scored: of these queries, by place, with all of the gallery.  road: to what is shown.
    """
    right = data.together.right(embedded[query].units, embedded[gallery].units)
    rows = right.any()
    if not rows:
        return None
    asking = [embedded[query].units[at] for at in rows]
    relevance = relevant([right[at] for at in rows])
    scores = scored(rows)
    pair = score_matrix(
        scores,
        relevance,
        wanted,
        query,
        gallery,
        queries=[_name(data.units[u]) for u in asking],
        cluster=data.together.clusters()[asking],
        bootstrap=bootstrap,
    )
    searched = embedded[gallery].units
    shown = [lambda i, units=units: _exhibit(data.units[units[i]], road) for units in (asking, searched)]
    return pair, Material(pair.name, scores, relevance, *shown)


def fits(model: Model, a: Array, b: Array) -> Array:
    """How similar rows i of a and b (n, dim) are: (n,)."""
    if model.scorer is not None:
        return model.scorer(a, b)
    similar: Array = np.einsum("nd,nd->n", a, b)
    return similar


def _graded(model: Model, data: Labelled, embedded: Mapping[Modality, Embedded]) -> dict[str, float]:
    """How far similarities follow the scores that rows give: "sentence1-sentence2/spearman" -> figure."""
    vectors = {u: row for held in embedded.values() for u, row in zip(held.units, held.vectors, strict=True)}
    found: dict[str, float] = {}
    for name, graded in data.graded.items():
        known = [(a, b, score) for a, b, score in graded if a in vectors and b in vectors]
        if known:
            one, other = np.stack([vectors[a] for a, _, _ in known]), np.stack([vectors[b] for _, b, _ in known])
            scores = np.array([score for _, _, score in known])
            values = correlations(fits(model, one, other), scores)
            found |= {f"{name}/{measure}": value for measure, value in values.items()}
    return found


def _ranked(model: Model, query: Embedded, gallery: Embedded, rows: list[int]) -> Scores:
    return ranked(model, query.vectors[rows], gallery.vectors)


def left_out(problems: Sequence[str]) -> list[str]:
    """Notes of what could not be read: a few by name, the others counted."""
    more = len(problems) - ROW_PROBLEMS
    counted = [f"left out: {more} more files"] if more > 0 else []
    return [*(f"left out: {problem}" for problem in problems[:ROW_PROBLEMS]), *counted]


def ranked(model: Model, asking: Array, gallery: Array) -> Scores:
    """Scores (q, n) of unit rows (q, dim) and (n, dim), ordered as a search with the model orders them."""
    if model.scorer is None:
        return Compared(asking, gallery, np.inner)
    return Reranked(asking, gallery, model.scorer)


def _name(item: Item) -> str:
    return Path(item.source).name + f"#{item.id}" if item.source else _words(item)


def _words(item: Item) -> str:
    """A text; of a vector, where it stands."""
    return str(item.fields.get("name") or item.parts[0].content)


def _exhibit(item: Item, road: Road) -> Exhibit:
    return of_file(Path(item.source), road) if item.source else of_text(_words(item))
