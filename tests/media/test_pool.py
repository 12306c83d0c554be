"""A decoder that crashes, hangs or eats memory takes its own file down and nothing else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path

import media_files
import numpy as np
import pytest
from bad_decoders import misbehave
from media_files import BLUE, GREEN, RED
from PIL import Image
from reading import LIMITS, READING, colours

from duretrieval.errors import DamagedMedia, DuretrievalError, EmptyMedia, LimitExceeded
from duretrieval.media import pool as pool_module
from duretrieval.media.decode import Chunk, decode
from duretrieval.media.limits import Limits
from duretrieval.media.pool import DecoderPool

SOON = 60
SHORT = Limits(decode_timeout_s=4)


def children() -> set[int]:
    """Processes below this one, but for the one with which `multiprocessing` keeps its books until the end."""
    found, waiting = set(), [os.getpid()]
    while waiting:
        tasks = Path(f"/proc/{waiting.pop()}/task")
        for file in tasks.glob("*/children") if tasks.exists() else ():
            try:
                below = [int(word) for word in file.read_text().split()]
            except OSError:
                continue
            found |= set(below)
            waiting += below
    return {pid for pid in found if b"resource_tracker" not in _command(pid)}


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def no_orphans() -> Iterator[None]:
    if not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists():
        pytest.skip("this system does not list a process's children")
    before = children()
    yield
    for _ in range(100):
        if not children() - before:
            return
        time.sleep(0.1)
    assert children() - before == set()


def good(folder: Path, count: int) -> list[tuple[Path, str]]:
    shades = {"red": RED, "green": GREEN, "blue": BLUE}
    named = [list(shades)[i % 3] for i in range(count)]
    return [
        (media_files.write_png(folder / f"good{i}.png", Image.new("RGB", (40, 40), shades[name])), name)
        for i, name in enumerate(named)
    ]


def bad(folder: Path, how: str) -> Path:
    return media_files.write_png(folder / f"{how}.png")


def shown(answer: Future[Chunk]) -> str:
    [part] = answer.result(SOON).parts
    return colours(part)[0]


def test_files_come_out_as_without_a_pool(tmp_path: Path, no_orphans: None) -> None:
    files = [
        media_files.write_jpeg(tmp_path / "a.jpg"),
        media_files.write_heic(tmp_path / "a.heic"),
        media_files.write_avif(tmp_path / "a.avif"),
        media_files.write_svg(tmp_path / "a.svg"),
        media_files.write_gif(tmp_path / "a.gif"),
        media_files.write_pdf(tmp_path / "a.pdf"),
        media_files.write_docx(tmp_path / "a.docx"),
        media_files.write_html(tmp_path / "a.html"),
        media_files.write_sound(tmp_path / "a.mp3"),
        media_files.write_film(tmp_path / "a.mp4"),
        media_files.write_film(tmp_path / "a.webm"),
    ]
    with DecoderPool(READING, LIMITS, workers=2) as pool:
        answers = [pool.submit(path) for path in files]
        for path, answer in zip(files, answers, strict=True):
            here, there = decode(path, READING, LIMITS), answer.result(SOON)
            assert (there.fields, there.next, len(there.parts)) == (here.fields, here.next, len(here.parts))
            for one, other in zip(here.parts, there.parts, strict=True):
                assert (one.start_s, one.end_s, one.page) == (other.start_s, other.end_s, other.page)
                assert np.array_equal(np.asarray(one.content), np.asarray(other.content))


def test_a_cursor_goes_along(tmp_path: Path) -> None:
    path = media_files.write_tiff(tmp_path / "a.tiff", (RED, BLUE) * 60)
    with DecoderPool(READING, LIMITS, workers=1) as pool:
        first = pool.submit(path).result(SOON)
        assert [part.page for part in pool.submit(path, first.next).result(SOON).parts] == list(range(101, 121))


def test_errors_are_those_of_decode(tmp_path: Path) -> None:
    with DecoderPool(READING, LIMITS, workers=1) as pool:
        with pytest.raises(EmptyMedia, match="the file is empty"):
            pool.submit(media_files.write_text(tmp_path / "a.txt", "")).result(SOON)
        with pytest.raises(DamagedMedia, match="it cannot be opened: No such file or directory"):
            pool.submit(tmp_path / "no such file").result(SOON)


HARM = {
    "exit": (DamagedMedia, r"its decoder crashed \(exit code 3\)"),
    "segfault": (DamagedMedia, r"its decoder crashed \(exit code -11\)"),
    "abort": (DamagedMedia, r"its decoder crashed \(exit code -6\)"),
    "killed": (DamagedMedia, r"its decoder crashed \(exit code -9\)"),
    "hang": (LimitExceeded, r"decoding it takes more than 4 s \(Limits.decode_timeout_s\)"),
    "hang-in-c": (LimitExceeded, r"decoding it takes more than 4 s \(Limits.decode_timeout_s\)"),
    "allocate": (LimitExceeded, r"decoding it takes more than 6 GB of memory \(Limits.memory_bytes\)"),
    "raise": (DamagedMedia, r"its decoder failed: RuntimeError: not one of ours"),
    "unpicklable": (DamagedMedia, r"its decoder (failed|crashed)"),
    "system-exit": (DamagedMedia, r"its decoder (failed|crashed)"),
}


@pytest.mark.parametrize("how", [pytest.param(how, marks=[pytest.mark.slow] * ("hang" in how)) for how in HARM])
def test_one_takes_itself_down_only(how: str, tmp_path: Path, no_orphans: None) -> None:
    """Seven good files before it, beside it and after it come out right."""
    files = good(tmp_path, 7)
    error, message = HARM[how]
    with DecoderPool(READING, SHORT, workers=2, decode=misbehave) as pool:
        answers = [pool.submit(path) for path, _ in files[:3]]
        harmed = pool.submit(bad(tmp_path, how))
        answers += [pool.submit(path) for path, _ in files[3:]]
        with pytest.raises(error, match=message):
            harmed.result(SOON)
        assert [shown(answer) for answer in answers] == [name for _, name in files]


@pytest.mark.slow
def test_many_together(tmp_path: Path, no_orphans: None) -> None:
    """Every kind of harm four times over, between good files, all in the queue at once."""
    files = good(tmp_path, 80)
    harm = [(how, bad(tmp_path, f"{how}{i}")) for i in range(4) for how in HARM if not how.startswith("hang")]
    with DecoderPool(READING, SHORT, workers=2, decode=misbehave) as pool:
        answers, harmed = [], []
        for i, (path, _) in enumerate(files):
            answers.append(pool.submit(path))
            if i % 2 == 0 and i // 2 < len(harm):
                harmed.append((harm[i // 2][0], pool.submit(harm[i // 2][1])))
        for how, answer in harmed:
            error, message = HARM[how]
            with pytest.raises(error, match=message):
                answer.result(SOON)
        assert [shown(answer) for answer in answers] == [name for _, name in files]
    assert len(harmed) == len(harm)


def test_leaving_early_ends_what_runs(tmp_path: Path, no_orphans: None) -> None:
    with DecoderPool(READING, LIMITS, workers=2, decode=misbehave) as pool:
        hanging = [pool.submit(bad(tmp_path, f"hang{i}")) for i in range(4)]
        with pytest.raises(FutureTimeout):
            hanging[0].result(2)
    for answer in hanging:
        assert answer.done()


def test_an_error_in_the_with_block_ends_what_runs(tmp_path: Path, no_orphans: None) -> None:
    def interrupted() -> None:
        with DecoderPool(READING, LIMITS, workers=2, decode=misbehave) as pool:
            pool.submit(bad(tmp_path, "hang"))
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()


def test_processes_are_replaced_after_some_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_orphans: None
) -> None:
    monkeypatch.setattr(pool_module, "FILES_PER_PROCESS", 10)
    files = good(tmp_path, 60)
    with DecoderPool(READING, LIMITS, workers=2) as pool:
        answers = [pool.submit(path) for path, _ in files]
        assert [shown(answer) for answer in answers] == [name for _, name in files]


SCRIPT = """
import sys, time
from pathlib import Path
sys.path[:0] = {path!r}
from bad_decoders import misbehave
from reading import LIMITS, READING
from duretrieval.media.pool import DecoderPool

with DecoderPool(READING, LIMITS, workers=2, decode=misbehave) as pool:
    answers = [pool.submit(Path(name)) for name in sys.argv[1:]]
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_when_the_parent_is_killed_its_processes_end(how: signal.Signals, tmp_path: Path) -> None:
    """Idle ones and ones that hang; within a few seconds, not for ever."""
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.format(path=[str(Path(__file__).parent), str(Path(__file__).parents[1])]))
    hanging = str(bad(tmp_path, "hang"))
    parent = subprocess.Popen([sys.executable, str(script), hanging], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    time.sleep(3)
    below = [
        int(word) for file in Path(f"/proc/{parent.pid}/task").glob("*/children") for word in file.read_text().split()
    ]
    assert len(below) >= 2
    parent.send_signal(how)
    parent.communicate()
    for _ in range(200):
        if not any(_runs(pid) for pid in below):
            return
        time.sleep(0.1)
    left = [pid for pid in below if _runs(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_all_errors_are_ours(tmp_path: Path) -> None:
    """`except DuretrievalError` is enough for whoever waits for a file."""
    with DecoderPool(READING, SHORT, workers=1, decode=misbehave) as pool:
        for how in ("raise", "exit"):
            with pytest.raises(DuretrievalError):
                pool.submit(bad(tmp_path, how)).result(SOON)
