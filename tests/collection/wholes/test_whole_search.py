"""Asking a collection whose model fuses: by words, by a picture, by both; and how it is measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.collection.wholes.fused import COLOURS, FIGURES, ITEMS, ids, picture, whole, word

from duretrieval import Modality, Part, Query, Term
from duretrieval.cli.app import app
from duretrieval.collection.collection import Collection
from duretrieval.errors import QueryError
from duretrieval.evaluation.labels.labelled import read_labelled
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.evaluation.subjects.collection import evaluate_collection
from duretrieval.evaluation.subjects.model import embed, evaluate_model
from duretrieval.model.model import Model
from duretrieval.similarity import unit

pytestmark = pytest.mark.slow

TEXT, IMAGE, WHOLE = Modality.TEXT, Modality.IMAGE, Modality.WHOLE


def test_words_alone_find_wholes(shared: Collection) -> None:
    hits = shared.search("bus", k=4)
    assert set(ids(hits[:3])) == {f"{colour}-bus" for colour in COLOURS}
    best = hits[0]
    assert [(e.part, e.similarity) for e in best.evidence] == [(Part(WHOLE, None), pytest.approx(best.score))]
    colour = best.item.id.split("-")[0]
    assert best.score == pytest.approx(float(whole(word("bus"), word(colour)) @ word("bus")), abs=1e-4)


def test_a_picture_alone_finds_wholes(shared: Collection, things: Path) -> None:
    assert set(ids(shared.search(things.parent / "green.png", k=3))) == {f"green-{figure}" for figure in FIGURES}


@pytest.mark.parametrize(("colour", "figure"), ITEMS)
def test_both_find_what_is_both(shared: Collection, colour: str, figure: str) -> None:
    hits = shared.search([Term(TEXT, figure), Term(IMAGE, picture(colour))], k=1)
    assert ids(hits) == [f"{colour}-{figure}"]
    assert hits[0].score == pytest.approx(1, abs=1e-4)


def test_terms_of_one_modality_weigh_against_each_other(shared: Collection) -> None:
    hits = shared.search([Term(TEXT, "bus", 3.0), Term(TEXT, "apple", 1.0), Term(IMAGE, picture("red"))], k=1)
    assert ids(hits) == ["red-bus"]
    mean = unit((3 * word("bus") + word("apple"))[None])[0]
    expected = float(whole(mean, word("red")) @ whole(word("bus"), word("red")))
    assert hits[0].score == pytest.approx(expected, abs=1e-4)


def test_less_of_something(shared: Collection) -> None:
    hits = shared.search([Term(TEXT, "bus"), Term(IMAGE, picture("red"), -0.3)], k=9)
    assert ids(hits)[2] == "red-bus"
    z = whole(word("bus"), word("red"))
    expected = (z @ word("bus") - 0.3 * z @ word("red")) / np.hypot(1, 0.3)
    assert hits[2].score == pytest.approx(float(expected), abs=1e-4)
    assert all("red" not in id_ for id_ in ids(shared.search([Term(IMAGE, picture("red"), -1.0)], k=5)))


def test_like_an_item_is_like_its_whole(shared: Collection) -> None:
    hits = shared.search(Query(like=("red-bus",), k=9))
    assert "red-bus" not in ids(hits)
    assert set(ids(hits[:2])) == {"green-bus", "blue-bus"}  # words count twice
    expected = {
        id_: whole(word(id_.split("-")[1]), word(id_.split("-")[0])) @ whole(word("bus"), word("red"))
        for id_ in ids(hits)
    }
    assert [hit.score for hit in hits] == pytest.approx([expected[id_] for id_ in ids(hits)], abs=1e-4)
    with pytest.raises(QueryError, match="nothing can be like 'green-tree': there is no such item, or it has no vect"):
        shared.search(Query(like=("green-tree",)))


def test_a_query_of_nothing(shared: Collection) -> None:
    for terms in ((), (Term(TEXT, "bus", 0.0),)):
        with pytest.raises(QueryError, match="the query asks for nothing"):
            shared.search(Query(terms))


def test_a_filter_restricts(shared: Collection) -> None:
    assert ids(shared.search("bus", where="name = 'blue-cube'")) == ["blue-cube"]
    assert shared.search("bus", where="shelf = 2") == []


def test_a_search_cannot_be_narrowed_to_a_modality(shared: Collection) -> None:
    message = (
        "model 'words and colours' fuses the modalities of an item into one vector, so a search cannot be narrowed to "
        "image; filter the items instead, with --where \"kind = 'image'\""
    )
    with pytest.raises(QueryError, match=message):
        shared.search("bus", modalities=[IMAGE])
    with pytest.raises(QueryError, match="so modalities cannot be weighed; give no weights, or weigh the terms"):
        shared.search(Query((Term(TEXT, "bus"),), weights={IMAGE: 2.0}))
    everything = ids(shared.search("bus"))
    for all_there_is in ([TEXT, IMAGE], [WHOLE], list(Modality)):
        assert ids(shared.search("bus", modalities=all_there_is)) == everything


# ---- measured


def test_the_model_is_measured_by_what_it_makes_of_one_modality(model: Model, things: Path) -> None:
    data = read_labelled(things)
    found, _ = embed(model, data)
    words = np.stack([word(str(data.units[i].parts[0].content)) for i in found[TEXT].units])
    colours = np.stack([word(Path(data.units[i].source).stem.split("-")[0]) for i in found[IMAGE].units])
    np.testing.assert_allclose(found[TEXT].vectors, model.fuse({TEXT: words}), atol=1e-4)
    np.testing.assert_allclose(found[IMAGE].vectors, model.fuse({IMAGE: colours}), atol=1e-4)


@pytest.mark.slow
def test_every_pair_of_modalities_is_measured(model: Model, things: Path) -> None:
    pairs = evaluate_model(model, things, bootstrap=Bootstrap(resamples=100)).evaluation.pairs
    assert [pair.name for pair in pairs] == ["text-image", "image-text"]


def test_the_collection_is_measured_as_a_whole(shared: Collection, tmp_path: Path) -> None:
    judgements = tmp_path / "judgements.jsonl"
    judgements.write_text("\n".join(f'{{"query": "{f}", "item": "red-{f}", "gain": 1}}' for f in FIGURES))
    [pair] = evaluate_collection(shared, judgements).evaluation.pairs
    assert pair.name == "text-any"


# ---- at the command line


def test_the_command_line(shared: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    run("search", "bus", "--trust", "--json", "-c", shared.path)
    best = json.loads(capsys.readouterr().out.splitlines()[0])
    assert [e["modality"] for e in best["evidence"]] == ["whole"]
    run("search", "bus", "--trust", "-c", shared.path)
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "whole"
    run("stats", "-c", shared.path)
    assert "9 whole" in capsys.readouterr().out
    with pytest.raises(QueryError, match=r"cannot be narrowed to image; filter the items instead, with --where"):
        run("search", "bus", "--trust", "--in", "image", "-c", shared.path)
    with pytest.raises(QueryError, match=r"no modality 'whole'\. There are: text, image, video, audio"):
        run("search", "bus", "--trust", "--in", "whole", "-c", shared.path)


def run(*arguments: str) -> None:
    app(list(arguments), standalone_mode=False)
