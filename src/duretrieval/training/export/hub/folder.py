"""A run's encoders as a folder of another library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from duretrieval import plugins, whole
from duretrieval.errors import UnknownPart
from duretrieval.training.build.network import Network
from duretrieval.training.build.prepare import Prepared
from duretrieval.training.export.hub.agree import agree
from duretrieval.training.export.hub.card import card
from duretrieval.training.export.hub.plain import write_transformers
from duretrieval.training.export.hub.sentence import write_sentence
from duretrieval.training.export.hub.towers import SENTENCE, Layout, towers
from duretrieval.training.nets.text.transformer import TextTransformer
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.types import Modality


@dataclass(frozen=True, slots=True)
class Hub:
    """A folder that another library opens."""

    folder: Path
    layout: Layout
    modalities: tuple[Modality, ...]
    """Those of the run that it holds."""
    dim: int
    opens: str | None
    """The name by which the engine opens it too ("st:FOLDER"); None: only a recipe does, as an encoder's `model`."""
    differences: Mapping[Modality, float]
    """From the run's vectors, at most, on a few of its training rows."""


def write_hub(
    recipe: Recipe,
    prepared: Prepared,
    network: Network,
    folder: str | Path,
    layout: Layout,
    *,
    only: str | None,
    name: str,
    training: Mapping[str, Any],
    figures: Mapping[str, Mapping[str, float]],
) -> Hub:
    """Write the folder, and compare a few vectors of it, opened by its own library, with the run's.

    only: one modality of the run.  training, figures: what README.md says of it.

    Raises:
        ConfigError: something is at `folder`, or a part of the run has no place in the layout; the message names it.
        ModelError: the library makes other vectors of it.
        UnknownPart: there is no such layout.
    """
    if layout not in (layouts := get_args(Layout)):
        raise UnknownPart(f"no layout {layout!r}.{plugins.suggest(layout, [*layouts])} There are: {', '.join(layouts)}")
    folder = Path(folder)
    found = towers(recipe, prepared, network.cpu().eval(), layout, only)
    with whole.folder(folder) as place:
        (write_sentence if layout == SENTENCE else write_transformers)(found, place)
        differences = agree(place, layout, found, prepared)
        text = card(name, layout, found, training, figures, differences, (recipe.dim, *recipe.dims))
        (place / "README.md").write_text(text, encoding="utf-8")
    kind = "st" if layout == SENTENCE else found[0].use
    opens = None if layout != SENTENCE and isinstance(found[0].net, TextTransformer) else f"{kind}:{folder}"
    return Hub(folder, layout, tuple(tower.modality for tower in found), recipe.dim, opens, differences)
