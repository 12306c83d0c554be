"""Whatever names and texts hold, a terminal is sent text, and programs are sent JSON."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from rich.table import Table
from rich.text import Text
from tests.cli.conftest import Ran, Shell

from duretrieval import Item, Modality, Part
from duretrieval.cli.output import print_json
from duretrieval.cli.terminal import out, shown
from duretrieval.collection import Collection

SENT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What never goes to a terminal; a line break ends lines."""
EVIL = "a\x1b[31mred\x07\rb\tc\x7f\x9b2J\u202egpj.\u2066\u200b[/b][red]:smile:"
NAME = EVIL.replace("/", "") + "\nrow.txt"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain 红色 é 🚌", "plain 红色 é 🚌"),
        ("a\x1b[31m\nrow\t\r", r"a\x1b[31m\nrow\t\r"),
        ("\x7f\x9b", r"\x7f\x9b"),
        ("\u202egpj.exe\u2066\u2028", r"\u202egpj.exe\u2066\u2028"),
        ("in\u200bvisible\ufeff", r"in\u200bvisible\ufeff"),
        (os.fsdecode(b"bad\xff"), r"bad\udcff"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u200db", r"a\u200db"),
        ("[/b] :smile: [red]x", "[/b] :smile: [red]x"),
    ],
)
def test_every_character_can_be_seen(text: str, seen: str) -> None:
    assert shown(text) == seen


def test_strings_texts_and_tables_pass_alike(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\x1b[31m\u202e[/b]:smile:"
    table = Table(show_header=False)
    table.add_row(text)
    for thing in (text, Text(text), table):
        out.print(thing)
    said = capsys.readouterr().out
    assert not SENT.search(said)
    assert said.count(r"\x1b[31m\u202e[/b]:smile:") == 3


def test_json_is_valid_whatever_a_string_holds(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"name": EVIL + "\ud800 红", "score": float("nan"), "scores": [float("inf"), 1.5]}])
    line = capsys.readouterr().out
    assert not SENT.search(line)
    assert "红" in line
    assert json.loads(line) == {"name": EVIL + "\ud800 红", "score": None, "scores": [None, 1.5]}


def test_every_command_with_hostile_names(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command is given them as a file, a text, a title, an id, a field, a collection, an option and a model."""
    monkeypatch.chdir(tmp_path)
    media = tmp_path / f"media {EVIL.replace('/', '')}"
    media.mkdir()
    (media / NAME).write_text(f"tulips {EVIL}")
    Path(os.fsdecode(bytes(media / "bad") + b"\xff.txt")).write_text("tulips")
    (media / f"broken {NAME}.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    Image.new("RGB", (32, 32), "red").save(media / "red.png")
    row = {"id": EVIL, "title": f"a tulip {EVIL}", "image": str(media / "red.png"), "price": EVIL, EVIL[:3]: 1}
    (tmp_path / NAME).write_text(json.dumps(row))
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    c = tmp_path / "c\u202e[b][red]:smile:"  # the store refuses control characters in the path of a collection
    with Collection.open(c) as collection:
        collection.add(Item(f"made {EVIL}", EVIL, (Part(Modality.TEXT, EVIL),), {"name": EVIL}))
    at = ("-c", c)
    ran = {
        command: shell(*command)
        for command in (
            ("index", media, *at),
            ("index", "--manifest", tmp_path / "rows.jsonl", *at),
            ("index", "--manifest", tmp_path / NAME, *at),
            ("index", media, *at, "--model", EVIL),
            ("index", media, *at, "--limit", EVIL),
            ("index", tmp_path / EVIL, *at),
            ("index", media, "-c", tmp_path / NAME.replace("row", "")),
            ("index", "--manifest", tmp_path / "rows.jsonl", "--column", EVIL, *at),
            ("index", "--manifest", tmp_path / "rows.jsonl", "--column", f"{EVIL}=text", *at),
            ("search", "tulips", *at),
            ("search", "tulips", "--json", *at),
            ("search", "tulips", "--where", f"`{EVIL}` = 3", *at),
            ("search", "tulips", "--in", EVIL, *at),
            ("search", f"2:10 {EVIL}", "--weight", EVIL, *at),
            ("search", "--image", EVIL, *at),
            ("search", "--like", EVIL[:4], *at),
            ("search", "x", "-c", EVIL),
            ("show", EVIL, *at),
            ("show", EVIL, "--all", *at),
            ("show", EVIL, "--json", *at),
            ("show", f"no {EVIL}", *at),
            ("stats", *at),
            ("stats", "--problems", *at),
            ("stats", "--problems", "--json", *at),
            ("verify", *at),
            ("verify", "--json", *at),
            ("doctor", *at),
            ("migrate", "--model", EVIL, *at),
            ("remove", f"no {EVIL}", *at),
            ("remove", EVIL, *at),
            ("judge", c, EVIL),
            ("judge", EVIL, EVIL, "--queries", EVIL),
            ("evaluate", EVIL),
            ("evaluate", c, "--queries", "2"),
            ("evaluate", c, "--data", tmp_path / NAME),
            ("evaluate", "builtin", "--data", tmp_path / NAME, "--column", f"{EVIL}=text"),
            ("evaluate", "builtin", "--pair", EVIL),
            ("recipes",),
            (EVIL,),
            ("search", f"--{EVIL}"),
            ("search", "x", "-k", EVIL),
            ("train", "x", "--data", "y", "--track", EVIL),
        )
    }
    for command, said in ran.items():
        holds(command, said)
    assert r"a\x1b[31mred" in ran["search", "tulips", *at].out
    assert "[/b][red]:smile:" in ran["show", EVIL, *at].out


@pytest.mark.slow
def test_training_commands_with_hostile_names(shell: Shell, tmp_path: Path) -> None:
    rows = tmp_path / NAME
    rows.write_text(json.dumps({"id": EVIL, "text": EVIL, "image": EVIL, EVIL: EVIL}))
    for command in (
        ("check", rows, "--reader", EVIL),
        ("check", rows.rename(tmp_path / f"{NAME}.jsonl")),
        ("train", EVIL, "--data", EVIL, "--set", EVIL),
        ("train", "pairs", "--data", EVIL, "--set", f"{EVIL}=1"),
        ("tune", EVIL, "--data", EVIL, "--out", EVIL),
        ("export", EVIL, EVIL),
    ):
        holds(command, shell(*command))


def test_a_fault_of_the_program_is_text_too(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Collection.open(tmp_path / "c").close()

    def fails(self: Collection) -> None:
        raise RuntimeError(EVIL)

    monkeypatch.setattr(Collection, "stats", fails)
    done = shell("stats", "-c", tmp_path / "c")
    assert done.code == 1
    assert done.err.startswith("Traceback")
    assert r"RuntimeError: a\x1b[31mred" in done.err
    assert not SENT.search(done.err)


def holds(command: tuple[str | Path, ...], said: Ran) -> None:
    """What is printed is text, and JSON where that was asked for."""
    assert not SENT.search(said.out + said.err), (command, said)
    assert said.code in (0, 1, 2), (command, said)
    assert "Traceback" not in said.err, (command, said)
    for line in said.out.splitlines() if "--json" in command else ():
        json.loads(line)


def piped(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONUNBUFFERED", "COLUMNS")}
    command = command.replace("duretrieval", f"{sys.executable} -m duretrieval")
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred items that no pipe holds the lines of."""
    folder, long = tmp_path_factory.mktemp("piped"), {"note": "x" * 1000}
    with Collection.open(folder / ".duretrieval") as c:
        c.add([Item(f"i{n}", f"source {n}", (Part(Modality.TEXT, f"tulips {n}"),), long) for n in range(200)])
    return folder


@pytest.mark.parametrize(
    "command", ["search tulips -k 200 --json | head -n 1", "search tulips | true", "--help | true"]
)
def test_a_reader_that_has_gone_is_no_fault(command: str, place: Path) -> None:
    done = piped(f"duretrieval {command}; exit ${{PIPESTATUS[0]}}", place)
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", int("head" in command))


def test_faults_are_faults_though_nobody_reads_them(place: Path) -> None:
    assert piped("duretrieval show nothing --json | true; exit ${PIPESTATUS[0]}", place).returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", ["search tulips", "search tulips --json", "--help"])
def test_a_full_disk_is_said(command: str, place: Path) -> None:
    done = piped(f"duretrieval {command} > /dev/full", place)
    assert done.returncode == 1
    assert done.stderr == "error: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", "2> /dev/full", "<&- >&- 2>&-"])
def test_closed_streams(closed: str, place: Path) -> None:
    done = piped(f"duretrieval search tulips {closed}; echo $?", place)
    assert (done.stdout.splitlines()[-1], done.stderr) == ("0", "")
    with Collection.open(place / ".duretrieval", create=False) as c:
        assert c.verify() == []


def test_other_encodings_get_what_they_have(place: Path) -> None:
    with Collection.open(place / "c") as c:
        c.add(Item("红", "x", (Part(Modality.TEXT, "红 🚌"),)))
    for option, seen in (("", r"\u7ea2"), ("--json", r"\u7ea2 \ud83d\ude8c")):
        done = piped(f"PYTHONIOENCODING=ascii PYTHONUTF8=0 duretrieval search bus {option} -c c", place)
        assert (done.returncode, done.stderr) == (0, "")
        assert seen in done.stdout
