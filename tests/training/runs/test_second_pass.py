"""A mixed score is one and the same in a check of training, in `evaluate RUN --split` and in a search."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.training.coloured import COLOURS, SHAPES, picture, written
from tests.training.small import PLACES, recipe

from duretrieval.collection.collection import Collection
from duretrieval.evaluation.request import Request
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.model.model import Model
from duretrieval.rank import nearest
from duretrieval.training.fit.reranking import reranked
from duretrieval.training.fit.validation import check, retrieval, views_of
from duretrieval.training.nets.score.mixed import Mixed
from duretrieval.training.runs.evaluated import evaluate_run
from duretrieval.training.runs.reopened import reopen
from duretrieval.training.runs.run import BEST, Run, load, write_model
from duretrieval.training.runs.trained import train

CANDIDATES = 7
SHARES = (0.4, 0.4)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Run:
    """One whose score is mixed of all three, whatever validation would have chosen, with the model of that."""
    folder = tmp_path_factory.mktemp("second")
    (folder / "media").mkdir()
    rows = []
    for number in range(12):
        for colour in COLOURS:
            for shape in SHAPES:
                image = picture(folder / "media", colour, shape, number)
                text = f"a {colour} {shape} on the {PLACES[number]}"
                split = "train" if number < 6 else "val" if number < 8 else "test"
                rows.append({"id": image.stem, "image": image.name, "text": text, "split": split})
    losses = [{"use": "binary-cross-entropy", "hardest": 4, "apart": True}, {"use": "infonce", "on": "vectors"}]
    small = recipe(losses=losses, score={"use": "pair-scorer", "support": 20}, fit={"epochs": 4})
    train(small, written(folder / "media" / "rows.jsonl", rows), folder / "run", cache=cache)
    found = reopen(folder / "run", cache=cache)
    epoch = load(found, folder / "run" / BEST)
    mixed = found.objective.score
    assert isinstance(mixed, Mixed)
    mixed.weigh(*SHARES, tuple(mixed.scales.tolist()))
    shutil.rmtree(folder / "run" / "model")
    write_model(found, folder / "run" / "model", epoch, {"val": {}, "test": {}})
    return found


def test_evaluate_says_what_a_check_says(run: Run) -> None:
    figures = check(run.network, run.objective, run.prepared.rows["test"], "rr")
    evaluation = evaluate_run(run.folder, Request(split="test", bootstrap=Bootstrap(resamples=50))).evaluation
    found = {f"{p.query}→{p.gallery}/{s.measure}": s.value for p in evaluation.pairs for s in p.scores}
    theirs = {name: value for name, value in figures.items() if "→" in name}
    assert len(theirs) == 10
    assert {name: found[name] for name in theirs} == pytest.approx(theirs, abs=2e-3)
    views = views_of(run.network, run.prepared.rows["test"])
    by_cosine = retrieval(views, run.prepared.rows["test"].positives, ["ap"])
    assert by_cosine["text→image"]["ap"] != pytest.approx(figures["text→image/ap"], abs=2e-3)


def test_a_search_ranks_as_a_check_does(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The candidates by cosine, in the order of the mixture."""
    monkeypatch.setattr(nearest, "RERANKED", CANDIDATES)
    rows = run.prepared.rows["test"]
    views = views_of(run.network, rows)
    text, image = views["text"].rows, views["image"].rows
    order = np.argsort(-reranked(run.objective.score, text, image, candidates=CANDIDATES)[0 : len(text)], axis=1)
    by_cosine = np.argsort(-(text @ image.T).numpy(), axis=1)
    samples = run.prepared.samples["test"]
    with Collection.open(tmp_path / "collection", Model.load(run.folder / "model")) as collection:
        collection.add([Path(sample.columns["image"].content) for sample in samples])
        for query, sample in enumerate(samples):
            hits = collection.search(sample.columns["text"].content, k=CANDIDATES)
            found = [hit.item.fields["name"].removesuffix(".png") for hit in hits]
            assert found == [samples[place].id for place in order[query, :CANDIDATES]]
    assert (order[:, :CANDIDATES] != by_cosine[:, :CANDIDATES]).any(axis=1).mean() > 0.5
