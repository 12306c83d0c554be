"""Real crashes, hangs and floods in real processes: each takes its own file down."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from PIL import Image
from tests.media import faults

from duretrieval.errors import DamagedMedia, LimitExceeded
from duretrieval.media import DecoderPool, Limits
from duretrieval.media.spawn import Context
from duretrieval.types import Reading

LIMITS = Limits(decode_timeout_s=2, memory_bytes=2**29)


@pytest.fixture
def pool():
    with DecoderPool(Reading(), LIMITS, workers=2, decode=faults.obey) as pool:
        yield pool


def told(folder: Path, *orders: str) -> list[Path]:
    paths = [folder / f"{n}" for n, _ in enumerate(orders)]
    for path, order in zip(paths, orders, strict=True):
        path.write_text(order)
    return paths


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "error", "message"),
    [
        ("exit", DamagedMedia, r"crashed its decoder \(exit code 3\)"),
        ("segfault", DamagedMedia, r"crashed its decoder \(SIGSEGV\)"),
        ("hang", LimitExceeded, "took more than 2 s; raise `decode_timeout_s`"),
        ("fail", DamagedMedia, "its decoder failed: ZeroDivisionError: as told"),
    ],
)
def test_a_fault_takes_one_file_down(tmp_path, pool, order, error, message):
    paths = told(tmp_path, *(["fine"] * 5), order, *(["fine"] * 5), order, "fine")
    futures = [pool.submit(path) for path in paths]
    for path, future in zip(paths, futures, strict=True):
        if path.read_text() == order:
            with pytest.raises(error, match=message):
                future.result(30)
        else:
            assert future.result(30).parts[0].content == "fine"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")
def test_memory_is_bounded(tmp_path, pool):
    greedy, modest = [pool.submit(path) for path in told(tmp_path, "swell", "fine")]
    with pytest.raises(LimitExceeded, match="more memory than its process may have; raise `memory_bytes`"):
        greedy.result(30)
    assert modest.result(30).parts


@pytest.mark.slow
def test_many_faults_together_cost_no_good_file(tmp_path, pool):
    """Crashes of every kind, all in the queue at once with four good files around each."""
    orders = ["exit", "segfault", "fail", "abort", "system-exit", "unpicklable"] * 4
    queued = [order for bad in orders for order in ("fine", "image", bad, "fine", "image")]
    paths = told(tmp_path, *queued)
    for order, future in zip(queued, [pool.submit(path) for path in paths], strict=True):
        if order in ("fine", "image"):
            assert future.result(60).parts
        else:
            with pytest.raises(DamagedMedia):
                future.result(60)


@pytest.mark.slow
def test_native_code_that_holds_the_interpreter_is_ended(tmp_path, pool):
    stuck, fine = [pool.submit(path) for path in told(tmp_path, "hang-in-c", "fine")]
    with pytest.raises(LimitExceeded, match="took more than 2 s"):
        stuck.result(30)
    assert fine.result(30).parts


@pytest.mark.slow
def test_processes_are_replaced_after_some_files(tmp_path, pool, monkeypatch):
    monkeypatch.setattr("duretrieval.media.pool.FILES_PER_WORKER", 5)
    chunks = [pool.submit(path).result(60) for path in told(tmp_path, *["fine"] * 22)]
    assert len({chunk.fields["pid"] for chunk in chunks}) >= 4


def test_workers_that_die_idle_are_replaced(tmp_path, pool):
    (path,) = told(tmp_path, "fine")
    pool.submit(path).result(30)
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGKILL)
    time.sleep(0.3)
    assert pool.submit(path).result(30).parts


@pytest.mark.slow
def test_pictures_up_to_our_own_limit_are_read(tmp_path):
    """Pillow by itself refuses 179 megapixels and more."""
    Image.new("1", (20_000, 10_000), 1).save(tmp_path / "large.png")
    with DecoderPool(Reading(), Limits(), workers=1) as pool:
        assert pool.submit(tmp_path / "large.png").result(60).fields["width"] == 20_000


def test_workers_are_silent(tmp_path, pool, capfd):
    (path,) = told(tmp_path, "shout")
    pool.submit(path).result(30)
    assert capfd.readouterr() == ("", "")


def test_leaving_ends_the_workers_and_cancels_what_is_left(tmp_path):
    with DecoderPool(Reading(), Limits(), workers=1, decode=faults.obey) as pool:
        running, waiting = [pool.submit(path) for path in told(tmp_path, "hang", "fine")]
        time.sleep(0.5)
    with pytest.raises(CancelledError):
        running.result(0)
    assert waiting.cancelled()
    assert not [child for child in multiprocessing.active_children() if child.name == "decoder"]
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(tmp_path / "0")


SCRIPT = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell leaves it ignored in what it runs in the background
sys.path.insert(0, {root!r})
from tests.media import faults
from duretrieval.media import DecoderPool, Limits
from duretrieval.media.spawn import Context
from duretrieval.types import Reading

pool = DecoderPool(Reading(), Limits(), workers=2, decode=faults.obey)
print(pool.submit(Path({fine!r})).result().fields["pid"], flush=True)
pool.submit(Path({hang!r}))
pool.submit(Path({hang!r}))
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_orphans(tmp_path, how):
    fine, hang = told(tmp_path, "fine", "hang")
    script = SCRIPT.format(root=str(Path(__file__).parents[2]), fine=str(fine), hang=str(hang))
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with run:
        worker = int(run.stdout.readline())
        time.sleep(0.5)
        run.send_signal(how)
        run.wait(20)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{worker}").exists()


def test_a_process_that_cannot_be_started_is_a_sentence_and_the_next_one_is_tried(tmp_path, monkeypatch):
    def start(process: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    (path,) = told(tmp_path, "fine")
    with DecoderPool(Reading(), LIMITS, workers=1, decode=faults.obey) as pool:
        with monkeypatch.context() as patch:
            patch.setattr(Context.Process, "start", start)
            with pytest.raises(LimitExceeded, match=r"no process could be started .* \(resource temporarily unava"):
                pool.submit(path).result(60)
        assert pool.submit(path).result(60).parts
