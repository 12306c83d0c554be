"""Models on manifests, runs on disk, matrices by protocol: each measured as one would by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.media.samples import write_video, write_wave

from duretrieval.errors import ConfigError, EvaluationError, UnknownPart
from duretrieval.evaluation import result_json
from duretrieval.evaluation.labels.labelled import read_labelled
from duretrieval.evaluation.protocols import FLICKR30K_1K
from duretrieval.evaluation.report import look
from duretrieval.evaluation.request import Request, evaluate, recognise
from duretrieval.evaluation.runs import read_run, write_judgements, write_run
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.evaluation.subjects.model import embed, evaluate_model
from duretrieval.evaluation.subjects.ranked import RunScores
from duretrieval.model.model import Model
from duretrieval.types import Modality

FAST = Bootstrap(resamples=100)
RUN = {"q1": {"d2": 0.9, "d1": 0.5}, "q2": {"d3": 3.0}}
JUDGEMENTS = {"q1": {"d1": 2.0, "d2": 0.0}, "q3": {"d1": 1.0}}
COLOURS = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 220), "yellow": (240, 220, 60)}


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load("builtin")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures with two captions each, one of them with a sound, one row with a film; one picture is gone."""
    folder = tmp_path_factory.mktemp("pairs")
    rows = []
    for name, colour in COLOURS.items():
        Image.new("RGB", (64, 64), colour).save(folder / f"{name}.png")
        rows += [
            {"caption": f"all {name}", "image": f"{name}.png"},
            {"caption": "a plain square", "image": f"{name}.png"},
        ]
    write_wave(folder / "tone.wav", seconds=3)
    write_video(folder / "film.mp4", seconds=4)
    rows[0]["audio"] = "tone.wav"
    rows.append({"caption": "a short film", "video": "film.mp4"})
    rows.append({"caption": "gone", "image": "gone.png"})
    rows.append({"colour": "no file and no text"})
    path = folder / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_what_shares_a_row_belongs_together(manifest: Path) -> None:
    data = read_labelled(manifest)
    names = [Path(unit.source).name or unit.parts[0].content for unit in data.units]
    assert names[:4] == ["all red", "red.png", "tone.wav", "a plain square"]
    assert len(names) == len(set(names)) == 14
    plain = names.index("a plain square")
    assert {names[i] for i in data.together.right([plain], range(14))[0]} == {
        "a plain square",
        *(f"{c}.png" for c in COLOURS),
    }
    clusters = data.together.clusters()
    assert clusters[plain] == clusters[0] == clusters[names.index("blue.png")]
    assert clusters[plain] != clusters[names.index("film.mp4")]
    [note] = data.notes
    assert "the row names no file and holds no text" in note


def test_the_hash_changes_with_a_file_and_with_a_text(tmp_path: Path) -> None:
    def hash_of(pixel: int, text: str) -> str:
        Image.new("RGB", (4, 4), (pixel, 0, 0)).save(tmp_path / "a.png")
        (tmp_path / "m.csv").write_text(f"caption,image\n{text},a.png\n")
        return read_labelled(tmp_path / "m.csv").hash

    assert hash_of(1, "x") == hash_of(1, "x")
    assert len({hash_of(1, "x"), hash_of(2, "x"), hash_of(1, "y")}) == 3


@pytest.fixture(scope="module")
def encoded(manifest: Path, model: Model) -> Any:
    """Vectors of each modality, and the problems."""
    return embed(model, read_labelled(manifest))


def test_vectors_are_those_of_the_model(manifest: Path, model: Model, encoded: Any) -> None:
    data = read_labelled(manifest)
    embedded, problems = encoded
    assert {m: len(e.units) for m, e in embedded.items()} == {
        Modality.TEXT: 7,
        Modality.IMAGE: 4,
        Modality.AUDIO: 1,
        Modality.VIDEO: 1,
    }
    [problem] = problems
    assert "gone.png" in problem
    first = data.units[embedded[Modality.TEXT].units[0]]
    assert model.encode(first.parts)[0] @ embedded[Modality.TEXT].vectors[0] == pytest.approx(1, abs=1e-5)


def test_every_pair_both_ways(manifest: Path, model: Model, encoded: Any) -> None:
    found = evaluate_model(model, manifest, bootstrap=FAST, command="by hand")
    names = [pair.name for pair in found.evaluation.pairs]
    assert names == [
        "text-image",
        "text-video",
        "text-audio",
        "image-text",
        "image-audio",
        "video-text",
        "audio-text",
        "audio-image",
    ]
    pair = found.evaluation.pair("text-image")
    assert (len(pair.queries), pair.gallery_size) == (5, 4)
    embedded, _ = encoded
    cosines = embedded[Modality.TEXT].vectors[:6] @ embedded[Modality.IMAGE].vectors.T
    ranks = {f"all {c}": 1 + int((row > row[i]).sum()) for i, c in enumerate(COLOURS) for row in [cosines[i + (i > 0)]]}
    assert dict(zip(pair.queries, pair.score("rr").values, strict=True)) == pytest.approx(
        {name: 1 / place for name, place in ranks.items()} | {"a plain square": 1.0}
    )
    assert pair.score("hit@1").values[pair.queries.index("a plain square")] == 1.0  # all four are right
    assert found.evaluation.pair("text-video").gallery_size == 1
    assert found.evaluation.provenance.model == model.fingerprint
    assert any("gone.png" in note for note in found.notes)
    seen = look(found.materials[names.index("image-text")])
    assert seen.worst[0].query.pictures[0].shape == (112, 112, 3)


def test_data_with_nothing_to_pair(tmp_path: Path, model: Model) -> None:
    (tmp_path / "texts.csv").write_text("caption\none\ntwo\n")
    with pytest.raises(EvaluationError, match="no row names two things that belong together"):
        evaluate_model(model, tmp_path / "texts.csv")
    (tmp_path / "gone.csv").write_text("caption,image\none,gone.png\n")
    with pytest.raises(
        EvaluationError, match=r"no row has two modalities that .* could read; what it read is text\..*gone.png"
    ):
        evaluate_model(model, tmp_path / "gone.csv")


def test_a_run_by_hand(tmp_path: Path) -> None:
    write_run(tmp_path / "run.txt", RUN)
    write_judgements(tmp_path / "qrels.csv", JUDGEMENTS)
    pair = (Modality.TEXT, Modality.IMAGE)
    found = evaluate(str(tmp_path / "run.txt"), Request(judgements=tmp_path / "qrels.csv", pair=pair, bootstrap=FAST))
    scores = found.evaluation.pair("text-image")
    assert scores.queries == ("q1", "q3")
    assert scores.score("rr").values.tolist() == [0.5, 0.0]
    assert found.notes == (f"1 judged queries are not answered in {tmp_path / 'run.txt'}; they count as not found",)
    seen = look(found.materials[0])
    assert [case.query.text for case in (*seen.worst, *seen.best)] == ["q3", "q1"]


def test_a_run_and_judgements_of_other_queries(tmp_path: Path) -> None:
    write_run(tmp_path / "run.jsonl", RUN)
    write_judgements(tmp_path / "qrels", {"1": {"d1": 1.0}})
    with pytest.raises(
        EvaluationError, match=r"answers none of the 1 queries that .* judges, such as '1'; do they number"
    ):
        evaluate(str(tmp_path / "run.jsonl"), Request(judgements=tmp_path / "qrels"))


def test_csv_there_and_back(tmp_path: Path) -> None:
    write_run(tmp_path / "run.csv", RUN)
    assert read_run(tmp_path / "run.csv") == RUN
    (tmp_path / "bad.csv").write_text("query,item\na,b\n")
    with pytest.raises(EvaluationError, match=r"bad.csv:1: no column score"):
        read_run(tmp_path / "bad.csv")


def test_rows_of_a_run_as_they_are_asked_for() -> None:
    scores = RunScores(RUN, ["q1", "q2", "q3"], ["d1", "d2", "d3"])
    assert scores.shape == (3, 3)
    assert scores[1:3].tolist() == [[-np.inf, -np.inf, 3.0], [-np.inf] * 3]


def test_a_matrix_by_its_protocol(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scores = np.repeat(np.eye(1000, dtype=np.float32), 5, axis=1) + rng.normal(size=(1000, 5000)).astype(np.float32) / 4
    np.save(tmp_path / "scores.npy", scores)
    found = evaluate(str(tmp_path / "scores.npy"), Request(protocol="flickr30k-1k", bootstrap=FAST))
    expected = FLICKR30K_1K(scores, bootstrap=FAST)
    assert found.evaluation.totals == expected.totals
    assert found.evaluation.pair("text-image").score("hit@1").value == expected.pair("text-image").score("hit@1").value
    seen = look(found.materials[1])
    assert seen.worst[0].rank == np.nanmax(expected.pair("text-image").score("median-rank").values)
    assert seen.worst[0].query.name.startswith("text ")


def test_a_matrix_with_labels_shows_the_texts(tmp_path: Path) -> None:
    rows = ["audiocap_id,youtube_id,start_time,caption"]
    rows += [f"{5 * i + j},clip{i},{i},sound {i} told {j}" for i in range(4) for j in range(5)]
    (tmp_path / "test.csv").write_text("\n".join(rows))
    np.save(tmp_path / "scores.npy", np.repeat(np.eye(4), 5, axis=1))
    found = evaluate(
        str(tmp_path / "scores.npy"), Request(protocol="audiocaps", labels=tmp_path / "test.csv", bootstrap=FAST)
    )
    assert found.evaluation.pair("text-audio").score("hit@1").value == 1.0
    assert look(found.materials[1]).best[0].query.text.startswith("sound ")


def test_classes_come_from_an_npz(tmp_path: Path) -> None:
    np.save(tmp_path / "scores.npy", np.array([[0.9, 0.1, 0.8], [0.2, 0.7, 0.1]]))
    np.savez(tmp_path / "labels.npz", query=np.array([1, 2]), gallery=np.array([1, 2, 1]))
    request = Request(protocol="wikipedia", labels=tmp_path / "labels.npz", bootstrap=FAST)
    assert evaluate(str(tmp_path / "scores.npy"), request).evaluation.pair("image-text").score("ap").value == 1.0
    with pytest.raises(EvaluationError, match="wikipedia needs labels to know what is relevant"):
        evaluate(str(tmp_path / "scores.npy"), Request(protocol="wikipedia"))
    request = Request(protocol="wikipedia", labels=tmp_path / "scores.npy")
    with pytest.raises(EvaluationError, match=r"is not an .npz with the arrays query and gallery"):
        evaluate(str(tmp_path / "scores.npy"), request)


def test_positives_come_from_a_folder(tmp_path: Path) -> None:
    sentences = [{"raw": f"caption {i}", "sentid": 10 + i, "tokens": [], "imgid": i // 2} for i in range(4)]
    images = [
        {"filename": f"{i}.jpg", "imgid": i, "cocoid": i, "split": "test", "sentences": sentences[2 * i : 2 * i + 2]}
        for i in range(2)
    ]
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"dataset": "coco", "images": images}))
    np.save(tmp_path / "scores.npy", np.repeat(np.eye(2), 2, axis=1))
    request = Request(protocol="eccv-caption", labels=tmp_path, bootstrap=FAST)
    with pytest.raises(EvaluationError, match=r"has no eccv_image_to_caption.json, eccv_caption_to_image.json; give"):
        evaluate(str(tmp_path / "scores.npy"), request)
    (tmp_path / "eccv_image_to_caption.json").write_text(json.dumps({"0": [10, 11]}))
    (tmp_path / "eccv_caption_to_image.json").write_text(json.dumps({"10": [0], "12": [1]}))
    found = evaluate(str(tmp_path / "scores.npy"), request)
    assert found.evaluation.pair("text-image").score("r-precision").value == 1.0


def test_matrices_that_are_none(tmp_path: Path) -> None:
    np.save(tmp_path / "scores.npy", np.zeros(3))
    with pytest.raises(EvaluationError, match=r"has shape \(3,\); a matrix of similarities has rows and columns"):
        evaluate(str(tmp_path / "scores.npy"), Request(protocol="clotho"))
    with pytest.raises(UnknownPart, match=r"no protocol 'coco-5'. Did you mean 'coco-5k'\?"):
        evaluate(str(tmp_path / "scores.npy"), Request(protocol="coco-5"))
    with pytest.raises(EvaluationError, match="say by which protocol to measure it, with --protocol"):
        evaluate(str(tmp_path / "scores.npy"), Request())
    (tmp_path / "text.npy").write_text("no")
    with pytest.raises(EvaluationError, match=r"is not a matrix that numpy.save wrote"):
        evaluate(str(tmp_path / "text.npy"), Request(protocol="clotho"))


def test_what_is_what(tmp_path: Path) -> None:
    assert recognise("builtin") == "model"
    for name, subject in (("a.npy", "matrix"), ("a.json", "result"), ("a.jsonl", "run"), ("run", "run")):
        (tmp_path / name).write_text("")
        assert recognise(str(tmp_path / name)) == subject
    with pytest.raises(EvaluationError, match="holds neither a model nor a collection; give a collection"):
        recognise(str(tmp_path))
    with pytest.raises(EvaluationError, match="nowhere is not there; give a collection"):
        recognise(str(tmp_path / "nowhere"))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    write_run(tmp_path / "run.jsonl", RUN)
    with pytest.raises(EvaluationError, match="a run is evaluated against judgements; name it with --judgements"):
        evaluate(str(tmp_path / "run.jsonl"), Request())
    with pytest.raises(EvaluationError, match=r"a model is evaluated on a manifest .*; name it with --data"):
        evaluate("builtin", Request())
    with pytest.raises(
        EvaluationError, match=r"there is no file .*gone.csv, named with --data; a model is evaluated on a manifest"
    ):
        evaluate("builtin", Request(data=tmp_path / "gone.csv"))


def test_an_earlier_result_comes_back(tmp_path: Path) -> None:
    write_run(tmp_path / "run.jsonl", RUN)
    write_judgements(tmp_path / "qrels", JUDGEMENTS)
    request = Request(judgements=tmp_path / "qrels", bootstrap=FAST)
    first = evaluate(str(tmp_path / "run.jsonl"), request).evaluation
    result_json.save(first, tmp_path / "result.json")
    again = evaluate(str(tmp_path / "result.json"), Request()).evaluation
    assert result_json.to_json(again) == result_json.to_json(first)
    with pytest.raises(
        ConfigError, match="--metric has nothing to do with a result, whose figures are there already; leave it out"
    ):
        evaluate(str(tmp_path / "result.json"), Request(metrics=("hit@1",)))
