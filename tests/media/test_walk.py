"""Which files are found, and how a change is noticed."""

import os
from pathlib import Path

import pytest

from duretrieval.errors import MediaError
from duretrieval.media.walk import Source, digest, stamp, walk


def names(sources: list[Source], folder: Path) -> list[str]:
    return [str(source.path.relative_to(folder)) for source in sources]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.txt", "a.jpg", "sub/c.txt", "sub/deep/d.txt", ".hidden.txt", ".git/config", "sub/.cache/e"):
        path = tmp_path / "here" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "here"


def test_everything_below_sorted_without_what_is_hidden(folder: Path) -> None:
    assert names(list(walk([folder])), folder) == ["a.jpg", "b.txt", "sub/c.txt", "sub/deep/d.txt"]


def test_a_path_given_directly_is_taken_whatever_its_name(folder: Path) -> None:
    assert names(list(walk([folder / ".hidden.txt", folder / ".git"])), folder) == [".hidden.txt", ".git/config"]


def test_nothing_there(folder: Path) -> None:
    found = walk([folder, folder / "no such thing"])
    with pytest.raises(MediaError, match=r"there is nothing at .*no such thing; check the path"):
        next(found)


def test_links(folder: Path, tmp_path: Path) -> None:
    """To a file: followed. To a folder, even one above: not. To nothing: passed over."""
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "z.txt").symlink_to(folder / "b.txt")
    (folder / "gone.txt").symlink_to(tmp_path / "gone")
    assert names(list(walk([folder])), folder) == ["a.jpg", "b.txt", "sub/c.txt", "sub/deep/d.txt", "z.txt"]


def test_a_link_to_a_folder_given_directly_is_walked(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder, target_is_directory=True)
    assert len(list(walk([link]))) == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_a_folder_that_cannot_be_read(folder: Path) -> None:
    (folder / "sub").chmod(0)
    try:
        found = list(walk([folder]))
    finally:
        (folder / "sub").chmod(0o755)
    assert (found[-1].path, found[-1].problem) == (folder / "sub", "the folder cannot be read: Permission denied")
    assert len(found) == 3


def test_a_folder_that_goes_away_meanwhile(folder: Path) -> None:
    """As an unreadable one, for root as well: its problem is listed, and the rest is found."""
    found = walk([folder])
    assert next(found).path.name == "a.jpg"
    for path in ("sub/deep/d.txt", "sub/.cache/e", "sub/c.txt"):
        (folder / path).unlink()
    for path in ("sub/deep", "sub/.cache", "sub"):
        (folder / path).rmdir()
    assert [(source.path.name, source.problem) for source in found] == [
        ("b.txt", None),
        ("sub", "the folder cannot be read: No such file or directory"),
    ]


def test_pipes_and_sockets_are_passed_over(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert "pipe" not in names(list(walk([folder])), folder)


def test_the_stamp_tells_a_change(folder: Path) -> None:
    path = folder / "b.txt"
    before = stamp(path)
    [source] = walk([path])
    assert source == Source(path, before)
    assert stamp(path) == before
    path.write_text("b.txt!")
    assert stamp(path) != before
    same_size = stamp(path)
    os.utime(path, ns=(0, 12345))
    assert stamp(path) == "6:12345" != same_size


def test_the_digest_is_of_the_content_alone(folder: Path) -> None:
    copy = folder / "copy.bin"
    copy.write_bytes((folder / "b.txt").read_bytes())
    assert digest(copy) == digest(folder / "b.txt") != digest(folder / "a.jpg")
    assert len(digest(copy)) == 32
