"""What a person meets before any search: versions, help, errors, and how runs are stopped."""

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Shell
from tests.ends import running

from duretrieval import Item, Modality, Part, __version__
from duretrieval.collection import Collection


def test_version_and_module(shell: Shell) -> None:
    assert shell("--version").out == f"duretrieval {__version__}\n"
    done = subprocess.run(
        [sys.executable, "-m", "duretrieval", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"duretrieval {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("serch",), 2, "error: No such command 'serch'. Did you mean 'search'?"),
        (("search",), 2, "give words, or --text, --image, --audio, --video, --vector or --like"),
        (("search", "x", "-k", "0"), 2, "Invalid value for '-k'"),
        (("search", "--tex", "x"), 2, "error: No such option: --tex"),
        (("show",), 2, "error: Missing argument 'id'"),
        (("search", "x", "--weight", "text=nan"), 1, "--weight text=nan: a weight is a number of at most 1e+06"),
        (("search", "x", "--weight", "text=-inf"), 1, "--weight text=-inf: a weight is a number"),
        (("search", ""), 1, "the query asks for nothing: a term is empty or blank"),
        (("search", "--text", " \n"), 1, "the query asks for nothing"),
        (("search", "--image", "no.png"), 1, "error: --image no.png: there is no file 'no.png'"),
        (("search", "--image", "."), 1, "error: --image .: '.' is a folder, not a file"),
        (("judge", ".duretrieval", "x"), 1, "judge asks for a key after each result, and there is no terminal"),
    ],
)
def test_errors_are_sentences(arguments: tuple[str, ...], code: int, sentence: str, small: Path, shell: Shell) -> None:
    done = shell(*arguments)
    assert (done.code, done.out) == (code, "")
    assert sentence in done.err
    assert not re.search("[│╭╰]", done.err)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with Collection.open(".duretrieval") as c:
        c.add([Item(f"item-{n}", f"source {n}", (Part(Modality.TEXT, f"tulips {n}"),)) for n in range(3)])
    return tmp_path


def test_more_results_than_there_are(small: Path, shell: Shell) -> None:
    done = shell("search", "tulips", "-k", "99999999999999999999", "--json")
    assert (done.code, len(done.out.splitlines())) == (0, 3)


def test_what_might_have_been_meant_is_said(small: Path, shell: Shell) -> None:
    assert "with a weight of 3 write '3.0:10 to Yuma'" in shell("search", "3:10", "to", "Yuma").err
    assert "'a/bus.jpg' is searched for as words; there is no such file" in shell("search", "a/bus.jpg").err
    (small / "bus.jpg").touch()
    assert "a picture, sound or film is asked with --image" in shell("search", "bus.jpg").err
    assert shell("search", "2:a bus").err == ""


def test_what_reads_a_command_line_is_light() -> None:
    """No store, runtime or array library is imported for help, versions, typing errors and where nothing is."""
    for command in (["--help"], ["--version"], ["serch"], ["search", "x", "-c", "nowhere"], ["train", "--help"]):
        code = (
            "import sys; from duretrieval.cli import main\n"
            f"sys.argv[1:] = {command}\n"
            "try: main()\n"
            "except SystemExit: print('heavy:', sorted({'numpy', 'lance', 'onnxruntime', 'torch'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "heavy: []", command


def test_show_sums_up_what_is_long(small: Path, shell: Shell) -> None:
    with Collection.open(".duretrieval") as c:
        texts = tuple(Part(Modality.TEXT, f"passage {n} {'word ' * 100} end{n}", page=n) for n in range(40))
        c.add([Item("long", "long", texts), Item("short", "short", texts[:11])])
    brief, whole = shell("show", "long").out, shell("show", "long", "--all").out
    assert "... and 30 more parts (30 text); --all shows every part" in brief
    assert "page 9 passage 9" in brief
    assert "page 10" not in brief
    assert "end3" not in brief
    assert "page 39 passage 39" in whole
    assert "end39" in whole
    assert "more parts" not in shell("show", "short").out


def test_ctrl_c_says_what_is_kept(tmp_path: Path) -> None:
    """On a terminal: the bar is gone, a sentence stands there, and as many are stored as it says."""
    media = tmp_path / "media"
    media.mkdir()
    for n in range(3000):
        (media / f"{n}.txt").write_text(f"text {n} " * 20)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "duretrieval", "index", str(media), "-c", str(tmp_path / "c")]
    terminal = {"stdin": slave, "stdout": slave, "stderr": slave, "env": {**os.environ, "TERM": "xterm"}}
    seen, pressed = "", False
    with running(command, start_new_session=True, **terminal) as process:
        os.close(slave)
        while True:
            try:
                seen += os.read(master, 65536).decode()
            except OSError:  # the terminal is gone with the program
                break
            if not pressed and re.search(r"[1-9]\d*/3000", seen):
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes
                pressed = True
        os.close(master)
        assert process.wait() == 130
    said = re.search(r"\x1b\[2KInterrupted: (\d+) kept; run again to go on\.\r\n$", seen)
    assert said, seen[-500:]
    with Collection.open(tmp_path / "c", create=False) as c:
        assert len(c) == int(said[1]) > 0
