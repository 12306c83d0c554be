"""Decoders that a hostile file has taken over: one file pays, nothing hangs, and the parent runs nothing of theirs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.media import faults

from duretrieval.collection import doctor
from duretrieval.errors import DamagedMedia, LimitExceeded
from duretrieval.media import DecoderPool, Limits, confine, seccomp
from duretrieval.types import Reading

LIMITS = Limits(decode_timeout_s=2)
FILTERED = pytest.mark.skipif(seccomp.obstacle() is not None, reason=str(seccomp.obstacle()))
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither signals nor fork")


def told(folder: Path, *orders: str) -> list[Path]:
    paths = [folder / f"{n}" for n, _ in enumerate(orders)]
    for path, order in zip(paths, orders, strict=True):
        path.write_text(order)
    return paths


def one_pays(folder: Path, decode: object, order: str, error: type[Exception], message: str) -> None:
    """The file fails in words, and those after it, by the same pool of one process, do not."""
    bad, *good = told(folder, order, "fine", "fine")
    with DecoderPool(Reading(), LIMITS, workers=1, decode=decode) as pool:  # type: ignore[arg-type]
        answer, *others = [pool.submit(path) for path in (bad, *good)]
        with pytest.raises(error, match=message):
            answer.result(30)
        for path, other in zip(good, others, strict=True):
            assert other.result(30).parts[0].content == path.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "error", "message"),
    [
        ("pickle", DamagedMedia, "its decoder was taken over or is broken: it answered"),
        ("flood", DamagedMedia, "it answered what is not JSON|it answered .*bytes at once"),
        ("huge", DamagedMedia, "it answered 4,294,967,297 bytes at once, more than a chunk can have"),
        ("half", LimitExceeded, "took more than 2 s; raise `decode_timeout_s`"),
        ("drip", LimitExceeded, "took more than 2 s; raise `decode_timeout_s`"),
        ("hang up", DamagedMedia, r"crashed its decoder \(it closed its pipe\)"),
    ],
)
def test_what_it_writes_costs_its_own_file(tmp_path, order, error, message):
    one_pays(tmp_path, faults.taken_over, order, error, message)


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("stop", "took more than 2 s; raise `decode_timeout_s`"),
        ("spin", "took more than 2 s; raise `decode_timeout_s`"),
    ],
)
def test_one_that_stops_or_spins_is_ended(tmp_path, order, message):
    one_pays(tmp_path, faults.obey, order, LimitExceeded, message)


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_file(tmp_path):
    liar, honest = told(tmp_path, "two answers", "fine")
    with DecoderPool(Reading(), LIMITS, workers=1, decode=faults.taken_over) as pool:
        assert pool.submit(liar).result(30).parts[0].content == "a lie"  # its own file is its to lie about
        assert pool.submit(honest).result(30).parts[0].content == "fine"


@FILTERED
def test_it_has_no_network_starts_nothing_and_changes_no_file(tmp_path):
    (path,) = told(tmp_path, "kept")
    with DecoderPool(Reading(), LIMITS, workers=1, decode=confine.attempt) as pool:
        fields = pool.submit(path).result(30).fields
    assert len(fields) == 5
    assert not any(fields.values()), fields
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("0", "kept")]


@FILTERED
def test_a_fork_is_refused_in_words(tmp_path):
    one_pays(tmp_path, faults.obey, "fork", DamagedMedia, "its decoder failed: PermissionError")


@POSIX
def test_what_a_decoder_started_ends_with_it_where_there_is_no_filter(tmp_path, monkeypatch):
    monkeypatch.setattr("duretrieval.media.worker._serve", faults.unconfined)
    (path,) = told(tmp_path, "fork")
    with DecoderPool(Reading(), LIMITS, workers=1, decode=faults.obey) as pool:
        child = int(pool.submit(path).result(30).fields["pid"])  # type: ignore[arg-type]
        os.kill(child, 0)
    assert gone(child)


@POSIX
def test_a_decoder_that_was_stopped_ends_with_its_pool(tmp_path):
    (path,) = told(tmp_path, "fine")
    with DecoderPool(Reading(), LIMITS, workers=1, decode=faults.obey) as pool:
        decoder = int(pool.submit(path).result(30).fields["pid"])  # type: ignore[arg-type]
        os.kill(decoder, signal.SIGSTOP)
    assert gone(decoder)


@FILTERED
def test_doctor_says_what_decoders_are_kept_from(monkeypatch):
    assert doctor._confined() == "no network, no other programs or processes, no change to files"
    monkeypatch.setattr("duretrieval.media.worker._serve", faults.unconfined)
    assert doctor._confined() == (
        "their own, but not kept from the network, starting processes, running programs, writing files, "
        "removing files: this system refuses a filter of system calls"
    )


def test_doctor_says_so_where_there_is_no_filter(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "they may use the network and write files: " in doctor._confined()
    monkeypatch.undo()
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    if sys.platform == "linux":
        assert doctor._confined().endswith("there is no filter for riscv64, only for 64 bits of x86 and ARM")


@POSIX
def test_time_of_the_processor_ends_it_though_nobody_waits():
    code = "from duretrieval.media.confine import allow_seconds\nallow_seconds(0.5)\nwhile True: pass"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == -signal.SIGXCPU


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_of_the_filter_lands_within_it(machine, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: machine)
    steps = list(seccomp._filter(1234))
    assert len(steps) < 4096  # what the kernel takes
    for at, (operation, if_so, if_not, _) in enumerate(steps):
        assert operation == 0x06 or at + 1 + max(if_so, if_not) < len(steps)


STARTED = """
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.media import faults
from duretrieval.media import DecoderPool, Limits
from duretrieval.types import Reading

pool = DecoderPool(Reading(), Limits(), workers=1, decode=faults.obey)
facts = pool.submit(Path({file!r})).result().fields
decoder = facts["pid"]
"""
STOPPED = f"""{STARTED}
os.kill(decoder, signal.SIGSTOP)
print(decoder, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process hears of its parent's end by looking")
def test_a_decoder_that_was_stopped_ends_with_a_parent_that_was_killed(tmp_path):
    (fine,) = told(tmp_path, "fine")
    script = STOPPED.format(root=str(Path(__file__).parents[2]), file=str(fine))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        decoder = int(run.stdout.readline())
        run.kill()
    assert gone(decoder)


def test_the_environment_holds_no_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("SERVICE_TOKEN", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "proxy")
    (path,) = told(tmp_path, "environment")
    with DecoderPool(Reading(), LIMITS, workers=1, decode=faults.obey) as pool:
        names = set(str(pool.submit(path).result(30).parts[0].content).split("\n"))
    assert not names & {"SERVICE_TOKEN", "HTTPS_PROXY"}
    assert "PATH" in names


def gone(process: int) -> bool:
    """Whether it ends within some seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
            if Path(f"/proc/{process}/stat").read_text().split(")")[1].split()[0] == "Z":
                return True  # ended, and waiting for whoever adopted it to take notice
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="memory that is shared has no place among the files here")
def test_it_cannot_have_the_parents_helper_unlink_what_others_share(tmp_path):
    victim = Path(f"/dev/shm/duretrieval-{os.getpid()}")
    (order,) = told(tmp_path, f"unlink {victim.name}")
    script = STARTED.format(root=str(Path(__file__).parents[2]), file=str(order)) + "pool.close()"
    victim.write_text("shared")
    try:
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, "")  # its helper has ended too, or this were waited for
        assert victim.read_text() == "shared"
    finally:
        victim.unlink(missing_ok=True)


@POSIX
def test_it_hears_nothing_of_what_is_typed_or_piped_to_the_parent(tmp_path):
    (order,) = told(tmp_path, "listen")
    script = (
        STARTED.format(root=str(Path(__file__).parents[2]), file=str(order)) + "print(facts['heard']); pool.close()"
    )
    ended = subprocess.run([sys.executable, "-c", script], input="secret", capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("\n", "")
