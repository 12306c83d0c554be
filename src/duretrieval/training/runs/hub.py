"""A run's model back to the libraries it came from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from duretrieval import plugins
from duretrieval.training.data.sample import Sample
from duretrieval.training.export.hub.folder import Hub, write_hub
from duretrieval.training.export.hub.towers import Layout
from duretrieval.training.runs.reopened import reopen, unused
from duretrieval.training.runs.run import figures_of, load, provenance


def export_hub(
    run: str | Path,
    folder: str | Path,
    layout: Layout,
    *,
    only: str | None = None,
    name: str | None = None,
    checkpoint: Literal["best", "last"] = "best",
    data: str | Path | Sequence[Sample] | None = None,
    cache: str | Path | None = None,
    trust: bool = False,
) -> Hub:
    """Write the encoders of a run's checkpoint as sentence-transformers or transformers save a model.

    A transformer goes with its pooling and its head, a joint model with the towers that have learned; LoRA is merged.
    The folder is opened again by its library, and its vectors of a few training rows must be the run's.  only: one
    modality, where the others have no place in such a folder.  name: what README.md calls it; None: as the recipe.
    data: the run's, if it has moved or was samples.  checkpoint, cache, trust: as `export_run` takes them.

    Raises:
        ConfigError: as `export_run`; or a part of the run has no place in the layout: the message names it, and what
            to do instead.
        ModelError: the library makes other vectors of the folder.
        UnknownPart: there is no such layout.
    """
    run, folder = Path(run), Path(folder)
    unused(folder)
    data = Path(data) if isinstance(data, str) else data
    opened = reopen(run, data=data, cache=Path(cache) if cache is not None else None, trust=trust)
    stored, trusted = plugins.stored(run / "recipe.json"), plugins.trusting(trust)
    with closing(opened.prepared.decoders), stored, trusted:
        epoch = 0 if opened.recipe.align else load(opened, run / f"{checkpoint}.ckpt")
        figures = figures_of(opened)
        return write_hub(
            opened.recipe,
            opened.prepared,
            opened.network,
            folder,
            layout,
            only=only,
            name=name or opened.recipe.name,
            training=provenance(opened, epoch, figures),
            figures=figures,
        )
