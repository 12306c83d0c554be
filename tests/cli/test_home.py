"""Which collection a command means when nobody names one."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.cli.conftest import Shell

from duretrieval import Item, Modality, Part
from duretrieval.cli import home
from duretrieval.cli.paths import near
from duretrieval.collection import Collection
from duretrieval.errors import NotACollection


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below the one with a collection of one text."""
    below = tmp_path / "top" / "a" / "b"
    below.mkdir(parents=True)
    fill(tmp_path / "top" / ".duretrieval", "tulips")
    monkeypatch.chdir(below)
    return below


def fill(path: Path, words: str) -> None:
    with Collection.open(path) as c:
        c.add(Item(words, words, (Part(Modality.TEXT, words),)))


def test_a_folder_above_has_it_and_that_is_said(here: Path, shell: Shell) -> None:
    found = shell("search", "tulips")
    assert (found.code, found.err) == (0, "Collection: ../../.duretrieval\n")
    assert "tulips" in found.out


def test_nothing_is_said_where_it_is_here_or_was_named(
    here: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = here.parents[1] / ".duretrieval"
    assert shell("stats", "-c", named).err == ""
    monkeypatch.setenv("DURETRIEVAL_COLLECTION", str(named))
    assert shell("stats").err == ""
    monkeypatch.delenv("DURETRIEVAL_COLLECTION")
    monkeypatch.chdir(named.parent)
    assert shell("stats").err == ""


def test_index_adds_to_what_a_search_would_ask(here: Path, shell: Shell) -> None:
    (here / "a.txt").write_text("roses")
    done = shell("index", "a.txt")
    assert done.code == 0
    assert done.err == "Collection: ../../.duretrieval (for one of its own here: -c .duretrieval)\n"
    assert not (here / ".duretrieval").exists()
    assert shell("index", "a.txt", "-c", ".duretrieval").err == ""
    assert "1 indexed" not in shell("index", "a.txt").err
    assert shell("search", "roses").err == ""


def test_index_makes_one_here_where_there_is_none(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("roses")
    missing = shell("search", "roses")
    assert missing.code == 1
    assert "no collection here, in a folder above or in the user's data folder. Make one with: duretrieval index" in (
        missing.err
    )
    assert shell("index", "a.txt").err == ""
    assert (tmp_path / ".duretrieval" / "parts.lance").is_dir()


def test_a_named_one_that_is_not_there(shell: Shell) -> None:
    done = shell("search", "x", "-c", "nowhere")
    assert done.code == 1
    assert "there is no collection at nowhere. Make one with: duretrieval index PATH -c nowhere" in done.err


def test_the_users_own_is_the_last(here: Path, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "data" / "duretrieval" / "collection", "lilies")
    assert "../../.duretrieval" in shell("stats").err
    monkeypatch.chdir(tmp_path)
    found = shell("search", "flowers")
    assert found.err == "Collection: data/duretrieval/collection\n"
    assert "lilies" in found.out


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="folders have no owners here")
def test_another_users_is_refused_unless_it_is_named(here: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    for command in (("search", "x"), ("index", "."), ("doctor",)):
        done = shell(*command)
        assert done.code == 1
        assert ".duretrieval belongs to another user, and a collection may name a model that runs code" in done.err
    assert shell("stats", "-c", here.parents[1] / ".duretrieval").code == 0
    with pytest.raises(NotACollection, match="if you trust it, name it: -c"):
        home.nearest(here)


def test_another_file_system_is_not_looked_into(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.nearest(here) == here.parents[1] / ".duretrieval"
    stat = Path.stat

    def mounted(path: Path, **settings: bool) -> os.stat_result | SimpleNamespace:
        found = stat(path, **settings)
        return SimpleNamespace(st_dev=-1, st_uid=found.st_uid) if path == here.parents[1] else found

    monkeypatch.setattr(Path, "stat", mounted)
    assert home.nearest(here) is None


def test_a_folder_of_that_name_without_a_collection_is_passed_by(here: Path) -> None:
    (here / ".duretrieval").mkdir()
    assert home.nearest(here) == here.parents[1] / ".duretrieval"


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {"XDG_DATA_HOME": "/x/y"}, "/x/y"),
        ("linux", {"XDG_DATA_HOME": "not/whole"}, "/h/.local/share"),
        ("linux", {}, "/h/.local/share"),
        ("darwin", {}, "/h/Library/Application Support"),
        ("win32", {"LOCALAPPDATA": "/h/Local"}, "/h/Local"),
    ],
)
def test_data_folders(platform: str, variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: Path("/h"))
    monkeypatch.setattr(home.sys, "platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert home.data_folder() == Path(folder)


def test_paths_are_as_short_as_they_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "far" / "away").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "home" / "far" / "away")
    assert near(tmp_path / "home" / "far" / "away" / "a.txt") == "a.txt"
    assert near(tmp_path / "home" / "a.txt") == "~/a.txt"
    assert near("/a.txt") == "/a.txt"
    assert near("rows.csv#1") == "rows.csv#1"
