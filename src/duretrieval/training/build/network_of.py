"""A recipe and the columns of its data, as modules that learn and encoders that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import nn

from duretrieval.errors import ConfigError
from duretrieval.training import parts
from duretrieval.training.align.canonical import canonical_for
from duretrieval.training.build.encoders import Encoders
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import LossTerm, TotalLoss, inner
from duretrieval.training.build.relate import looking
from duretrieval.training.data.sample import Sample
from duretrieval.training.nets.score.mixed import SUPPORT, Mixed
from duretrieval.training.recipe import films
from duretrieval.training.recipe.parts import make
from duretrieval.training.recipe.recipe import Objective, Recipe, Use
from duretrieval.types import Ints, Modality


def make_network(
    recipe: Recipe,
    encoders: Encoders,
    columns: Mapping[str, Modality],
    fitted: Mapping[Modality, nn.Module] | None = None,
    kinds: Sequence[str] = (),
) -> Network:
    """Heads and fusion on top of the encoders, with parameters that follow from the recipe's seed.

    fitted: heads that are there already.  kinds: of neighbours, where rows have some.
    """
    torch.manual_seed(recipe.seed)
    used = {columns[name] for view in recipe.views for name in view}
    heads: dict[Modality, nn.Module] = dict(fitted or {})
    for modality in sorted(used, key=list(Modality).index):
        if modality in heads:
            continue
        if films.usual(modality) in heads and films.shares_head(recipe, modality, encoders.dim):
            heads[modality] = heads[films.usual(modality)]
            continue
        spec = films.head(recipe, modality)
        known = {"modality": modality}
        heads[modality] = make("train.heads", spec, known, {"dim_in": encoders.dim(modality), "dim": recipe.dim})
    fusion = None
    if recipe.fusion is not None:
        ordered = tuple(sorted(used, key=list(Modality).index))
        fixed = {"modalities": ordered, "width": recipe.dim, "dim": recipe.dim}
        tokens = {m.value: most for m, most in encoders.tokens.items() if m in used}
        around = {"kinds": kinds, "neighbours": recipe.data.relations.neighbours} if kinds else {}
        fusion = make("train.fusions", recipe.fusion, {"tokens": tokens}, {**fixed, **around})
    _check_read(recipe, encoders, fusion)
    nets = {modality: net for modality, net in encoders.nets.items() if modality in used}
    return Network(
        encoders=nets,  # type: ignore[arg-type]
        heads=heads,
        columns=columns,
        views=recipe.views,
        dim=recipe.dim,
        fusion=fusion,
        canonical=canonical_for(recipe, columns),
        looking=looking(recipe) if kinds else (),
        tokens=encoders.tokens,
    )


def _check_read(recipe: Recipe, encoders: Encoders, fusion: Any) -> None:
    """Raise ConfigError where an encoder hands on tokens that nothing reads."""
    if encoders.tokens and not getattr(fusion, "takes_tokens", False):
        said = f"the fusion {recipe.fusion.use!r} takes one row of a part" if recipe.fusion else "there is no [fusion]"
        names = ", ".join(sorted(encoders.tokens))
        raise ConfigError(
            f"[encoders] hand on tokens of {names}, and {said}; take cross-attention or attention, which read them, or "
            "leave `tokens` out"
        )


def make_objective(recipe: Recipe, network: Network, classes: int, width: int | None = None) -> TotalLoss:
    """The losses, the score they read, and the memory of earlier batches.

    width: length of the teacher's vectors; None: there is no teacher.
    """
    torch.manual_seed(recipe.seed + 1)
    known = {"dim": recipe.dim, "classes": classes}
    score = _score(recipe.score, known, len(recipe.views or network.views)) if recipe.score else inner
    terms = []
    for spec in recipe.losses:
        if width is None and getattr(parts.find("train.losses", spec.use), "reads", "") == "teacher-rows":
            raise ConfigError(
                f'{spec.use!r} learns the vectors of a teacher; name one: teacher = "builtin", or a folder'
            )
        loss = make("train.losses", Use(spec.use, spec.options), known | ({} if width is None else {"width": width}))
        reads = getattr(loss, "reads", "scores")
        classifier = nn.Linear(recipe.dim, classes) if reads == "labels" and classes else None
        _check_term(spec, loss, reads, score)
        settings = (spec.views, classifier, spec.on, spec.hardest, spec.apart, spec.matryoshka)
        terms.append(LossTerm(loss, spec.weight, reads, *settings))
    memory = None
    if recipe.fit.memory:
        from duretrieval.training.losses.memory import Memory

        memory = Memory(recipe.fit.memory)
    return TotalLoss(terms, score, memory)


def _check_cut(spec: Objective, reads: str, score: Any) -> None:
    """Raise ConfigError where a loss cannot be taken of shorter vectors."""
    if reads in ("rows", "labels", "teacher-rows"):
        raise ConfigError(
            f"{spec.use!r} is made for vectors of one length; matryoshka is for losses of scores, such as infonce"
        )
    if reads in ("scores", "teacher") and spec.on == "scores" and getattr(score, "dim", None) is not None:
        raise ConfigError(
            f"the score is made for vectors of {score.dim} dimensions and cannot compare shorter ones; give the loss "
            f'{spec.use!r} on = "vectors", or leave out matryoshka'
        )


def _check_term(spec: Objective, loss: Any, reads: str, score: Any) -> None:
    """Raise ConfigError where a loss has a setting that does nothing for it."""
    if spec.matryoshka:
        _check_cut(spec, reads, score)
    if spec.hardest and (reads != "scores" or getattr(loss, "pulls", False)):
        raise ConfigError(
            f"the loss {spec.use!r} has hardest = {spec.hardest}; it is for losses of scores that push negatives "
            "away, such as binary-cross-entropy, so take it out"
        )
    learned = (
        reads == "scores"
        and spec.on == "scores"
        and isinstance(score, nn.Module)
        and next(score.parameters(), None) is not None
    )
    if spec.apart and reads != "labels" and not learned:
        raise ConfigError(
            f"the loss {spec.use!r} has apart = true, and would teach nothing: it reads no [score] that learns, such "
            "as pair-scorer. Take it out, or name one"
        )


def _score(spec: Use, known: Mapping[str, Any], views: int) -> Any:
    """The score that a recipe names; a dense one is mixed with the cosine and known pairs, unless mix = false."""
    options = dict(spec.options)
    mix, support = options.pop("mix", True), options.pop("support", SUPPORT)
    if not isinstance(mix, bool) or not isinstance(support, int) or isinstance(support, bool):
        raise ConfigError(
            f"[score] has mix = {mix!r} and support = {support!r}; give true or false, and a whole number"
        )
    score = make("train.scores", Use(spec.use, options), known)
    if not getattr(score, "dense", False):
        if len(options) < len(spec.options):
            raise ConfigError(
                f"[score] has mix or support, and {spec.use!r} ranks by itself, with nothing to mix; take them out"
            )
        return score
    return Mixed(score, views=views, support=support) if mix else score


def draw_of(
    spec: Use, samples: Sequence[Sample], columns: Iterable[str]
) -> Callable[[int, int], Callable[[int], Ints]]:
    """The rows of each step by a recipe's sampler, of a batch size and a seed; of columns only these count."""
    used = set(columns)
    known = [replace(s, columns={name: part for name, part in s.columns.items() if name in used}) for s in samples]
    return partial(make("train.samplers", spec, {}), known)
