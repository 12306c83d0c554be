"""A command that is shown can be copied into a shell, whatever its paths are called."""

import shlex
from pathlib import Path

import pytest
from tests.hashed import hashed
from typer.testing import CliRunner

from duretrieval.cli.app import app
from duretrieval.collection.collection import Collection
from duretrieval.errors import DuretrievalError


def shown(text: str) -> list[str]:
    """The words of the command that a text ends in."""
    return shlex.split(text[text.index("duretrieval ") :].partition(";")[0])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("my notes").mkdir()
    Path("my notes/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no")
    return tmp_path


def test_a_path_with_spaces(here: Path) -> None:
    done = CliRunner().invoke(app, ["index", "my notes", "-c", "it's mine"])
    assert shown(done.output.splitlines()[-1]) == ["duretrieval", "stats", "--problems", "-c", "it's mine"]
    missing = CliRunner().invoke(app, ["search", "-c", "not there", "dog"])
    assert shown(str(missing.exception)) == ["duretrieval", "index", "PATH", "-c", "not there"]
    with pytest.raises(DuretrievalError) as caught:
        Collection.open("not there", create=False)
    assert shown(str(caught.value)) == ["duretrieval", "index", "PATH", "-c", "not there"]
    hashed(here / "my model", 32)
    with pytest.raises(DuretrievalError) as caught:
        Collection.open("it's mine", here / "my model")
    migrate = ["duretrieval", "migrate", "-c", "it's mine", "--model", str(here / "my model")]
    assert shown(str(caught.value)) == migrate
