"""A file is written whole or not at all."""

from pathlib import Path

import pytest

from duretrieval.model.seal import whole_file


@pytest.mark.parametrize("shared", [False, True])
def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path, shared: bool) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), whole_file(path, shared=shared) as part:
        part.write_text("ne")
        raise OSError("full")
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
    with whole_file(path, shared=shared) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
