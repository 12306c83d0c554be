"""Batches: every sample, none twice, and the same again after an interruption."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import Dataset

from duretrieval.errors import ConfigError
from duretrieval.train.data.batches import Batches
from duretrieval.train.data.first_fit import first_fit
from duretrieval.train.data.loader import loader
from duretrieval.train.data.mixed import Mixed, mixed
from duretrieval.train.data.per_class import PerClass
from duretrieval.train.data.shuffled import Shuffled, keys_of
from duretrieval.train.sample import Sample
from duretrieval.types import Modality, Part


def test_first_fit_by_eye() -> None:
    assert first_fit(["a", "a", "b", "c"], 2) == [[0, 2], [1, 3]]
    assert first_fit(["a", "a", "a"], 2) == [[0], [1], [2]]
    assert first_fit([], 2) == []


@settings(max_examples=100, deadline=None)
@given(keys=st.lists(st.integers(0, 6), max_size=60), size=st.integers(1, 5))
def test_first_fit_by_its_definition(keys: list[int], size: int) -> None:
    groups: list[list[int]] = []
    for place, key in enumerate(keys):
        for group in groups:
            if len(group) < size and key not in [keys[p] for p in group]:
                group.append(place)
                break
        else:
            groups.append([place])
    assert first_fit(keys, size) == groups


def flat(batches: list[list[int]]) -> list[int]:
    return [place for batch in batches for place in batch]


def test_every_sample_once_in_a_new_order() -> None:
    batches = Shuffled(10, 4)
    first, second = list(batches), list(batches)
    assert [len(batch) for batch in first] == [4, 4, 2]
    assert sorted(flat(first)) == sorted(flat(second)) == list(range(10))
    assert first != second
    assert list(Shuffled(10, 4)) == first
    assert list(Shuffled(10, 4, seed=1)) != first
    assert [len(batch) for batch in Shuffled(10, 4, drop_last=True)] == [4, 4]


def test_a_key_is_never_twice_in_a_batch() -> None:
    samples = [Sample(str(n), {"text": Part(Modality.TEXT, "x")}, key="" if n % 3 else f"k{n % 4}") for n in range(50)]
    keys = keys_of(samples)
    assert keys[:4] == ["k0", "1", "2", "k3"]
    found = list(Shuffled(50, 8, distinct=keys))
    assert all(len({keys[i] for i in batch}) == len(batch) for batch in found)
    assert sorted(flat(found)) == list(range(50))


def test_k_of_each_class() -> None:
    labels = [*["a"] * 7, *["b"] * 4, *["c"] * 3, *["d"] * 5, "alone", None]
    batches = PerClass(labels, classes=3, k=2)
    assert batches.left_out == 2
    found = list(batches)
    for batch in found:
        counts = Counter(labels[i] for i in batch)
        assert 2 <= len(counts) <= 3
        assert set(counts.values()) == {2}
        assert len(set(batch)) == len(batch)
    assert len({i for batch in found for i in batch}) >= 17  # all but what a batch of one class would have held


def test_a_class_smaller_than_k_gives_what_it_has() -> None:
    labels = [*["a"] * 4, *["b"] * 2]
    (batch,) = PerClass(labels, classes=2, k=4)
    assert sorted(batch) == [0, 1, 2, 3, 4, 5]


def test_sources_by_weight() -> None:
    batches = Mixed([10, 100, 3], 5, weights=[3, 1, 0], batches=12)
    begins = [0, 10, 110, 113]
    found = list(batches)
    source = [next(s for s, (a, b) in enumerate(pairwise(begins)) if a <= batch[0] < b) for batch in found]
    assert Counter(source) == {0: 9, 1: 3}
    assert all(begins[s] <= i < begins[s + 1] for s, batch in zip(source, found, strict=True) for i in batch)
    assert all(len(set(batch)) == 5 for batch in found)
    assert Counter(i for batch in found for i in batch if i < 10).most_common(1)[0][1] <= 5  # 45 draws of 10, in turns


def test_without_weights_sources_count_by_size() -> None:
    batches = Mixed([20, 60], 10)
    assert len(batches) == 8
    assert Counter(batch[0] < 20 for batch in batches) == {True: 2, False: 6}


MAKERS = {
    "shuffled": lambda: Shuffled(40, 7, 3, distinct=[n % 20 for n in range(40)]),
    "per class": lambda: PerClass([str(n % 6) for n in range(40)], 3, 2, 3),
    "mixed": lambda: Mixed([15, 25], 4, [2, 1], 9, 3),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("done", [0, 1, 3, 4])
def test_it_goes_on_where_it_stood(name: str, done: int) -> None:
    one = MAKERS[name]()
    epochs = [list(one), list(one)]
    broken = MAKERS[name]()
    list(broken)
    state = broken.state_dict()
    assert state == {"epoch": 1, "done": 0}
    list(islice(broken, done))
    fresh: Batches = MAKERS[name]()
    fresh.load_state_dict({"epoch": 1, "done": done})
    assert broken.state_dict() == fresh.state_dict() == {"epoch": 1, "done": done}
    fresh.set_epoch(1)  # as a training loop says when it goes on; it changes nothing
    assert list(fresh) == epochs[1][done:]
    assert fresh.epoch == 2
    assert list(broken) == epochs[1]  # breaking off is not resuming


def test_a_finished_epoch_is_followed_by_the_next() -> None:
    batches = Shuffled(6, 2)
    epochs = [list(batches), list(batches)]
    fresh = Shuffled(6, 2)
    fresh.load_state_dict({"epoch": 0, "done": 3})
    assert list(fresh) == epochs[1]
    fresh.set_epoch(0)
    assert list(fresh) == epochs[0]


class Numbers(Dataset[Sample]):
    def __init__(self, first: int, n: int) -> None:
        self.first, self.n = first, n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> Sample:
        return Sample(str(self.first + i), {})


def test_a_loader_gives_lists_of_samples() -> None:
    joined, sizes = mixed([Numbers(0, 4), Numbers(100, 8)])
    assert sizes == [4, 8]
    for batch in loader(joined, Mixed(sizes, 4)):
        assert isinstance(batch, list)
        assert len({int(sample.id) >= 100 for sample in batch}) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Shuffled(3, 0), "the batch size is 0; it must be at least 1"),
        (lambda: Shuffled(3, 2, distinct=["a"]), "there are 3 samples, but 1 keys; give each sample one"),
        (lambda: PerClass(["a", "a"], 1, 2), "1 classes with 2 samples each; a batch needs at least two of both"),
        (lambda: PerClass(["a", "a", "b"], 2), "1 classes have more than one sample; at least two are needed"),
        (lambda: Mixed([1, 2], 2, [1.0]), r"2 sources have the weights \[1.0\]; give each one"),
        (lambda: Mixed([1, 2], 2, [0, 0]), r"2 sources have the weights \[0.0, 0.0\]"),
        (lambda: Mixed([4, 0], 2, [1, 1]), "source 1 has no samples; leave it out, or give it the weight 0"),
    ],
)
def test_what_cannot_be_batched(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError, match=message):
        make()
