"""What would be lost is asked about."""

import json
import os
import sys
from pathlib import Path

import pytest

from duretrieval.cli import main
from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError, MediaError, WouldEmpty


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"tulips in {name!a}")
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *typed: object) -> int:
    monkeypatch.setattr(sys, "argv", ["duretrieval", *map(str, typed)])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    assert isinstance(code, int | None)
    return code or 0


def names(collection: Collection) -> set[str]:
    return {str(item.fields["name"]) for item in collection.items()}


def test_a_disk_that_is_not_mounted(tmp_path: Path) -> None:
    disk = fill(tmp_path / "disk", "a.txt", "b.txt", "deeper/c.txt")
    with Collection.open(tmp_path / "collection") as collection:
        collection.add(disk)
        disk.rename(tmp_path / "unplugged")
        disk.mkdir()
        with pytest.raises(WouldEmpty, match=rf"all 3 items below {disk} would be removed: .* disk not mounted\?"):
            collection.add(disk, prune=True)
        assert len(collection) == 3
        disk.rmdir()
        (tmp_path / "unplugged").rename(disk)
        assert collection.add(disk, prune=True).removed == 0
        for file in ("a.txt", "b.txt", "deeper/c.txt"):
            (disk / file).unlink()
        assert collection.add(disk, prune="all").removed == 3
        assert len(collection) == 0


def test_a_disk_below_the_folder(tmp_path: Path) -> None:
    home = fill(tmp_path / "home", "a.txt", "usb/b.txt", "usb/c/d.txt", "trip/e.txt")
    with Collection.open(tmp_path / "collection") as collection:
        collection.add(home)
        (home / "trip/e.txt").unlink()
        (home / "trip").rmdir()
        (home / "usb").rename(tmp_path / "unplugged")
        (home / "usb").mkdir()
        with pytest.raises(WouldEmpty, match=f"all 2 items below {home / 'usb'} would be removed"):
            collection.add(home, prune=True)
        assert len(collection) == 4
        (home / "usb").rmdir()  # a folder that is gone with what was in it was removed
        assert collection.add(home, prune=True).removed == 3
        assert names(collection) == {"a.txt"}


def test_a_link_to_a_disk_that_is_not_mounted(tmp_path: Path) -> None:
    fill(tmp_path / "disk", "a.txt", "b.txt")
    (tmp_path / "photos").symlink_to(tmp_path / "disk")
    with Collection.open(tmp_path / "collection") as collection:
        collection.add(tmp_path / "photos")
        (tmp_path / "disk").rename(tmp_path / "unplugged")
        with pytest.raises(WouldEmpty, match=r"all 2 items below .*photos would be removed"):
            collection.add(tmp_path / "photos", prune=True)
        assert names(collection) == {"a.txt", "b.txt", "photos"}


def test_each_of_several_folders_counts(tmp_path: Path) -> None:
    one, other = fill(tmp_path / "one", "a.txt", "b.txt"), fill(tmp_path / "other", "c.txt")
    with Collection.open(tmp_path / "collection") as collection:
        collection.add([one, other])
        (one / "a.txt").unlink()
        (other / "c.txt").unlink()
        with pytest.raises(WouldEmpty, match=f"the only item below {other} would be removed"):
            collection.add([one, other], prune=True)
        assert len(collection) == 3
        assert collection.add(one, prune=True).removed == 1
        other.rmdir()
        with pytest.raises(MediaError, match="no file or folder"):
            collection.add(other, prune=True)
        assert collection.add(one, prune=True).removed == 0  # what lies elsewhere is no concern of this one
        assert names(collection) == {"b.txt", "c.txt"}


def test_what_moved_within_the_folder_is_not_lost(tmp_path: Path) -> None:
    folder = fill(tmp_path / "folder", "a.txt", "b.txt")
    with Collection.open(tmp_path / "collection") as collection:
        collection.add(folder)
        for name in ("a.txt", "b.txt"):
            (folder / name).rename(folder / f"new-{name}")
        report = collection.add(folder, prune=True)
        assert (report.moved, report.removed) == (2, 0)


def test_names_that_are_no_unicode_are_there(tmp_path: Path) -> None:
    folder = fill(tmp_path / "folder", "a.txt", "b\udcff.txt", "c.txt")
    with Collection.open(tmp_path / "collection") as collection:
        collection.add(folder)
        (folder / "c.txt").unlink()
        assert collection.add(folder, prune=True).removed == 1
        assert names(collection) == {"a.txt", "b\\udcff.txt"}
        os.rename(folder / "b\udcff.txt", folder / "d.txt")  # noqa: PTH104
        assert collection.add(folder).moved == 1


def test_a_link_to_nothing_stays_listed(tmp_path: Path) -> None:
    folder = fill(tmp_path / "folder", "a.txt")
    (folder / "b.txt").symlink_to(tmp_path / "nowhere")
    with Collection.open(tmp_path / "collection") as collection:
        assert collection.add(folder, prune=True).removed == 0
        assert {item.problem for item in collection.items()} == {None, "it is a link to nothing"}


def test_a_manifest_that_lost_its_rows(tmp_path: Path) -> None:
    manifest = tmp_path / "shop.csv"
    manifest.write_text("id,text\n1,tulips\n2,roses\n")
    with Collection.open(tmp_path / "collection") as collection:
        collection.add_manifests(manifest)
        manifest.write_text("id,text\n")
        with pytest.raises(WouldEmpty, match=rf"all 2 items of {manifest} would be removed: their rows are not there"):
            collection.add_manifests(manifest, prune=True)
        manifest.write_text("")
        with pytest.raises(ConfigError, match="is empty"):
            collection.add_manifests(manifest, prune=True)
        assert len(collection) == 2
        manifest.write_text("id,text\n2,roses\n")
        assert collection.add_manifests(manifest, prune=True).removed == 1
        manifest.write_text("id,text\n")
        assert collection.add_manifests(manifest, prune="all").removed == 1


def test_the_command_says_how_to_say_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    disk, c = fill(tmp_path / "disk", "a.txt", "b.txt"), tmp_path / "collection"
    assert run(monkeypatch, "index", disk, "-c", c) == 0
    (disk / "a.txt").unlink()
    (disk / "b.txt").unlink()
    capfd.readouterr()
    assert run(monkeypatch, "index", disk, "--prune", "-c", c) == 1
    said = capfd.readouterr().err
    assert f"error: all 2 items below {disk} would be removed" in said
    assert "duretrieval index --prune --yes" in said
    assert run(monkeypatch, "index", disk, "--yes", "-c", c) == 2
    assert run(monkeypatch, "index", disk, "--prune", "--yes", "-c", c, "--json") == 0
    assert json.loads(capfd.readouterr().out)["removed"] == 2
