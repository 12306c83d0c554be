"""Files that are asked with are decoded once, in a process of their own, by the rules that files are indexed by."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.media import faults
from tests.media.samples import write_video, write_wave

from duretrieval import Item, Modality, Part, Query, Term
from duretrieval.cli import main
from duretrieval.collection import reading
from duretrieval.collection.collection import Collection
from duretrieval.collection.reading import PARTS, Road, encoded
from duretrieval.errors import DamagedMedia, LimitExceeded, MediaError, ModelError, QueryError
from duretrieval.evaluation.labels.labelled import read_labelled
from duretrieval.evaluation.report.closeup import look
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.evaluation.subjects.model import embed, evaluate_model
from duretrieval.fuse.means import mean
from duretrieval.media import decoder
from duretrieval.media.limits import Limits
from duretrieval.media.passages import split
from duretrieval.media.pool import DecoderPool
from duretrieval.model.model import Model
from duretrieval.types import Reading

PLACES = zip("ABC", "xyz", strict=True)
LONG = "\n\n".join(f"The {place} is full of {thing}. " + "It rains. " * 40 for place, thing in PLACES)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load("builtin")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A picture, a text, a sound of 12 s; and a collection of the first two."""
    Image.new("RGB", (32, 32), (200, 30, 30)).save(tmp_path / "red.png")
    (tmp_path / "long.txt").write_text(LONG)
    write_wave(tmp_path / "tone.wav", seconds=12)
    with Collection.open(tmp_path / "c") as collection:
        collection.add([tmp_path / "red.png", tmp_path / "long.txt"])
    return tmp_path


# ---- hostile queries


@pytest.fixture
def obeying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoders do what the file tells them."""
    monkeypatch.setattr(reading, "DecoderPool", partial(DecoderPool, decode=faults.obey))


@pytest.mark.usefixtures("obeying")
@pytest.mark.parametrize(
    ("order", "error", "said"),
    [
        ("segfault", DamagedMedia, r"asked: it crashed its decoder \(SIGSEGV\)"),
        ("exit", DamagedMedia, r"asked: it crashed its decoder \(exit code 3\)"),
        ("hang-in-c", LimitExceeded, "asked: decoding took more than 2 s; raise `decode_timeout_s`"),
        pytest.param(
            "swell",
            LimitExceeded,
            "asked: decoding it takes more memory than is free|more memory than its process may have",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only"),
        ),
    ],
)
def test_a_query_that_harms_its_decoder_is_a_sentence(
    place: Path, order: str, error: type[MediaError], said: str
) -> None:
    (place / "asked").write_text(order)
    (place / "good").write_text("tulips")
    with Collection.open(place / "c", limits=Limits(decode_timeout_s=2, memory_bytes=2**29)) as collection:
        for asked in (place / "asked", Term(Modality.TEXT, place / "asked")):
            with pytest.raises(error, match=said):
                collection.search(asked)
        assert collection.search(place / "good")  # the caller lives on, and so do its queries


@pytest.mark.usefixtures("obeying")
def test_the_command_says_it(place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    (place / "asked.png").write_text("segfault")
    monkeypatch.setattr(
        sys, "argv", ["duretrieval", "search", "--image", str(place / "asked.png"), "-c", str(place / "c")]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert f"error: {place / 'asked.png'}: it crashed its decoder (SIGSEGV)" in capfd.readouterr().err.replace("\n", "")


# ---- once, elsewhere, and only where there is a file


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What this process decodes: each `decode` looks at the head of its file; others do not hear of the spy."""
    found: list[int] = []
    real = decoder.kind_of

    def spied(path: Path, limits: Limits) -> bytes:
        found.append(os.getpid())
        return real(path, limits)

    monkeypatch.setattr(decoder, "kind_of", spied)
    return found


def test_the_spy_sees(place: Path, here: list[int]) -> None:
    decoder.decode(place / "red.png", Reading(), Limits())
    assert here == [os.getpid()]


def test_nothing_is_decoded_in_the_callers_process(place: Path, here: list[int]) -> None:
    with Collection.open(place / "c") as collection:
        collection.add(place / "tone.wav")
        assert collection.search(place / "red.png")[0].item.fields["name"] == "red.png"
        assert collection.search([Term(Modality.TEXT, place / "long.txt"), Term(Modality.AUDIO, place / "tone.wav")])
    assert here == []


def test_each_file_is_decoded_once_a_query_and_words_start_no_process(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = DecoderPool.submit

    def submit(self: DecoderPool, path: Path, start: Any = None) -> Any:
        asked.append(path.name)
        return real(self, path, start)

    monkeypatch.setattr(DecoderPool, "submit", submit)
    with Collection.open(place / "c") as collection:
        collection.search("tulips")
        assert asked == []
        assert collection._road is not None
        assert collection._road.pool._threads == []
        collection.search(place / "red.png")
        assert asked == ["red.png"]
        twice = [Term(Modality.IMAGE, place / "red.png"), Term(Modality.IMAGE, place / "red.png", 0.5)]
        collection.search(twice)
        assert asked == ["red.png"] * 2
        assert len(collection._road.pool._hired) == 1  # and it stays warm


def test_the_process_ends_with_the_collection(place: Path) -> None:
    collection = Collection.open(place / "c")
    collection.search(place / "red.png")
    assert collection._road is not None
    pool = collection._road.pool
    [worker] = pool._hired
    gone = weakref.ref(collection)
    del collection
    gc.collect()
    assert gone() is None
    assert not worker._process.is_alive() or worker._process.join(5) is None
    assert pool._closed


def test_sentences_of_queries(place: Path) -> None:
    with Collection.open(place / "c") as collection:
        with pytest.raises(QueryError, match=r"red.png holds image, no audio"):
            collection.search(Term(Modality.AUDIO, place / "red.png"))
        with pytest.raises(MediaError, match=r"gone.png: it cannot be opened: no such file"):
            collection.search(place / "gone.png")
        with pytest.raises(MediaError, match="no file can have the name"):
            collection.search(Path("a\0b.jpg"))


# ---- the mean rule, and passages


def test_a_query_of_several_parts_is_their_mean(place: Path, model: Model) -> None:
    spans = list(split(LONG, model.reading.passage_chars))
    assert len(spans) > 1
    rows = model.encode([Part(Modality.TEXT, LONG[a:b]) for a, b in spans])
    expected = rows.mean(axis=0) / np.linalg.norm(rows.mean(axis=0))
    with Collection.open(place / "c", model) as collection:
        for asked in (LONG, place / "long.txt"):
            asking = collection._asking()
            vectors, _ = asking.embed(Query(asking.terms(asked)), collection._store)
            np.testing.assert_allclose(vectors[0], expected, atol=1e-5)


def test_a_long_text_is_cut_alike_wherever_it_comes_from(place: Path, model: Model) -> None:
    (place / "rows.jsonl").write_text('{"id": "row", "text": ' + repr(LONG).replace("'", '"') + "}\n")
    with Collection.open(place / "c", model) as collection:
        collection.add_manifests(place / "rows.jsonl")
        collection.add(Item("made", "", (Part(Modality.TEXT, LONG),)))
        held = {str(item.fields["name"]): item for item in collection.items()}
        expected = [(part.content, part.start_char, part.end_char) for part in held["long.txt"].parts]
        assert len(expected) > 1
        for name in ("row", "made"):
            parts = held[name].parts
            assert [(part.content, part.start_char, part.end_char) for part in parts] == expected
            vectors = collection._store.vectors([held[name].id, held["long.txt"].id])
            np.testing.assert_allclose(*vectors.values(), atol=1e-5)


def test_a_road_reads_each_kind_of_thing(place: Path) -> None:
    looks = Reading(passage_chars=600, sample_rate=8000)
    with Road(looks, Limits(), workers=1) as road:
        text, sound = road.read("tulips"), road.read(place / "tone.wav")
        assert (text.kind, [part.content for part in text.wanted()]) == (Modality.TEXT, ["tulips"])
        assert (sound.kind, len(sound.wanted())) == (Modality.AUDIO, 3)
        stretch = Part(Modality.AUDIO, place / "tone.wav", start_s=6, end_s=7)
        assert [part.start_s for part in road.read(stretch).wanted()] == [5.0]
        samples = Part(Modality.AUDIO, np.ones(9, np.float32))
        assert road.read(samples).wanted() == [samples]
        found = list(road.read_all([place / "tone.wav", place / "gone.wav", Part(Modality.IMAGE, place / "tone.wav")]))
        assert len(found[0]) == 3  # type: ignore[arg-type]
        assert [str(error).split(": ", 1)[1] for error in found[1:]] == [
            "it cannot be opened: no such file or directory",
            "it holds audio, no image",
        ]


def test_no_thing_has_more_than_so_many_parts(tmp_path: Path) -> None:
    write_wave(tmp_path / "long.wav", seconds=80)
    with Road(Reading(window_s=1.0, sample_rate=8000), Limits(), workers=1) as road:
        assert len(road.read(tmp_path / "long.wav").wanted()) == PARTS == 64
        assert len(road.read("\n\n".join(["A word. " * 100] * 100)).wanted()) == PARTS


def test_one_part_at_fault_costs_its_own_thing() -> None:
    def encode(parts: Any) -> Any:
        if any(part.content == "bad" for part in parts):
            raise ModelError("it is bad")
        return np.array([[len(part.content), 1] for part in parts], np.float32)

    things: list[Any] = [[Part(Modality.TEXT, word) for word in words.split()] for words in ("a bb", "bad", "ccc")]
    first, second, third = encoded([*things[:2], things[2]], encode)
    assert isinstance(second, ModelError)
    assert [rows[1].tolist() for rows in (first, third)] == [[[1, 1], [2, 1]], [[3, 1]]]  # type: ignore[index]


def test_the_mean_is_unit_and_of_what_cancels_out_nothing() -> None:
    np.testing.assert_allclose(mean(np.eye(2, dtype=np.float32)), [0.5**0.5] * 2, rtol=1e-6)
    np.testing.assert_allclose(mean(np.eye(2, dtype=np.float32), [3, 4]), [0.6, 0.8], rtol=1e-6)
    assert mean(np.array([[1, 0], [-1, 0]], np.float32)).tolist() == [0, 0]


# ---- evaluation and its report


def test_a_model_is_evaluated_and_shown_without_decoding_here(place: Path, model: Model, here: list[int]) -> None:
    (place / "rows.csv").write_text("text,file\na red square,red.png\na tone,tone.wav\nrain,long.txt\nno,gone.png\n")
    data = read_labelled(place / "rows.csv")
    embedded, problems = embed(model, data)
    assert [problem.split(": ", 1)[1] for problem in problems] == ["it cannot be opened: no such file or directory"]
    assert here == []
    at = embedded[Modality.TEXT].units.index(next(i for i, u in enumerate(data.units) if u.source.endswith("long.txt")))
    with Collection.open(place / "c", model) as collection:
        [item] = [item for item in collection.items() if item.fields["name"] == "long.txt"]
        expected = mean(collection._store.vectors([item.id])[item.id])
    np.testing.assert_allclose(embedded[Modality.TEXT].vectors[at], expected, atol=1e-5)
    found = evaluate_model(model, place / "rows.csv", bootstrap=Bootstrap(resamples=10))
    seen = [look(material) for material in found.materials]
    assert any(case.query.pictures for shown in seen for case in (*shown.worst, *shown.best))
    assert here == []


def test_to_a_model_without_films_a_film_is_its_sound(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4")
    looks = Reading(image_side=32, sample_rate=8000)
    for known, kind in ((frozenset(Modality), Modality.VIDEO), (frozenset({Modality.AUDIO}), Modality.AUDIO)):
        with Road(looks, Limits(), workers=1, known=known) as road:
            held = road.read(tmp_path / "film.mp4")
            assert held.kind is kind
            assert {part.modality for part in held.wanted()} == {kind}
