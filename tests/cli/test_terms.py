from pathlib import Path

import pytest

from duretrieval.cli import terms
from duretrieval.errors import QueryError
from duretrieval.types import Modality


@pytest.mark.parametrize(
    ("typed", "weight", "words"),
    [
        ("a red bus", 1.0, "a red bus"),
        ("2:a red bus", 2.0, "a red bus"),
        ("-0.5:snow", -0.5, "snow"),
        (".5:snow", 0.5, "snow"),
        ("1:3:10 to Yuma", 1.0, "3:10 to Yuma"),
        ("3:10 to Yuma", 1.0, "3:10 to Yuma"),
        ("2.0:3:10 to Yuma", 2.0, "3:10 to Yuma"),
        ("12:30", 1.0, "12:30"),
        ("1:02:03 into the film", 1.0, "1:02:03 into the film"),
        ("16:9 screens", 1.0, "16:9 screens"),
        ("2.:16:9 screens", 2.0, "16:9 screens"),
        ("2:10 bicycles", 1.0, "2:10 bicycles"),
        ("2.0:10 bicycles", 2.0, "10 bicycles"),
        ("2001: A Space Odyssey", 1.0, "2001: A Space Odyssey"),
        ("2: the sequel", 1.0, "2: the sequel"),
        ("1984:a novel", 1.0, "1984:a novel"),
        ("2:红色的汽车", 2.0, "红色的汽车"),
        ("note: buy milk", 1.0, "note: buy milk"),
        ("红色的汽车", 1.0, "红色的汽车"),
    ],
)
def test_words(typed: str, weight: float, words: str) -> None:
    term = terms.text_term(typed)
    assert (term.modality, term.weight, term.content) == (Modality.TEXT, weight, words)


def test_words_that_could_be_a_weight_are_said() -> None:
    assert terms.note("3:10 to Yuma") == (
        "'3:10 to Yuma' is searched for as words; with a weight of 3 write '3.0:10 to Yuma'"
    )
    assert [terms.note(typed) for typed in ("2:a bus", "a bus", "1:3:10 to Yuma", "2.0:10 bicycles", "e.g. a bus")] == [
        None
    ] * 5


@pytest.mark.parametrize("typed", ["", "  ", "\n"])
def test_nothing_is_no_question(typed: str) -> None:
    with pytest.raises(QueryError, match="the query asks for nothing: a term is empty or blank; give words"):
        terms.text_term(typed)


def test_a_weight_of_0_asks_for_nothing(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="'0:snow' has weight 0, so it asks for nothing"):
        terms.text_term("0:snow")
    (tmp_path / "a.jpg").touch()
    with pytest.raises(QueryError, match="with weight 0 it asks for nothing; leave it out"):
        terms.file_term(Modality.IMAGE, f"0:{tmp_path / 'a.jpg'}")


def test_not_turns_the_weight_around() -> None:
    assert terms.text_term("snow", sign=-1).weight == -1
    assert terms.text_term("0.5:snow", sign=-1).weight == -0.5


def test_files(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.touch()
    assert terms.file_term(Modality.IMAGE, str(photo)).weight == 1
    assert terms.file_term(Modality.IMAGE, f"0.5:{photo}").weight == 0.5
    with pytest.raises(QueryError, match=r"--image 0\.5:b\.jpg: there is no file 'b\.jpg'"):
        terms.file_term(Modality.IMAGE, "0.5:b.jpg")


def test_a_file_whose_name_looks_weighted_is_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("2:a.jpg").touch()
    assert terms.file_term(Modality.IMAGE, "2:a.jpg").content == Path("2:a.jpg")


def test_modalities() -> None:
    assert terms.modalities(None) == set(Modality)
    assert terms.modalities("image, audio") == {Modality.IMAGE, Modality.AUDIO}
    with pytest.raises(QueryError, match=r"no modality 'imge'\. Did you mean 'image'\?"):
        terms.modalities("imge")


def test_weights() -> None:
    assert terms.weights([]) is None
    assert terms.weights(["image=2,text=0.5", "audio=0"]) == {"image": 2, "text": 0.5, "audio": 0}
    with pytest.raises(QueryError, match="expected a modality and a number"):
        terms.weights(["image"])
    with pytest.raises(QueryError, match="use --not"):
        terms.weights(["image=-1"])
    for number in ("nan", "inf", "-inf", "1e300"):
        with pytest.raises(QueryError, match=rf"--weight text={number}: a weight is a number of at most 1e\+06"):
            terms.weights([f"text={number}"])
