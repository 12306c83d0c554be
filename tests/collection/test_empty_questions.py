"""An empty question is no question."""

import sys
from pathlib import Path

import numpy as np
import pytest

from duretrieval import Modality, Query, Term
from duretrieval.cli import main
from duretrieval.collection.collection import Collection
from duretrieval.errors import QueryError


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    (folder / "a.txt").write_text("tulips in spring")
    (folder / "empty.txt").touch()
    (folder / "blank.txt").write_text(" \n")
    with Collection.open(folder / "collection") as collection:
        collection.add(folder / "a.txt")
    return folder


BLANK = ["", " ", " \t\r\n", "\0", "\x1b", "\u200b\ufeff", "\u3000", "\u2028", "\u202e\u200f", "\ud800"]


@pytest.mark.parametrize("words", BLANK, ids=ascii)
def test_blank_words(place: Path, words: str) -> None:
    term = Term(Modality.TEXT, words)
    with Collection.open(place / "collection") as collection:
        for asked in (words, term, [term], [Term(Modality.TEXT, "tulips"), term], Query((term,))):
            with pytest.raises(QueryError, match="the query asks for nothing: a term is empty or blank; give words"):
                collection.search(asked)


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), float("-inf")])
def test_a_weight_that_is_no_number(place: Path, weight: float) -> None:
    with (
        Collection.open(place / "collection") as collection,
        pytest.raises(QueryError, match=f"a term has weight {weight}; give a number, negative for less of it"),
    ):
        collection.search([Term(Modality.TEXT, "tulips", weight), Term(Modality.TEXT, "spring")])


def test_what_is_empty_is_not_everything(place: Path) -> None:
    """No modality is none, and an empty filter is a slip."""
    with Collection.open(place / "collection") as collection:
        assert collection.search("tulips", modalities=[]) == []
        assert len(collection.search("tulips", modalities=None)) == 1
        with pytest.raises(QueryError, match="the filter is empty; leave it out, or write one"):
            collection.remove(where="")
        assert len(collection) == 1


def test_no_terms_and_no_numbers(place: Path) -> None:
    nothing = [
        [],
        (),
        Query(),
        Term(Modality.TEXT, "tulips", 0),
        Term(Modality.AUDIO, np.zeros(0, np.float32)),
        Term(Modality.IMAGE, np.zeros((0, 0, 3), np.uint8)),
    ]
    with Collection.open(place / "collection") as collection:
        for asked in nothing:
            with pytest.raises(QueryError, match="the query asks for nothing: "):
                collection.search(asked)


@pytest.mark.parametrize("name", ["empty.txt", "blank.txt"])
def test_an_empty_file(place: Path, name: str) -> None:
    with Collection.open(place / "collection") as collection:
        for asked in (place / name, Term(Modality.TEXT, place / name)):
            with pytest.raises(QueryError, match=rf"the query asks for nothing: .*{name} is empty \(it has no"):
                collection.search(asked)


@pytest.mark.parametrize("words", ["?", "的", "🌷", "x"])
def test_what_can_be_seen_is_a_question(place: Path, words: str) -> None:
    with Collection.open(place / "collection") as collection:
        assert len(collection.search(words)) == 1


@pytest.mark.parametrize(
    "typed",
    [[""], ["  "], ["\u200b"], ["tulips", "--text", ""], ["tulips", "--not", " "], ["--image", "empty.txt"]],
)
def test_the_command(
    place: Path, typed: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "argv", ["duretrieval", "search", *typed, "-c", "collection"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capfd.readouterr().err.startswith("error: the query asks for nothing: ")
