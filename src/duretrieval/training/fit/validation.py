"""How good the model is on rows that it did not learn from, with the metrics of `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.evaluation.labels.relevance import Relevance
from duretrieval.evaluation.labels.together import Right
from duretrieval.evaluation.measures import Measure, measure
from duretrieval.evaluation.metrics import accuracy, decisions, f1, recall
from duretrieval.evaluation.metrics.correlation import correlations
from duretrieval.evaluation.metrics.ranking import per_query
from duretrieval.evaluation.metrics.summary import mean, median
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import LossTerm, TotalLoss, inner
from duretrieval.training.data.batch import Batch, View
from duretrieval.training.data.batches import Rows
from duretrieval.training.data.positives import Positives
from duretrieval.training.data.things import sides
from duretrieval.training.fit.mixing import Sides, choose_shares
from duretrieval.training.fit.reranking import reranked
from duretrieval.training.nets.score.mixed import Mixed
from duretrieval.training.recipe.monitor import CLASSES, GRADED, LOSS, sign

BATCH = 512
PAIRED = 64
"""Rows whose scores with each other are made to have those with themselves."""
RETRIEVAL = ("hit@1", "hit@5", "hit@10", "rr", "ap")


def views_of(
    network: Network,
    rows: Rows,
    device: torch.device | None = None,
    places: Sequence[int] | None = None,
    *,
    asking: bool = False,
) -> dict[str, View]:
    """The views of rows, None: of every one, those of negatives too; in evaluation mode, on the CPU, not augmented.

    asking: as `Network` takes it.
    """
    was_training = network.training
    network.eval()
    parts: dict[str, list[View]] = {name: [] for name in (*network.views, *(network.alone if asking else ()))}
    rows = rows.plain()
    wanted = range(len(rows)) if places is None else places
    with torch.inference_mode():
        for batch in rows.batches(wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH)):
            for name, view in network(batch if device is None else batch.to(device), asking=asking).items():
                parts[name].append(View(view.rows.cpu(), view.present.cpu()))
    network.train(was_training)
    return {
        name: View(torch.cat([v.rows for v in found]), torch.cat([v.present for v in found]))
        for name, found in parts.items()
    }


def retrieval(
    views: Mapping[str, View],
    positives: Positives,
    names: Sequence[str],
    score: Any = inner,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> dict[str, dict[str, float]]:
    """Each view asks, each other one is searched, as `evaluate` does it: "text→image" -> metric -> figure.

    What several rows hold asks once and is found once; all that belongs together with it is right, and what has
    nothing right does not ask.  pairs: what asks and what is searched, where it is not each view each other one.
    """
    wanted = [measure(name) for name in names]
    return {name: _figures(*found, wanted, score) for name, found in directions(views, positives, pairs).items()}


def directions(
    views: Mapping[str, View], positives: Positives, pairs: Sequence[tuple[str, str]] | None = None
) -> dict[str, Sides]:
    """Each direction that has queries, by its name: rows that ask, rows that are searched, places of what is right."""
    there = {name: view.present.nonzero().flatten().cpu() for name, view in views.items()}
    found: dict[str, Sides] = {}
    for asking, searched in permutations(views, 2) if pairs is None else pairs:
        queries, gallery, right = _sides(positives, asking, there[asking], searched, there[searched])
        if len(queries) and len(gallery) > 1:
            found[f"{asking}→{searched}"] = views[asking].rows[queries], views[searched].rows[gallery], right
    return found


def graded(views: Mapping[str, View], scores: Tensor | None, score: Any = inner) -> dict[str, dict[str, float]]:
    """How far the similarities of two views of a row follow its score: "text→image" -> "spearman" -> figure.

    scores: (n,), NaN is none.
    """
    found: dict[str, dict[str, float]] = {}
    if scores is None:
        return found
    for a, b in permutations(views, 2):
        at = (views[a].present & views[b].present & ~scores.isnan()).nonzero().flatten()
        with torch.inference_mode():
            blocks = [score(views[a].rows[some], views[b].rows[some]).diagonal() for some in torch.split(at, PAIRED)]
        if figures := correlations(torch.cat([at.new_zeros(0), *blocks]).double().numpy(), scores[at].numpy()):
            found[f"{a}→{b}"] = figures
    return found


def asked(
    rows: Rows, views: Mapping[str, Sequence[str]], pairs: Sequence[tuple[str, str]] | None = None
) -> dict[str, int]:
    """How many ask in each direction: "text→image" -> different texts that have a right picture."""
    there = {
        name: torch.from_numpy(np.flatnonzero(np.any([rows.columns[column].present for column in columns], axis=0)))
        for name, columns in views.items()
    }
    wanted = list(permutations(there, 2)) if pairs is None else pairs
    sides = {f"{a}→{b}": _sides(rows.positives, a, there[a], b, there[b]) for a, b in wanted}
    return {direction: len(found[0]) for direction, found in sides.items()}


def _sides(
    positives: Positives, asking: str, rows: Tensor, searched: str, among: Tensor
) -> tuple[Tensor, Tensor, Right]:
    """Rows that ask, rows that are searched, and of each that asks the places of what is right among these."""
    held, there = positives.of(asking, rows).numpy(), positives.of(searched, among).numpy()
    queries, gallery, right = sides(positives.together, rows.numpy(), held, among.numpy(), there)
    return torch.from_numpy(queries), torch.from_numpy(gallery), right


def _figures(a: Tensor, b: Tensor, right: Relevance, wanted: Sequence[Measure], score: Any) -> dict[str, float]:
    values = per_query({m.name: m.of for m in wanted}, reranked(score, a, b), right)
    return {m.name: median(values[m.name]) if m.statistic == "median" else mean(values[m.name]) for m in wanted}


def classes(views: Mapping[str, View], labels: Tensor, terms: Sequence[LossTerm]) -> dict[str, float]:
    """Accuracy, macro recall and macro F1 of the classifier, over all views that it learns from; {} without one."""
    given: list[int] = []
    true: list[int] = []
    for term in terms:
        if term.classifier is None:
            continue
        for name in dict.fromkeys(term.views or views):
            known = views[name].present & (labels >= 0)
            given += _decided(term.classifier, views[name].rows[known])
            true += labels[known].tolist()
    if not true:
        return {}
    counts = decisions(true, given)
    return {"accuracy": accuracy(true, given), "recall": recall(counts), "f1": f1(counts)}


def _decided(classifier: nn.Module, rows: Tensor) -> list[int]:
    device = next(classifier.parameters()).device
    with torch.inference_mode():
        decided: list[int] = classifier(rows.to(device)).argmax(dim=1).cpu().tolist()
    return decided


def mean_loss(objective: TotalLoss, views: Mapping[str, View], rows: Rows, device: torch.device) -> float:
    """The objective on the views of rows that are not learned from, at most `BATCH` at a time in their order.

    Equally many at a time: a last row alone would have nothing to be told from, and count as a loss of 0.
    """
    losses = []
    with torch.inference_mode():
        for anchors in torch.arange(len(rows)).tensor_split(-(-len(rows) // BATCH)):
            at = torch.tensor([*anchors.tolist(), *rows.harder(anchors.tolist())])
            scores = None if rows.scores is None else rows.scores[at]
            batch = Batch({}, {}, rows.keys[at], rows.labels[at], at, len(anchors), scores=scores).to(device)
            cut = {name: View(v.rows[at].to(device), v.present[at].to(device)) for name, v in views.items()}
            losses.append(float(objective(cut, batch, rows.positives, rows.taught)) * len(anchors))
    return sum(losses) / len(rows)


def check(
    network: Network, objective: TotalLoss, rows: Rows, monitor: str, *, mixing: bool = False
) -> dict[str, float]:
    """Every figure of these rows by name ("text→image/hit@1", "f1"), and "monitor", the one that decides: larger wins.

    mixing: choose on these rows first how a learned score is mixed with the cosine and with known pairs, where it is.

    Raises:
        ConfigError: the monitor is no metric, or cannot be measured on this data.
    """
    names = list(RETRIEVAL) if monitor in (*RETRIEVAL, *CLASSES, *GRADED, LOSS) else [*RETRIEVAL, monitor]
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    every = views_of(network, rows, device, asking=True)
    views = {name: every[name] for name in network.views}
    was_training = objective.training
    objective.eval()
    score = objective.score.cpu() if isinstance(objective.score, nn.Module) else objective.score
    if mixing and isinstance(score, Mixed):
        sides = directions(every, rows.positives, network.directions)
        choose_shares(score, [*sides.values()], monitor if monitor in names else "rr")
    pairs = retrieval(every, rows.positives, names, score, network.directions)
    for pair, found in graded(views, rows.scores, score).items():
        pairs[pair] = pairs.get(pair, {}) | found
    if isinstance(objective.score, nn.Module):
        objective.score.to(device)
    figures = {f"{pair}/{name}": value for pair, found in pairs.items() for name, value in found.items()}
    figures |= classes(views, rows.labels, objective.terms)
    figures[LOSS] = mean_loss(objective, views, rows, device)
    objective.train(was_training)
    decides = [found[monitor] for found in pairs.values() if monitor in found]
    if monitor in (*CLASSES, LOSS) and monitor in figures:
        decides = [figures[monitor]]
    if not decides:
        measured = ", ".join(sorted({name.split("/")[-1] for name in figures})) or "nothing"
        raise ConfigError(
            f"{monitor!r} cannot be measured on the {len(rows)} validation rows; what could be is {measured}. Give "
            "fit.monitor one of these, or more validation rows"
        )
    return {**figures, "monitor": sign(monitor) * float(np.mean(decides))}
