"""Runs that differ in their seed as one model: the heads of each, averaged where one space holds them together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.training.data.sample import Sample
from duretrieval.training.nets.averaged import Averaged
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.runs.reopened import reopen, unused
from duretrieval.training.runs.run import BEST, Run, figures_of, load, write_model


def export_averaged(
    runs: Sequence[str | Path],
    folder: str | Path,
    *,
    name: str | None = None,
    data: str | Path | Sequence[Sample] | None = None,
    cache: str | Path | None = None,
    trust: bool = False,
) -> Model:
    """Write one model of the best checks of several runs of one recipe and data, whose seeds differ.

    A head that learned is the mean of its likes (`Averaged`); what the runs have in common stays as it is.  Means are
    of one space only if something holds the spaces together: a modality whose head is the same in all runs.

    name, data, cache, trust: as `export_run` takes them.

    Raises:
        ConfigError: fewer than two runs, or of different recipes or data, or of spaces that nothing holds together, or
            something besides heads differs; or as `export_run`.
        ModelError: the engine's vectors are not torch's.
    """
    folders, target = [Path(run) for run in runs], unused(Path(folder))
    source = Path(data) if isinstance(data, str) else data
    place = None if cache is None else Path(cache)
    if len({run.resolve() for run in folders}) < 2:
        raise ConfigError("one run alone has nothing to be averaged with; give further runs of its recipe")
    with ExitStack() as held:
        opened = []
        for run in folders:
            opened.append(reopen(run, data=source, cache=place, trust=trust))
            held.enter_context(closing(opened[-1].prepared.decoders))
        first, *others = opened
        for other in others:
            _require_alike(first, other)
        for known in opened:
            load(known, known.folder / BEST)
        _average(first, others)
        return write_model(first, target, 0, figures_of(first), name)


def _require_alike(one: Run, other: Run) -> None:
    if _unseeded(one.recipe) != _unseeded(other.recipe):
        raise ConfigError(
            f"{one.folder} and {other.folder} are runs of different recipes; only the seed, and the name, may differ"
        )
    if one.prepared.digest != other.prepared.digest:
        raise ConfigError(f"{one.folder} and {other.folder} learned from different data; train both on the same")


def _unseeded(recipe: Recipe) -> Recipe:
    return replace(recipe, name="any", seed=0)


def _average(run: Run, others: Sequence[Run]) -> None:
    """Put the means in the place of the run's own heads."""
    differing = {
        modality
        for modality, head in run.network.heads.items()
        if not all(_same(head, other.network.heads[modality]) for other in others)
    }
    if not differing:
        raise ConfigError(f"the runs {', '.join(str(r.folder) for r in (run, *others))} are the same; vary the seed")
    if differing == set(run.network.heads):
        raise ConfigError(
            f"every head of these runs ({', '.join(sorted(differing))}) learned by itself, so each run has a space of "
            "its own, and means of their rows are of none. Give one modality a head that does not learn "
            '(heads.text = "identity") and train again'
        )
    rest = ("encoders", "fusion", "canonical")
    for other in others:
        for part in rest:
            if not _same(getattr(run.network, part), getattr(other.network, part)):
                raise ConfigError(f"the runs' {part} learned too, and only heads can be averaged")
        if not _same(run.objective.score, other.objective.score):
            raise ConfigError("the runs' scores learned too, and only heads can be averaged")
    means: dict[int, Averaged] = {}  # modalities may share a head
    for modality in sorted(differing):
        own = run.network.heads[modality]
        heads = [made.network.heads[modality] for made in (run, *others)]
        run.network.heads[modality] = means.setdefault(id(own), Averaged(heads))  # type: ignore[arg-type]


def _same(one: object, other: object) -> bool:
    """Whether two modules hold the same numbers."""
    if not isinstance(one, nn.Module) or not isinstance(other, nn.Module):
        return isinstance(one, nn.Module) == isinstance(other, nn.Module)
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(value, b[key]) for key, value in a.items())
