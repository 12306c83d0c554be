"""Relations between rows, where the fusion of a recipe looks at neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from duretrieval.errors import ConfigError
from duretrieval.training import parts
from duretrieval.training.data.batches import Column, Rows
from duretrieval.training.data.examples import Examples
from duretrieval.training.data.read import SPLITS
from duretrieval.training.data.related import Related, placed
from duretrieval.training.data.splits import Splits
from duretrieval.training.recipe.recipe import Recipe, view_name


def looking(recipe: Recipe) -> tuple[str, ...]:
    """The views that see neighbours, of a recipe whose views are named; none where its fusion looks at none.

    Raises:
        ConfigError: relations are given and nothing looks at them, or there is no such view.
    """
    said = recipe.data.relations
    if recipe.fusion is None or not hasattr(parts.find("train.fusions", recipe.fusion.use), "beside"):
        if said.file is not None:
            what = "nothing is fused" if recipe.fusion is None else f"the fusion {recipe.fusion.use!r} looks at none"
            raise ConfigError(
                f"data.relations names {said.file!r}, and {what}; take [fusion] use = 'graph-attention', or leave the "
                "relations out"
            )
        return ()
    names = [view_name(view) for view in recipe.views]
    for name in said.views or ():
        if name not in names:
            raise ConfigError(f"data.relations names a view {name!r}; there are: {', '.join(names)}")
    return tuple(said.views if said.views is not None else names[1:] or names)


def relate(
    recipe: Recipe, samples: Splits, rows: Mapping[str, Rows], columns: Mapping[str, Column]
) -> tuple[tuple[str, ...], Sequence[str]]:
    """Tell the rows of each split who is beside them; the kinds of neighbours in training, and what is not used.

    columns: of all rows, split after split.

    Raises:
        ConfigError: as `looking` and `placed`; or relations are given, and none is between rows of training.
    """
    if not looking(recipe):
        return (), ()
    starts, start = {}, 0
    for name in SPLITS:
        starts[name], start = start, start + rows[name].total
    settings = recipe.data.relations
    found = placed({name: samples[name] for name in SPLITS}, starts, settings)
    if not found.kinds:
        if settings.file is not None:
            why = "".join(f". {said[0].upper()}{said[1:]}" for said in found.problems)
            raise ConfigError(f"no relation of {settings.file} is between two rows of training{why}")
        return (), found.problems
    pool = _all(rows, columns)
    for name in SPLITS:
        drawn = name == "train"
        among = rows[name] if drawn else pool  # the rows of training come first, so their places are the same in both
        rows[name].related = Related(among, found.lists[name], settings.neighbours, recipe.seed, drawn=drawn)
    return found.kinds, found.problems


def _all(rows: Mapping[str, Rows], columns: Mapping[str, Column]) -> Rows:
    """The rows of all splits as one, not augmented."""
    held = [rows[name] for name in SPLITS]
    read = [one.examples for one in held if one.examples is not None]
    keys, labels = (torch.cat([getattr(one, name) for one in held]).numpy() for name in ("keys", "labels"))
    left_out = held[0].left_out
    if not read:
        return Rows(columns, keys, labels, left_out=left_out)
    samples = [sample for examples in read for sample in examples.samples]
    still = Examples(samples, seed=read[0].seed, decoders=read[0].decoders)
    return Rows(columns, keys, labels, still, left_out=left_out)
