"""Hard negatives: the nearest of another key, by brute force."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from duretrieval.training.data.batch import View
from duretrieval.training.data.positives import Positives
from duretrieval.training.fit import mining
from duretrieval.training.fit.mining import mine


def views(n: int, names: str, seed: int) -> dict[str, View]:
    torch.manual_seed(seed)
    return {name: View(normalize(torch.randn(n, 5), dim=1), torch.rand(n) < 0.8) for name in names}


def brute(given: dict[str, View], keys: list[int], count: int, skip: int) -> list[list[int]]:
    found = []
    for i in range(len(keys)):
        lists = []
        for a, b in permutations(given, 2):
            if not given[a].present[i]:
                lists.append([])
                continue
            others = [j for j in range(len(keys)) if given[b].present[j] and keys[j] != keys[i]]
            others.sort(key=lambda j: -float(given[a].rows[i] @ given[b].rows[j]))
            lists.append(others[skip : skip + count])
        mixed = [row[place] for place in range(count) for row in lists if place < len(row)]
        found.append(list(dict.fromkeys(mixed))[:count])
    return found


def test_the_nearest_but_one() -> None:
    angles = torch.tensor([0.0, 0.1, 0.3, 2.0])
    rows = torch.stack([angles.cos(), angles.sin()], dim=1)
    here = torch.ones(4).bool()
    both = {"a": View(rows, here), "b": View(rows, here)}
    assert mine(both, Positives.of_keys(np.array([0, 1, 2, 3])), 4, 1).tolist() == [[2], [2], [0], [1]]
    assert mine(both, Positives.of_keys(np.array([0, 1, 2, 3])), 4, 1, skip=0).tolist() == [[1], [0], [1], [2]]
    assert mine(both, Positives.of_keys(np.array([0, 0, 2, 3])), 4, 1, skip=0).tolist() == [
        [2],
        [2],
        [1],
        [2],
    ]  # 0 and 1 are one thing
    assert mine(both, Positives.of_keys(np.array([0, 0, 0, 3])), 4, 2, skip=0)[0].tolist() == [
        3,
        -1,
    ]  # there is only one


@pytest.mark.parametrize(("names", "skip", "seed"), [("ab", 1, 0), ("ab", 0, 1), ("abc", 1, 2), ("abc", 2, 3)])
def test_equals_brute_force(names: str, skip: int, seed: int) -> None:
    given = views(30, names, seed)
    keys = np.random.default_rng(seed).integers(0, 12, 30)
    found = mine(given, Positives.of_keys(keys), 30, 3, skip)
    assert [[j for j in row if j >= 0] for row in found.tolist()] == brute(given, keys.tolist(), 3, skip)


@pytest.mark.parametrize("held", [1, 100])
def test_little_by_little(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given, keys = views(30, "ab", 0), Positives.of_keys(np.arange(30) // 9)
    whole = mine(given, keys, 30, 3)
    monkeypatch.setattr(mining, "HELD", held)
    assert mine(given, keys, 30, 3).tolist() == whole.tolist()


def test_one_view_and_none_there() -> None:
    only = views(4, "a", 0)
    assert mine(only, Positives.of_keys(np.arange(4)), 4, 2).tolist() == [[-1, -1]] * 4
    absent = {name: View(v.rows, torch.zeros(4).bool()) for name, v in views(4, "ab", 0).items()}
    assert mine(absent, Positives.of_keys(np.arange(4)), 4, 2).tolist() == [[-1, -1]] * 4


def test_rows_after_the_first_are_candidates_and_ask_nothing() -> None:
    given = views(30, "ab", 3)
    keys = Positives.of_keys(np.arange(30))
    found = mine(given, keys, 10, 2, skip=0)
    assert found.shape == (10, 2)
    assert found.tolist() == mine(given, keys, 30, 2, skip=0)[:10].tolist()
    assert (found >= 10).any()
