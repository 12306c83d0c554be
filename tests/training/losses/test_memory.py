import io
import struct

import pytest
import torch

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.training.losses.memory import Memory
from duretrieval.training.losses.same import key_numbers, same_key


def row(*numbers: float) -> torch.Tensor:
    return torch.tensor([[float(number), number] for number in numbers])


def test_the_oldest_goes_first() -> None:
    memory = Memory(3)
    assert memory.rows("text") is None
    memory.add("text", row(1, 2), ["a", "b"])
    memory.add("text", row(3, 4), ["c", "d"])
    rows, keys = memory.rows("text")
    assert rows.tolist() == row(2, 3, 4).tolist()
    assert keys.tolist() == key_numbers(["b", "c", "d"]).tolist()
    memory.add("text", row(5, 6, 7, 8), ["e", "f", "g", "h"])
    assert memory.rows("text")[0].tolist() == row(6, 7, 8).tolist()


def test_views_do_not_meet() -> None:
    memory = Memory(3)
    memory.add("text", row(1), ["a"])
    memory.add("image", row(2), ["a"])
    assert memory.rows("text")[0].tolist() == row(1).tolist()
    assert memory.rows("audio") is None


def test_columns_know_which_keys_they_share() -> None:
    memory = Memory(3)
    assert memory.columns("text", ["a"]) is None
    memory.add("text", row(1, 2, 3), ["a", "b", "a"])
    rows, same = memory.columns("text", ["b", "c", "a"])
    assert len(rows) == 3
    assert same.tolist() == [[False, True, False], [False, False, False], [True, False, True]]


def test_warm_up_remembers_and_says_nothing() -> None:
    memory = Memory(10, warm_up=2)
    memory.add("text", row(1), ["a"])
    assert memory.rows("text") is None
    assert memory.columns("text", ["a"]) is None
    memory.add("text", row(2), ["b"])
    assert memory.rows("text")[0].tolist() == row(1, 2).tolist()


def test_rows_are_copies_without_gradients() -> None:
    memory = Memory(3)
    rows = row(1, 2).requires_grad_()
    memory.add("text", rows, ["a", "b"])
    with torch.no_grad():
        rows += 1
    kept, _ = memory.rows("text")
    assert not kept.requires_grad
    assert kept.tolist() == row(1, 2).tolist()


def test_a_run_resumes_exactly() -> None:
    """Saved to disk in the middle and loaded: every later answer is the same, warm-up included."""
    draw = torch.Generator().manual_seed(0)
    batches = [(torch.randn(4, 3, generator=draw), torch.randint(0, 9, (4,), generator=draw)) for _ in range(8)]
    for stop in range(8):
        whole, first, second = Memory(10, warm_up=3), Memory(10, warm_up=3), Memory(10, warm_up=3)
        for rows, keys in batches[:stop]:
            whole.add("text", rows, keys)
            first.add("text", rows, keys)
        file = io.BytesIO()
        torch.save(first.state_dict(), file)
        second.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
        for rows, keys in batches[stop:]:
            for memory in (whole, second):
                memory.add("text", rows, keys)
            expected, got = whole.columns("text", keys), second.columns("text", keys)
            assert (expected is None) == (got is None)
            if expected is not None:
                assert all(torch.equal(*both) for both in zip(expected, got, strict=True))


def test_a_smaller_memory_keeps_the_newest() -> None:
    large, small = Memory(4), Memory(2)
    large.add("text", row(1, 2, 3, 4), list("abcd"))
    small.load_state_dict(large.state_dict())
    assert small.rows("text")[0].tolist() == row(3, 4).tolist()


def test_what_is_loaded_is_its_own() -> None:
    """Neither the state, nor another memory that took it up, changes it afterwards."""
    first, one, other = Memory(4, warm_up=2), Memory(4, warm_up=2), Memory(4, warm_up=2)
    first.add("text", row(1, 2), ["a", "b"])
    state = first.state_dict()
    one.load_state_dict(state)
    other.load_state_dict(state)
    one.add("text", row(3), ["c"])
    assert other.rows("text") is None  # it has seen one batch, of two
    for held in state["views"].values():
        held["rows"].zero_()
        held["keys"].zero_()
    rows, keys = one.rows("text")
    assert rows.tolist() == row(1, 2, 3).tolist()
    assert keys.tolist() == key_numbers(["a", "b", "c"]).tolist()
    other.add("text", row(4), ["d"])
    rows, same = other.columns("text", ["b"])
    assert rows.tolist() == row(1, 2, 4).tolist()
    assert same.tolist() == [[False, True, False]]


def test_a_memory_of_one_row() -> None:
    memory = Memory(1)
    memory.add("text", row(1, 2), ["a", "b"])
    assert memory.rows("text")[0].tolist() == row(2).tolist()


def test_what_a_memory_refuses() -> None:
    with pytest.raises(ConfigError, match="a memory of 0 rows after 0 batches"):
        Memory(0)
    with pytest.raises(ConfigError, match="a memory of 5 rows after -1 batches"):
        Memory(5, warm_up=-1)
    memory = Memory(5)
    with pytest.raises(ShapeError, match=r"got \(2, 2\) and 1 keys"):
        memory.add("text", row(1, 2), ["a"])
    memory.add("text", row(1), ["a"])
    with pytest.raises(ShapeError, match=r"got \(1, 3\) and 1 keys, after rows of length 2"):
        memory.add("text", torch.ones(1, 3), ["a"])


# ---- keys


def test_same_key_by_eye() -> None:
    expected = [[True, False, True], [False, True, False]]
    assert same_key(["cat", "dog"], ["cat", "dog", "cat"]).tolist() == expected
    assert same_key(["猫", "dog"], key_numbers(["猫", "dog", "猫"])).tolist() == expected
    assert same_key(torch.tensor([7, 8]), torch.tensor([7, 8, 7])).tolist() == expected
    assert same_key([], ["a"]).shape == (0, 1)


def test_numbers_of_keys_are_the_same_in_every_run() -> None:
    """A checkpoint written on one machine is read on another. `printf a | b2sum -l 64` gives 40f89e395b66422f."""
    a, other = struct.unpack("<2q", bytes.fromhex("40f89e395b66422f" + "b18188dd202f2e76"))
    assert key_numbers(["a", "a", "picture-0001.jpg"]).tolist() == [a, a, other]


def test_a_missing_key_is_not_a_key() -> None:
    with pytest.raises(ConfigError, match="key 1 is empty; a sample without a key goes by its id"):
        same_key(["a", ""], ["b"])
