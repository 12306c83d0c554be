"""What a row says does not belong to it: a candidate in every loss and every check, and a partner in none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.coloured import COLOURS, SHAPES, picture
from tests.training.small import recipe
from torch import Tensor
from torch.nn.functional import normalize

from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.evaluation.subjects.model import evaluate_model
from duretrieval.model.model import Model
from duretrieval.training.build.objective import LossTerm, TotalLoss
from duretrieval.training.data.batch import View
from duretrieval.training.data.batches import Column, Rows
from duretrieval.training.data.positives import Positives
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit.validation import retrieval, views_of
from duretrieval.training.losses.scored import Cosent
from duretrieval.training.runs.run import Run, assemble, load
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Part


class Plain:
    """The mean over anchors of log(1 + sum of exp(s_ij - s_ii) over what is no partner)."""

    def __call__(self, scores: Tensor, same: Tensor, /) -> Tensor:
        own = scores.diagonal()[:, None]
        return (1 + ((scores - own).exp() * ~same).sum(dim=1)).log().mean()


def rows(against: list[list[int]] | None, scores: list[float] | None = None, n: int = 5) -> Rows:
    """Of n rows those after the first of `against` have the view b alone."""
    rng = np.random.default_rng(0)
    anchors = n if against is None else len(against)
    vectors = {name: rng.standard_normal((n, 4)).astype(np.float32) for name in "ab"}
    present = {"a": np.arange(n) < anchors, "b": np.ones(n, bool)}
    columns = {name: Column(Modality.TEXT, present[name], vectors[name]) for name in "ab"}
    given = None if against is None else np.array(against)
    return Rows(
        columns,
        np.arange(n),
        np.full(n, -1),
        against=given,
        scores=None if scores is None else np.array(scores, dtype=np.float64),
    )


def views(held: Rows, at: list[int]) -> tuple[dict[str, View], object]:
    batch = held[at]
    found = {name: View(normalize(batch.inputs[name]["rows"], dim=1), batch.present[name]) for name in ("a", "b")}
    return found, batch


def loss_by_hand(found: dict[str, View], partners: list[int], a_more: list[int], b_more: list[int]) -> float:
    a, b = found["a"].rows, found["b"].rows
    directions = []
    for x, y, more in ((a, b, b_more), (b, a, a_more)):
        total = 0.0
        for i in partners:
            others = [j for j in partners if j != i] + more
            total += float(torch.tensor(1.0 + sum(float((x[i] @ y[j] - x[i] @ y[i]).exp()) for j in others)).log())
        directions.append(total / len(partners))
    return sum(directions) / 2


def test_given_negatives_follow_their_anchors() -> None:
    held = rows([[3, -1], [3, 4], [-1, -1]])
    assert (len(held), held.total) == (3, 5)
    assert held[[0, 1]].rows.tolist() == [0, 1, 3, 4]
    assert held[[0, 1]].anchors == 2
    assert held[[2, 0]].rows.tolist() == [2, 0, 3]
    held.mined = np.array([[1], [2], [4]])
    assert held[[2, 0]].rows.tolist() == [2, 0, 3, 4, 1]
    assert len(held.plain()) == 5


def test_a_loss_takes_them_for_candidates_and_never_for_partners() -> None:
    found, batch = views(rows([[3, -1], [3, 4], [-1, -1]]), [0, 1, 2])
    loss = TotalLoss([LossTerm(Plain(), 1.0, "scores")])(found, batch)  # type: ignore[arg-type]
    assert float(loss) == pytest.approx(loss_by_hand(found, [0, 1, 2], [], [3, 4]), abs=1e-5)


def test_rows_of_a_low_score_are_candidates_and_no_partners() -> None:
    nan = float("nan")
    found, batch = views(rows(None, [nan, 0.2, 0.9, nan, 0.0]), [0, 1, 2, 3, 4])
    loss = TotalLoss([LossTerm(Plain(), 1.0, "scores")])(found, batch)  # type: ignore[arg-type]
    assert float(loss) == pytest.approx(loss_by_hand(found, [0, 2, 3], [1, 4], [1, 4]), abs=1e-5)
    scored = TotalLoss([LossTerm(Cosent(), 1.0, "pairs")])(found, batch)  # type: ignore[arg-type]
    known = [1, 2, 4]
    expected = Cosent()(found["a"].rows[known], found["b"].rows[known], torch.tensor([0.2, 0.9, 0.0]))
    assert float(scored) == pytest.approx(float(expected), abs=1e-6)


def test_a_check_finds_them_and_counts_them_as_wrong() -> None:
    a = View(torch.eye(3)[[0, 1, 2]], torch.tensor([True, True, False]))
    b = View(torch.eye(3)[[0, 1, 0]], torch.ones(3).bool())
    found = retrieval({"a": a, "b": b}, Positives.of_keys(np.arange(3)), ["hit@1"])
    assert found["a→b"] == {"hit@1": 0.5}  # the third is as near to the first question as its own answer
    assert found["b→a"] == {"hit@1": 1.0}  # and asks nothing itself


KINDS = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
PLACES = ("shelf", "table", "wall", "floor", "door", "window", "roof", "lawn", "road", "bench", "step", "desk")


def triples() -> list[Sample]:
    """Where a thing is, said in other words, and the contrary."""
    found = []
    for number, place in enumerate(PLACES):
        for kind in KINDS:
            texts = (
                f"a {kind} on the {place}",
                f"on the {place} there is: the {kind}",
                f"there is no {kind} on the {place}",
            )
            parts = [Part(Modality.TEXT, text) for text in texts]
            split = "train" if number < 8 else "val" if number < 10 else "test"
            found.append(
                Sample(
                    f"{kind} {place}",
                    {"anchor": parts[0], "positive": parts[1]},
                    split=split,
                    negatives={"positive": (parts[2],)},
                )
            )
    return found


def margin(run: Run, split: str) -> tuple[float, float]:
    """How much nearer an anchor is to its positive than to its negative, and the cosine of the latter; means."""
    held = run.prepared.rows[split]
    found = views_of(run.network, held)
    n = len(held)
    assert held.against is not None
    own = (found["anchor"].rows[:n] * found["positive"].rows[:n]).sum(dim=1)
    wrong = (found["anchor"].rows[:n] * found["positive"].rows[held.against[:, 0]]).sum(dim=1)
    return float((own - wrong).mean()), float(wrong.mean())


def test_training_pushes_negatives_away(cache: Path, tmp_path: Path) -> None:
    made = recipe(views=[["anchor"], ["positive"]], fit={"epochs": 12, "lr": 1e-2})
    data = triples()
    margins = {}
    for name in ("untrained", "with", "without"):
        run = assemble(made, (data, []), tmp_path / "look", cache=cache)
        if name != "untrained":
            given = data if name == "with" else [replace(s, negatives={}) for s in data]
            train(made, given, tmp_path / name, cache=cache, exporting=False)
            load(run, tmp_path / name / "last.ckpt")
        margins[name] = margin(run, "test")
    assert margins["with"][0] > max(margins["untrained"][0], margins["without"][0]) + 0.1
    assert margins["with"][1] < min(margins["untrained"][1], margins["without"][1]) - 0.1


def test_a_check_and_evaluate_say_the_same(tmp_path: Path, cache: Path) -> None:
    """Equal texts, a picture in several rows, keys, negatives, and rows that lack a view."""
    lines = []
    for number in range(10):
        for colour in COLOURS:
            for shape in SHAPES:
                lines.append(
                    {
                        "id": f"{colour}-{shape}-{number}",
                        "text": f"a {colour} {shape}" if number % 2 else [f"the {colour} one, {number}", f"x {number}"],
                        "image": str(picture(tmp_path, colour, shape, number - (number % 5 == 3))),
                        "key": f"{colour}" if number == 7 else None,
                        "negative": f"no {colour} at all" if number % 3 == 0 and number % 2 else None,
                        "split": "train" if number < 4 else "val",
                    }
                )
        lines.append({"id": f"alone-{number}", "text": f"alone {number}", "label": "x", "split": "val"})
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    made = recipe(data={"near_duplicates": False, "texts": []}, fit={"epochs": 2})
    outcome = train(made, path, tmp_path / "run", cache=cache)
    checked = tmp_path / "val.jsonl"
    checked.write_text("".join(json.dumps(line) + "\n" for line in lines if line["split"] == "val"))
    found = evaluate_model(Model.load(outcome.model), checked, bootstrap=Bootstrap(resamples=10)).evaluation
    assert {f"{pair.query}→{pair.gallery}" for pair in found.pairs} == {"text→image", "image→text"}
    for pair in found.pairs:
        direction = f"{pair.query}→{pair.gallery}"
        assert len(pair.queries) == outcome.queries["val"][direction]
        for name in ("hit@1", "hit@5", "hit@10", "rr", "ap"):
            assert pair.score(name).value == pytest.approx(outcome.val[f"{direction}/{name}"], abs=2e-3), (
                direction,
                name,
            )
