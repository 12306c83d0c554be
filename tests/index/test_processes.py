"""Real processes: readers beside a writer, writers that race, writers that are killed."""

import random
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import ExitStack

import pytest
from tests.ends import running

from duretrieval.index.lance.store import LanceStore

DIM = 8
PRELUDE = """
import sys, time
from pathlib import Path
from duretrieval.index.lance.store import LanceStore
from duretrieval.testing.stores import directions, text
def batch(store, ids, n, **fields):
    store.add([text(id, n, **fields) for id in ids], [directions(n, 8)] * len(ids), "m")
def seen(file):
    return int(Path(file).read_text() or -1) if Path(file).exists() else -1
path = sys.argv[1]
"""


@pytest.fixture
def start():
    """Starts a process; those that have not ended with the test are killed, as readers of a writer that failed."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}

    def started(path, code, *arguments):
        command = [sys.executable, "-c", PRELUDE + textwrap.dedent(code), str(path), *map(str, arguments)]
        return stack.enter_context(running(command, **pipes))

    with ExitStack() as stack:
        yield started


def finish(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out


def finish_all(*processes):
    """As they end: where one fails, the others wait for it for ever."""
    said = {}
    while len(said) < len(processes):
        said |= {process: finish(process) for process in set(processes) - set(said) if process.poll() is not None}
        time.sleep(0.01)
    return [said[process] for process in processes]


def test_two_processes_read_whole_batches_while_one_writes(tmp_path, start):
    LanceStore.create(tmp_path / "s", DIM, {}).close()
    reader = """
    store, last, seen = LanceStore.open(path), -1, set()
    while last < 30:
        items = list(store.scan())
        rounds = {item.fields["round"] for item in items}
        assert len(rounds) <= 1, rounds
        assert len(items) in (0, 20), len(items)
        for round in rounds:
            assert round >= last, (round, last)
            assert all(len(item.parts) == round % 3 + 1 for item in items)
            last = round
            seen.add(round)
            Path(sys.argv[2]).write_text(str(round))
        found = store.search(directions(1, 8)[0], 100)
        assert len(found) % 20 == 0, len(found)
    print(last, len(seen) > 3)
    """
    told = [tmp_path / "first", tmp_path / "second"]
    readers = [start(tmp_path / "s", reader, file) for file in told]
    writer = start(
        tmp_path / "s",
        """
        with LanceStore.open(path, write=True) as store:
            for round in range(31):
                batch(store, [str(i) for i in range(20)], round % 3 + 1, round=round)
                while round % 5 == 4 and not all(seen(file) >= round for file in sys.argv[2:]):
                    time.sleep(0.01)
                if round % 10 == 9:
                    store.optimize()
        """,
        *told,
    )
    assert finish_all(*readers, writer) == ["30 True\n", "30 True\n", ""]


def test_writers_that_race_without_a_lock_double_nothing(tmp_path, start):
    """On object storage there is no lock: 70 rows came of 60 ids, until `_id` was marked as the primary key."""
    LanceStore.create(tmp_path / "s", DIM, {}).close()
    writer = """
    store = LanceStore(path, writable=True)
    print("ready", flush=True)
    sys.stdin.readline()
    for at in range(0, 60, 10):
        batch(store, [str(i) for i in range(at, at + 10)], 2)
    """
    writers = [start(tmp_path / "s", writer) for _ in range(3)]
    assert [process.stdout.readline() for process in writers] == ["ready\n"] * 3
    for process in writers:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in writers:
        finish(process)
    store = LanceStore.open(tmp_path / "s")
    assert (len(store), store._data.count_rows(), store.verify()) == (60, 120, [])


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_loses_and_doubles_nothing(tmp_path, start):
    LanceStore.create(tmp_path / "s", DIM, {}).close()
    writer = """
    from datetime import timedelta
    from duretrieval.index.lance.upkeep import Upkeep
    store = LanceStore.open(path, write=True, upkeep=Upkeep(keep=timedelta(0), after_commits=7))
    for i in range(int(sys.argv[2]), 10**6):
        batch(store, [f"{i}-{j}" for j in range(10)], i % 3 + 1, batch=i)
        batch(store, [f"always-{j}" for j in range(5)], i % 3 + 1, batch=i)
        print(i, flush=True)
    """
    done = -1
    for kill in range(6):
        process = start(tmp_path / "s", writer, done + 1)
        lines = iter(process.stdout.readline, "")
        chance = random.Random(kill)
        acknowledged = [int(next(lines)) for _ in range(chance.randint(3, 12))]
        time.sleep(chance.uniform(0, 0.05))  # anywhere in the next
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in lines]
        process.communicate()
        done = acknowledged[-1]
        store = LanceStore.open(tmp_path / "s")
        assert store.verify() == []
        ids = {item.id for item in store.scan()}
        assert {f"{i}-{j}" for i in range(done + 1) for j in range(10)} <= ids
        extra = {id for id in ids if not id.startswith("always") and int(id.split("-")[0]) > done}
        assert len(extra) in (0, 10)
        changing = {item.fields["batch"] for item in store.get([f"always-{j}" for j in range(5)])}
        assert len(changing) == 1
        assert changing <= {done, done + 1}
    assert done > 10
