"""A file is written whole or not at all."""

from pathlib import Path

import pytest

from duretrieval.model.seal import whole_file


def write(path: Path, text: str, shared: bool) -> None:
    with whole_file(path, shared=shared) as part:
        part.write_text(text[:2])
        if len(text) > 3:
            raise OSError("the disk is full")
        part.write_text(text)


@pytest.mark.parametrize("shared", [False, True])
def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path, shared: bool) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(OSError, match="the disk is full"):
        write(path, "too long", shared)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.json", "old")]
    write(path, "new", shared)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.json", "new")]
