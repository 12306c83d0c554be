"""Rows of several windows: the head sees each, and a row is the unit mean of what comes out, as in the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.media.samples import tone, write_wave
from tests.training.nets.text.tiny import saved
from tests.training.small import recipe
from torch import Tensor, nn
from torch.nn.functional import normalize

from duretrieval.collection.collection import Collection
from duretrieval.collection.reading import Road
from duretrieval.errors import ModelError
from duretrieval.fuse.means import mean
from duretrieval.media import decoder
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.training.build.network import Network
from duretrieval.training.data.batch import Batch
from duretrieval.training.data.batches import Column, Rows
from duretrieval.training.data.content import load
from duretrieval.training.data.sample import Sample
from duretrieval.training.export.background import windows_of
from duretrieval.training.export.parity import TOLERANCE, compare
from duretrieval.training.fit.validation import views_of
from duretrieval.training.runs.reopened import reopen
from duretrieval.training.runs.run import BEST
from duretrieval.training.runs.run import load as loaded
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Part, Query, Reading, Term

TEXT, AUDIO = Modality.TEXT, Modality.AUDIO


def ragged(counts: list[int], present: list[bool] | None = None, seed: int = 0) -> Column:
    """A column of rows with so many windows."""
    rows = unit(np.random.default_rng(seed).standard_normal((sum(counts), 3)).astype(np.float32))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Column(AUDIO, np.array(present or [True] * len(counts)), rows, starts=starts)


def network(head: nn.Module, **views: Any) -> Network:
    return Network(encoders={}, heads={AUDIO: head}, columns={"sound": AUDIO}, views=[("sound",)], dim=4, **views)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=7), st.data())
def test_a_batch_brings_the_windows_of_its_rows(kinds: list[tuple[int, bool]], data: st.DataObject) -> None:
    column = ragged([n for n, _ in kinds], [there for _, there in kinds])
    n = len(kinds)
    places = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=9))
    torch.manual_seed(0)
    head = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 4))
    made = network(head)
    batch = Rows({"sound": column}, np.arange(n), np.full(n, -1))[places]
    rows, windows = made.aligned(batch, "sound"), made.windows(batch, "sound")
    assert column.starts is not None
    assert column.rows is not None
    expected, every = [], []
    for place in places:
        mine = torch.from_numpy(column.rows[column.starts[place] : column.starts[place + 1]])
        out = normalize(head(mine), dim=1)
        every += [out] if kinds[place][1] else []
        expected.append(normalize(out.mean(dim=0), dim=0) if kinds[place][1] else torch.zeros(4))
    torch.testing.assert_close(rows, torch.stack(expected), atol=1e-5, rtol=0)
    torch.testing.assert_close(windows, torch.cat([torch.zeros(0, 4), *every]), atol=1e-5, rtol=0)
    assert ("sound" in batch.owners) == any(kinds[place][0] > 1 for place in places)
    torch.testing.assert_close(made(batch.to(torch.device("cpu")))["sound"].rows, rows)


def test_a_slice_of_a_column_and_its_means() -> None:
    column = ragged([2, 1, 3, 1])
    assert column.starts is not None
    assert column.rows is not None
    cut = column.cut(slice(1, 3))
    assert cut.starts is not None
    assert cut.starts.tolist() == [0, 1, 4]
    np.testing.assert_array_equal(cut.rows, column.rows[2:6])
    np.testing.assert_allclose(cut.means()[1], mean(column.rows[3:6]), atol=1e-6)
    np.testing.assert_allclose(column.means()[1], column.rows[2], atol=1e-6)


def test_columns_of_one_modality_are_the_mean_of_all_their_windows() -> None:
    """As the engine fuses an item: a column of two windows counts twice against one of one."""

    class First(nn.Module):
        def forward(self, rows: dict[Modality, Tensor], present: Any) -> Tensor:
            return rows[AUDIO]

    made = Network(
        encoders={},
        heads={AUDIO: nn.Identity()},
        columns={"a": AUDIO, "b": AUDIO},
        views=[("a", "b")],
        dim=2,
        fusion=First(),
    )
    x, y = [1.0, 0.0], [0.0, 1.0]
    here = torch.ones(1).bool()
    inputs = {"a": {"rows": torch.tensor([x, x])}, "b": {"rows": torch.tensor([y])}}
    one = torch.zeros(1, dtype=torch.int64)
    batch = Batch(inputs, {"a": here, "b": here}, one, one, one, 1, {"a": torch.tensor([0, 0])})
    torch.testing.assert_close(made(batch)["a+b"].rows, normalize(torch.tensor([[2.0, 1.0]]), dim=1))


# ---- sounds of several windows, a head that is not linear


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Twelve sounds of 5 to 15 s, each window another tone."""
    folder = tmp_path_factory.mktemp("sounds")
    found = []
    for i in range(12):
        seconds = 5.0 * (1 + i % 3)
        high = [220.0 + 60 * i, 3000.0 - 100 * i, 700.0 + 30 * i]
        write_wave(folder / f"{i}.wav", samples=tone(seconds, 16_000, high), rate=16_000)
        columns = {"text": Part(TEXT, f"tone number {i}"), "audio": Part(AUDIO, folder / f"{i}.wav")}
        found.append(Sample(str(i), columns, split="train" if i < 8 else "val"))
    return found


SOUNDS: dict[str, Any] = {"views": [["text"], ["audio"]], "fit": {"epochs": 2}}


def test_the_engine_agrees_with_torch_about_long_sounds(
    sounds: list[Sample], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = train(recipe(**SOUNDS), sounds, tmp_path / "run", cache=cache)
    run = reopen(tmp_path / "run", data=sounds, cache=cache)
    loaded(run, tmp_path / "run" / BEST)
    held = run.prepared.rows["train"].columns["audio"]
    assert held.starts is not None
    assert np.diff(held.starts).tolist() == [1 + i % 3 for i in range(8)]
    model = Model.load(outcome.model)
    found = compare(model, run.prepared, run.network, run.objective)
    assert found[AUDIO] < TOLERANCE
    assert len(windows_of(run.network, run.prepared.rows["train"])[AUDIO]) == len(held.rows)  # type: ignore[arg-type]
    _search_is_as_torch(run, model, sounds, tmp_path)

    def before_the_head(self: Network, batch: Batch, column: str) -> Tensor:
        rows, owners = batch.inputs[column]["rows"], batch.owners.get(column)
        if owners is not None:
            sums = rows.new_zeros((len(batch.present[column]), rows.shape[1])).index_add(0, owners, rows)
            rows = normalize(sums, dim=1)
        return normalize(self.heads[self.columns[column]](rows), dim=1)

    monkeypatch.setattr(Network, "aligned", before_the_head)
    with pytest.raises(ModelError, match="the exported model's audio vectors differ from torch's by"):
        compare(model, run.prepared, run.network, run.objective)


def _search_is_as_torch(run: Any, model: Model, sounds: list[Sample], folder: Path) -> None:
    """A sound that is asked with has the row that validation measured."""
    views = views_of(run.network, run.prepared.rows["val"])
    with Collection.open(folder / "c", model) as collection:
        for place, sample in enumerate(run.prepared.samples["val"]):
            content = sample.columns["audio"].content
            assert isinstance(content, Path)
            asking = collection._asking()
            (row,), _ = asking.embed(Query((Term(AUDIO, content),)), collection._store)
            np.testing.assert_allclose(row, views["audio"].rows[place].numpy(), atol=1e-4)


def test_rows_of_frozen_encoders_are_decoded_elsewhere(
    sounds: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "kind_of", here := Mock(wraps=decoder.kind_of))
    (tmp_path / "bad.wav").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    bad = Sample("bad", {"text": Part(TEXT, "bad"), "audio": Part(AUDIO, tmp_path / "bad.wav")}, split="train")
    outcome = train(recipe(**SOUNDS), [*sounds, bad], tmp_path / "run", cache=tmp_path / "cache")
    assert "bad, audio: " in (tmp_path / "run" / "problems.txt").read_text()
    assert outcome.model.is_dir()
    here.assert_not_called()
    decoder.decode(sounds[0].columns["audio"].content, Reading(), Limits())  # type: ignore[arg-type]
    here.assert_called_once()


def test_closed_forms_are_fitted_to_means_and_carry_windows(sounds: list[Sample], cache: Path, tmp_path: Path) -> None:
    from duretrieval.training.recipe.toml import to_recipe

    table = {"dim": 384, "views": [["text"], ["audio"]], "align": {"use": "ridge"}, "data": {"near_duplicates": False}}
    outcome = train(to_recipe(table), sounds, tmp_path / "run", cache=cache)
    run = reopen(tmp_path / "run", data=sounds, cache=cache)
    model = Model.load(outcome.model)
    found = compare(model, run.prepared, run.network, run.objective)
    assert found[AUDIO] < TOLERANCE


# ---- an encoder that learns


LONG = "\n\n".join(f"The {place} is wet and cold. " + "It rains again. " * 30 for place in ("shelf", "door", "lawn"))


def test_an_encoder_that_learns_reads_a_passage_of_a_long_text() -> None:
    part = Part(TEXT, LONG)
    with Road(Reading(), Limits(), workers=1) as road:
        read = [piece.content for piece in road.read(part).wanted()]
        assert len(read) == 3
        assert load(part, road.pool).content == read[0]
        drawn = {load(part, road.pool, np.random.default_rng(seed)).content for seed in range(20)}
        assert drawn == set(read)
        assert load(Part(TEXT, "short"), road.pool, np.random.default_rng(0)).content == "short"


def test_an_encoder_that_learns_is_compared_by_all_it_would_read(
    data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    long = [
        Sample(s.id, {**s.columns, "text": Part(TEXT, f"{s.columns['text'].content}. {LONG}")}, s.label, split=s.split)
        for s in data
    ]
    encoders = {
        "text": {"use": "transformer", "model": saved("bert", tmp_path), "train": ["*"]},
        "image": {"use": "builtin"},
    }
    outcome = train(recipe(encoders=encoders, fit={"epochs": 1}), long, tmp_path / "run", cache=cache)
    run = reopen(tmp_path / "run", data=long, cache=cache)
    loaded(run, tmp_path / "run" / BEST)
    found = compare(Model.load(outcome.model), run.prepared, run.network, run.objective)
    assert found[TEXT] < TOLERANCE
