"""Recipes whose encoders hand on tokens: trained, kept within a budget, exported, and searched alike."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.nets.text.tiny import saved
from tests.training.small import recipe

from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.training.build.prepare import prepare
from duretrieval.training.build.teaching import taught_rows
from duretrieval.training.data.sample import Sample
from duretrieval.training.export.parity import TOLERANCE, compare
from duretrieval.training.fit.validation import views_of
from duretrieval.training.runs.reopened import reopen
from duretrieval.training.runs.run import BEST, Run, load
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Part, Term

TEXT, IMAGE = Modality.TEXT, Modality.IMAGE
FROZEN = {"text": {"use": "builtin", "tokens": 6}, "image": {"use": "builtin", "tokens": 16}}
ASKED: dict[str, Any] = {
    "views": [["query"], ["text", "image"]],
    "heads": {"use": "linear"},
    "encoders": FROZEN,
    "fusion": {"use": "cross-attention", "query": "text"},
}


@pytest.fixture(scope="module")
def asked(data: list[Sample]) -> list[Sample]:
    """Every row with a question; some lack their picture, and some their text."""
    found = []
    for place, sample in enumerate(data):
        shape = sample.id.split("-")[1]
        columns = {**sample.columns, "query": Part(TEXT, f"which {sample.label} {shape}?")}
        if place % 5 == 0 and "image" in columns:
            del columns["text"]
        found.append(Sample(sample.id, columns, sample.label, split=sample.split))
    return found


def trained(data: list[Sample], folder: Path, cache: Path, **tables: Any) -> tuple[Run, Model]:
    outcome = train(recipe(**{**ASKED, **tables}), data, folder, cache=cache)
    run = reopen(folder, data=data, cache=cache)
    load(run, folder / BEST)
    return run, Model.load(outcome.model)


@pytest.fixture(scope="module")
def frozen(asked: list[Sample], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Model]:
    return trained(asked, tmp_path_factory.mktemp("frozen") / "run", cache)


def test_torch_and_the_engine_agree_on_tokens_and_wholes(frozen: tuple[Run, Model]) -> None:
    run, model = frozen
    assert model.tokens == {TEXT: 6, IMAGE: 16}
    found = compare(model, run.prepared, run.network, run.objective)
    assert set(found) == {TEXT, IMAGE, Modality.WHOLE}
    assert max(found.values()) < TOLERANCE


def test_query_and_key_learn(frozen: tuple[Run, Model], asked: list[Sample], cache: Path) -> None:
    run, _ = frozen
    fresh: Any = reopen(run.folder, data=asked, cache=cache).network
    batch = run.prepared.rows["train"][list(range(16))]
    run.objective(run.network.train()(batch), batch).backward()
    for name in ("q", "k", "v", "out"):
        weights = getattr(run.network.fusion, name).weight
        assert weights.grad.abs().max() > 1e-5, name
        assert (weights - getattr(fresh.fusion, name).weight).abs().max() > 1e-3, name
    run.network.zero_grad(set_to_none=True)
    run.network.eval()


def test_weights_differ_over_regions_and_from_word_to_word(frozen: tuple[Run, Model]) -> None:
    run, _ = frozen
    fusion: Any = run.network.fusion
    batch = run.prepared.rows["test"][[0]]
    with torch.inference_mode():
        words = run.network.token_rows(batch, "query")[0]
        cells = run.network.token_rows(batch, "image")[0]
        q, k = fusion._split(fusion.q(words[None])), fusion._split(fusion.k(cells[None]))
        weights = fusion.score(q, k).softmax(dim=-1)[0]  # (heads, words, cells)
    assert weights.shape[2] == 16
    assert (weights.max(dim=2).values - weights.min(dim=2).values).min() > 1e-4
    assert weights.std(dim=1).max() > 1e-5


def test_a_search_ranks_wholes_as_torch_does(frozen: tuple[Run, Model], tmp_path: Path) -> None:
    """Items of a text and a picture, of either alone, and questions of words, of a picture, and of both."""
    run, model = frozen
    samples, rows = run.prepared.samples["test"], run.prepared.rows["test"]
    views = views_of(run.network, rows)
    assert model.folder is not None
    with Collection.open(tmp_path / "collection", model.folder) as collection:
        manifest = tmp_path / "items.jsonl"
        lines = []
        for sample in samples:
            held = {c: str(p.content) for c, p in sample.columns.items() if c in ("text", "image")}
            lines.append(json.dumps({"id": sample.id, **held}))
        manifest.write_text("\n".join(lines))
        collection.add_manifests(manifest, workers=1)
        for i in (0, 3, 7):
            hits = collection.search(str(samples[i].columns["query"].content), k=len(samples))
            wanted = views["text+image"].rows @ views["query"].rows[i]
            best = [samples[j].id for j in wanted.argsort(descending=True).tolist()]
            ours = {sample.id: float(score) for sample, score in zip(samples, wanted, strict=True)}
            assert len(hits) == len(best) == len(samples)
            found = [ours[hit.item.id] for hit in hits]
            assert all(a >= b - 1e-3 for a, b in pairwise(found))
        both = next(s for s in samples if {"text", "image"} <= set(s.columns))
        terms = [Term(TEXT, str(both.columns["text"].content)), Term(IMAGE, both.columns["image"].content)]
        assert collection.search(terms, k=1)[0].item.id == both.id
        alone = collection.search([terms[1]], k=3)
        assert len(alone) == 3


def test_it_teaches_with_what_its_fusion_makes_of_tokens(frozen: tuple[Run, Model], tmp_path: Path) -> None:
    run, model = frozen
    samples, columns = run.prepared.samples["test"], run.prepared.columns
    given = (str(model.folder), columns, {"query": ["query"], "whole": ["text", "image"]}, samples)
    taught = taught_rows(*given, Limits(), tmp_path)
    wanted = views_of(run.network, run.prepared.rows["test"])
    for ours, theirs in (("query", "query"), ("whole", "text+image")):
        np.testing.assert_allclose(taught[ours], wanted[theirs].rows.numpy(), atol=2e-3)


def test_of_what_is_kept_each_part_has_so_many_in_half_precision(frozen: tuple[Run, Model]) -> None:
    run, _ = frozen
    column = run.prepared.rows["train"].columns["image"]
    assert column.rows is not None
    assert column.rows.dtype == np.float16
    assert column.starts is not None
    lengths = np.diff(column.starts)
    assert set(lengths[column.present].tolist()) == {16}
    assert set(lengths[~column.present].tolist()) == {1}


@pytest.mark.parametrize("score", ["dot", "scaled-dot", "additive", "bilinear"])
def test_every_score_is_trained_and_exported(score: str, asked: list[Sample], cache: Path, tmp_path: Path) -> None:
    fusion = {"use": "attention", "score": score, "own": False}
    run, model = trained(asked, tmp_path / "run", cache, fusion=fusion, fit={"epochs": 1})
    assert max(compare(model, run.prepared, run.network, run.objective).values()) < TOLERANCE


def test_encoders_that_learn_hand_on_tokens(asked: list[Sample], cache: Path, tmp_path: Path) -> None:
    """A tiny BERT and a tiny ConvNeXt end to end; a film would be its frames."""
    config = {"model_type": "convnext", "depths": [1, 1, 1, 1], "hidden_sizes": [4, 8, 8, 16], "image_size": 64}
    encoders = {
        "text": {"use": "transformer", "model": saved("bert", tmp_path), "train": ["*"], "lr": 1e-3, "tokens": 5},
        "image": {"use": "vision", "config": config, "side": 64, "train": ["*"], "lr": 1e-3, "tokens": 3},
    }
    run, model = trained(asked, tmp_path / "run", cache, encoders=encoders, fit={"epochs": 1})
    assert model.tokens == {TEXT: 5, IMAGE: 3}
    found = compare(model, run.prepared, run.network, run.objective)
    assert set(found) == {TEXT, IMAGE, Modality.WHOLE}
    assert max(found.values()) < TOLERANCE
    fresh = reopen(tmp_path / "run", data=asked, cache=cache).network
    for modality in ("text", "image"):
        before, after = fresh.encoders[modality].state_dict(), run.network.encoders[modality].state_dict()
        assert any(not torch.equal(before[name], after[name]) for name in before)


def test_one_modality_as_tokens_and_the_other_as_one_row(asked: list[Sample], cache: Path, tmp_path: Path) -> None:
    encoders = {"text": {"use": "builtin"}, "image": {"use": "builtin", "tokens": 9}}
    run, model = trained(asked, tmp_path / "run", cache, encoders=encoders, fit={"epochs": 1})
    assert model.tokens == {IMAGE: 9}
    assert max(compare(model, run.prepared, run.network, run.objective).values()) < TOLERANCE


def test_tokens_that_nothing_reads(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    said = (
        r"\[encoders\] hand on tokens of image, text, and the fusion 'concatenation' takes one row of a part; take cr"
    )
    tables: dict[str, Any] = {"encoders": FROZEN, "views": [["text", "image"], ["image"]]}
    with pytest.raises(ConfigError, match=said):
        train(recipe(**tables, fusion={"use": "concatenation"}), data, tmp_path / "a", cache=cache)
    with pytest.raises(ConfigError, match=r"hand on tokens of image, text, and there is no \[fusion\]; take cross-"):
        train(recipe(encoders=FROZEN), data, tmp_path / "b", cache=cache)


def test_an_encoder_that_has_no_tokens(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'builtin-image-features' makes one row of a part and hands on no sequence"):
        prepare(
            recipe(
                **{
                    **ASKED,
                    "views": [["text", "image"]],
                    "encoders": {"image": {"use": "builtin-image-features", "tokens": 4}},
                }
            ),
            data,
            cache=cache,
        )
    with pytest.raises(ConfigError, match="the encoder 'builtin' has tokens -1; it must be 0, one row, or more"):
        recipe(encoders={"text": {"use": "builtin", "tokens": -1}})


def test_tokens_that_do_not_fit_into_the_budget(asked: list[Sample], tmp_path: Path) -> None:
    tables = {**ASKED, "data": {"near_duplicates": False, "tokens_gb": 0.001}}
    said = r"the tokens of \d+ contents, 16 of 1,280 numbers each, take about 0\.00\d+ GB, and \[data\] tokens_gb is"
    for _ in range(2):  # also where they are kept already
        with pytest.raises(ConfigError, match=said):
            prepare(recipe(**tables), asked, cache=tmp_path)
    with pytest.raises(ConfigError, match=r"data\.tokens_gb is 0; it must be above 0"):
        recipe(data={"tokens_gb": 0})


def test_another_number_of_tokens_is_not_taken_from_what_is_kept(asked: list[Sample], cache: Path) -> None:
    for most in (16, 4):
        encoders = {"text": {"use": "builtin"}, "image": {"use": "builtin", "tokens": most}}
        column = prepare(recipe(**{**ASKED, "encoders": encoders}), asked, cache=cache).rows["train"].columns["image"]
        assert column.starts is not None
        assert set(np.diff(column.starts)[column.present].tolist()) == {most}
