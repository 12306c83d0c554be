"""Whole or not at all, and nothing left over: kills are real ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from duretrieval import whole
from duretrieval.errors import ConfigError

MAKER = """
import sys
from pathlib import Path
from duretrieval import whole
with getattr(whole, sys.argv[1])(Path(sys.argv[2])) as place:
    (place / "half" if place.is_dir() else place).write_text("half")
    print(place.parent, flush=True)
    sys.stdin.read()
"""


def maker(kind: str, place: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process in the middle of making `place`, and the hidden folder it works in."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAKER, kind, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_kill_leaves_goes_with_the_next_and_what_is_being_made_stays(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "a [model]"
    killed, left = maker(kind, place)
    living, held = maker(kind, place)
    kill(killed)
    (tmp_path / ".another.0123abcd.partial").mkdir()
    assert sorted(tmp_path.iterdir()) == sorted([left, held, tmp_path / ".another.0123abcd.partial"])
    with getattr(whole, kind)(place) as made:
        (made / "whole" if kind == "folder" else made).write_text("whole")
        assert not left.exists()
    assert held.exists()
    assert (place / "whole" if kind == "folder" else place).read_text() == "whole"
    kill(living)
    whole.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [place]


def test_a_file_is_replaced_when_it_is_complete(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("before")
    with pytest.raises(IsADirectoryError), whole.file(tmp_path / "a.txt") as place:
        place.write_bytes(tmp_path.read_bytes())
    assert (tmp_path / "a.txt").read_text() == "before"
    whole.write(tmp_path / "a.txt", "鸟\n")
    assert (tmp_path / "a.txt").read_bytes() == "鸟\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_folders_made_inside_one_another_stay_locked(tmp_path: Path) -> None:
    with whole.folder(tmp_path / "model") as outer:
        with whole.folder(outer) as inner:
            (inner / "a").write_text("1")
        whole.sweep(tmp_path)
        assert (outer / "a").read_text() == "1"
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["model", "model/a"]


def test_what_others_put_there_is_left_alone(tmp_path: Path) -> None:
    """Names alone say little: without our lock in it, only an empty folder is taken for ours."""
    theirs = tmp_path / ".model.0123abcd.partial"
    theirs.mkdir()
    (theirs / "work").write_text("of another program")
    (tmp_path / ".a.89abcdef.partial").write_text("a file")
    whole.sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_temporary_folders_of_killed_processes_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    killed, left = maker("folder", tmp_path / "duretrieval")
    kill(killed)
    with whole.scratch() as place:
        assert list(place.iterdir()) == []
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_kill_after_the_last_step_leaves_nothing_either(tmp_path: Path) -> None:
    """The model is there, and the next attempt is refused; what was beside it goes all the same."""
    killed, left = maker("folder", tmp_path / "model")
    (left / "model").rename(tmp_path / "model")
    kill(killed)
    with pytest.raises(ConfigError, match="there is something at"), whole.folder(tmp_path / "model"):
        pass
    assert list(tmp_path.iterdir()) == [tmp_path / "model"]
