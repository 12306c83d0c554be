"""Deep CCA ends in linear CCA: what it taught can be compared, is exported, and searches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.coloured import COLOURS, SHAPES, picture
from tests.training.small import recipe
from torch.nn.functional import normalize

from duretrieval import Modality
from duretrieval.align.cca import Cca
from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError
from duretrieval.training.align.canonical import PENALTY, Canonical, needs_canonical
from duretrieval.training.data.batch import View
from duretrieval.training.data.sample import Sample
from duretrieval.training.runs.reopened import reopen
from duretrieval.training.runs.run import assemble
from duretrieval.training.runs.trained import train

SIDES = ((Modality.TEXT,), (Modality.IMAGE, Modality.VIDEO))


def views(n: int = 200, dim: int = 6) -> tuple[View, View]:
    """Rows that share three directions, each in axes of its own; some are missing."""
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn(n, 3, generator=generator)
    made = []
    for _ in range(2):
        own = torch.cat([shared, torch.randn(n, dim - 3, generator=generator)], dim=1)
        axes = torch.linalg.qr(torch.randn(dim, dim, generator=generator))[0]
        made.append(View(normalize(own @ axes, dim=1), torch.rand(n, generator=generator) < 0.9))
    return made[0], made[1]


def test_rows_turn_as_the_engine_turns_them() -> None:
    x, y = views()
    turn = Canonical(SIDES, 6).eval()
    assert torch.equal(turn(x.rows, Modality.TEXT), x.rows)
    turn.fit(x, y)
    both = (x.present & y.present).numpy()
    plain = [view.rows.numpy().astype(np.float64)[both] for view in (x, y)]
    engine = Cca.fit(*plain, x_modalities=SIDES[0], y_modalities=SIDES[1], dim=6, penalty=PENALTY)
    for view, modality in ((x, Modality.TEXT), (y, Modality.IMAGE), (y, Modality.VIDEO)):
        ours = turn(view.rows, modality).numpy()
        np.testing.assert_allclose(ours, engine(view.rows.numpy(), modality), atol=1e-5)
        np.testing.assert_allclose(ours, turn.aligner(view.rows.numpy(), modality), atol=1e-5)
    a, b = turn(x.rows, Modality.TEXT)[both], turn(y.rows, Modality.IMAGE)[both]
    assert float((a * b).sum(dim=1).mean()) > 0.9
    assert float((x.rows[both] * y.rows[both]).sum(dim=1).mean()) < 0.3
    assert torch.equal(turn.train()(x.rows, Modality.TEXT), x.rows)
    turn.eval().forget()
    assert torch.equal(turn(x.rows, Modality.TEXT), x.rows)


def test_components_in_which_nothing_varies_are_zero() -> None:
    x, y = views()
    flat = torch.cat([normalize(x.rows[:, :2], dim=1), torch.zeros(len(x.rows), 4)], dim=1)
    turn = Canonical(SIDES, 6).eval()
    turn.fit(View(flat, x.present), y)
    rows = turn(flat, Modality.TEXT)
    assert rows.shape == (200, 6)
    assert rows[:, 2:].abs().max() == 0
    np.testing.assert_allclose(rows.norm(dim=1), 1, atol=1e-5)


@pytest.mark.slow
def test_deep_cca_alone_trains_exports_and_searches(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    made = recipe(loss={"use": "deep-cca"}, dim=4, fit={"epochs": 12, "batch": 48, "lr": 0.01})
    assert needs_canonical(made)
    outcome = train(made, data, tmp_path / "run", cache=cache)
    assert outcome.val["text→image/hit@5"] > 0.9  # of 12 pictures: .42 by chance, and untrained less
    assert reopen(tmp_path / "run", data=data, cache=cache).network.canonical is not None
    with Collection.open(tmp_path / "collection", outcome.model) as collection:
        (tmp_path / "shown").mkdir()
        collection.add([picture(tmp_path / "shown", c, s, 100) for c in COLOURS for s in SHAPES])
        asked = {f"{colour}-circle-100.png": f"a {colour} circle on the floor" for colour in COLOURS}
        found = [str(collection.search(words, k=1)[0].item.fields["name"]) for words in asked.values()]
    assert found == list(asked)  # each of six pictures


def test_it_turns_only_where_nothing_else_compares(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    both = recipe(losses=[{"use": "deep-cca"}, {"use": "infonce"}])
    assert not needs_canonical(both)
    assert assemble(both, (data, []), tmp_path / "a", cache=cache).network.canonical is None
    fused = {"views": [["text", "image"], ["image"]], "fusion": {"use": "gated"}}
    for change in (fused, {"score": {"use": "neural-tensor"}}):
        made = recipe(loss={"use": "deep-cca"}, **change)
        with pytest.raises(ConfigError, match="deep-cca alone teaches two views of different modalities"):
            assemble(made, (data, []), tmp_path / "b", cache=cache)
