"""A model as an encoder of mteb: its batches become the rows that `evaluate` makes, and its figures are evaluate's."""

from __future__ import annotations

import importlib.util
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.evaluation.test_scored_pairs import COLUMNS, PAIRS

from duretrieval import Collection, Modality, Model, Part, Request, evaluate
from duretrieval.collection.reading import Road
from duretrieval.errors import ConfigError, MissingExtra, ModelMismatch
from duretrieval.evaluation import MtebEncoder
from duretrieval.fuse.means import mean
from duretrieval.media.limits import Limits

ASKED: dict[str, Any] = {"task_metadata": None, "hf_split": "test", "hf_subset": "default"}
LONG = "A red bus stands in the rain. " * 200
THERE = importlib.util.find_spec("mteb") is not None
needs_mteb = pytest.mark.skipif(not THERE, reason="mteb is not installed: pip install 'duretrieval[mteb]'")


@pytest.fixture(scope="module")
def encoder() -> MtebEncoder:
    return MtebEncoder("builtin")


def encoded(encoder: MtebEncoder, *batches: dict[str, Any]) -> np.ndarray:
    return encoder.encode(batches, **ASKED, prompt_type="query", batch_size=2, show_progress_bar=False)


def test_texts_are_the_models_rows_and_long_ones_the_mean_of_their_passages(encoder: MtebEncoder) -> None:
    texts = ["a red bus", "rain on a tin roof", LONG]
    rows = encoded(
        encoder, {"text": texts[:2], "query": texts[:2]}, {"text": texts[2:], "title": ["x"], "body": [LONG]}
    )
    assert rows.dtype == np.float32
    assert np.allclose(rows[:2], encoder.model.encode([Part(Modality.TEXT, text) for text in texts[:2]]), atol=1e-6)
    with Road(encoder.model.reading, Limits()) as road:
        passages = road.read(LONG).wanted()
    assert len(passages) > 1
    assert np.allclose(rows[2], mean(encoder.model.encode(passages)), atol=1e-6)
    assert encoded(encoder).shape == (0, encoder.model.dim)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK"])
def test_a_picture_in_memory_is_read_as_its_file(encoder: MtebEncoder, mode: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).convert(mode)
    file = tmp_path / "picture.tiff"
    picture.save(file)
    with Road(encoder.model.reading, Limits()) as road:
        parts = road.read(file).wanted()
    assert np.allclose(encoded(encoder, {"image": [picture]})[0], encoder.model.encode(parts)[0], atol=2e-3)


def test_a_sound_is_read_at_its_rate_and_window_by_window(encoder: MtebEncoder) -> None:
    rate, reading = 44_100, encoder.model.reading
    samples = np.sin(np.arange(int(2.5 * reading.window_s * rate)) * 880 / rate * 6.28).astype(np.float32)
    mono = encoded(encoder, {"audio": [{"array": samples, "sampling_rate": rate}]})
    own = np.sin(np.arange(int(reading.window_s * reading.sample_rate)) * 880 / reading.sample_rate * 6.28)
    (row,) = encoder.model.encode([Part(Modality.AUDIO, own.astype(np.float32))])
    assert float(mono[0] @ row) > 0.98
    both = encoded(encoder, {"audio": [{"array": np.stack([samples, samples]), "sampling_rate": rate}]})
    assert np.allclose(both, mono, atol=1e-3)


def test_a_text_with_a_picture_is_the_mean_of_both(encoder: MtebEncoder) -> None:
    picture = Image.new("RGB", (64, 64), (200, 20, 20))
    text, image = encoded(encoder, {"text": ["a bus"]})[0], encoded(encoder, {"image": [picture]})[0]
    rows = encoded(encoder, {"text": ["a bus", "a bus", None], "image": [picture, None, None]})
    assert np.allclose(rows[0], (text + image) / np.linalg.norm(text + image), atol=1e-5)
    assert np.allclose(rows[1], text, atol=1e-6)
    assert not rows[2].any()


def test_a_fusion_makes_the_row(encoder: MtebEncoder) -> None:
    class Second:
        """Takes the last of what there is, so that it can be told from the mean."""

        dim, modalities = encoder.model.dim, frozenset(Modality)

        def __call__(self, vectors: dict[Modality, np.ndarray]) -> np.ndarray:
            return -list(vectors.values())[-1]

    parts = {m: encoder.model.parts_for(m) for m in (Modality.TEXT, Modality.IMAGE)}
    model = Model(
        "fused",
        {m: held[0] for m, held in parts.items()},
        aligners={m: held[1] for m, held in parts.items() if held[1] is not None},
        dim=encoder.model.dim,
        fingerprint="f",
        reading=encoder.model.reading,
        fusion=Second(),  # type: ignore[arg-type]
    )
    fused, plain = (encoded(one, {"text": ["a bus"]}) for one in (MtebEncoder(model), encoder))
    assert np.allclose(fused, -plain, atol=1e-6)


def test_rows_are_compared_by_their_cosines(encoder: MtebEncoder) -> None:
    a, b = np.array([[1.0, 0], [0, 2]]), np.array([[3.0, 3], [0, 1]])
    half = np.sqrt(0.5)
    assert np.allclose(encoder.similarity(a, b), [[half, 0], [half, 1]])
    assert np.allclose(encoder.similarity(a[0], b[0]), [[half]])
    assert np.allclose(encoder.similarity_pairwise(a, b), [half, 1])


def test_what_cannot_be_done_is_said(encoder: MtebEncoder) -> None:
    with pytest.raises(ConfigError, match=r"a batch of video, text cannot be encoded here: text, image and audio can"):
        encoded(encoder, {"video": [0], "text": ["a"]})
    with pytest.raises(ConfigError, match=r"a batch of nothing cannot"):
        encoded(encoder, {})
    with pytest.raises(ConfigError, match=r"runs on the cpu, not on 'cuda'; leave the device out"):
        MtebEncoder("builtin", device="cuda")
    with pytest.raises(ModelMismatch, match=r"has the fingerprint \w+, not abc; leave the revision out"):
        MtebEncoder("builtin", "abc")
    MtebEncoder("builtin", encoder.model.fingerprint, device="cpu")


@pytest.mark.skipif(THERE, reason="mteb is installed")
def test_without_mteb_only_its_card_is_missing(encoder: MtebEncoder) -> None:
    with pytest.raises(MissingExtra, match=r"this needs mteb: pip install 'duretrieval\[mteb\]'"):
        _ = encoder.mteb_model_meta


def test_the_signature_is_the_documented_one() -> None:
    """Of `mteb.models.EncoderProtocol` in mteb 2.26."""
    asked = inspect.signature(MtebEncoder.encode).parameters
    assert list(asked) == ["self", "inputs", *ASKED, "prompt_type", "kwargs"]
    assert all(asked[name].kind is inspect.Parameter.KEYWORD_ONLY for name in (*ASKED, "prompt_type"))
    made = inspect.signature(MtebEncoder).parameters
    assert [(name, made[name].default) for name in made][1:3] == [("revision", None), ("device", None)]
    for name in ("similarity", "similarity_pairwise"):
        assert list(inspect.signature(getattr(MtebEncoder, name)).parameters) == ["self", "embeddings1", "embeddings2"]


def test_it_encodes_without_torch() -> None:
    code = (
        "import sys; from duretrieval.evaluation import MtebEncoder\n"
        "MtebEncoder('builtin').encode([{'text': ['a']}], task_metadata=None, hf_split='', hf_subset='')\n"
        "assert not {'torch', 'mteb', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


DOCUMENTS = {
    "bus": "a red double-decker bus in a street",
    "rain": "heavy rain falls on a tin roof",
    "dogs": "two dogs run over the grass",
    "ship": "a ship under sail on the sea",
    "soup": "how to cook a soup of onions",
    "bridge": "an old bridge made of stone",
    "guitar": "a man plays the guitar on a stage",
    "snow": "children play in deep snow",
    "market": "prices fell on the stock market",
    "cat": "a cat sleeps on a chair",
    "train": "a train arrives at the station",
    "bird": "a bird sings in a tall tree",
}
QUESTIONS = {
    "public transport": ["bus", "train"],
    "bad weather": ["rain", "snow"],
    "animals": ["dogs", "cat", "bird"],
    "music": ["guitar", "bird"],
    "money": ["market"],
    "something to eat": ["soup"],
    "winter": ["snow"],
}


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """docs/*.txt and judged.jsonl."""
    (tmp_path / "docs").mkdir()
    for name, text in DOCUMENTS.items():
        (tmp_path / "docs" / f"{name}.txt").write_text(text)
    rows = [
        {"query": question, "item": str(tmp_path / "docs" / f"{name}.txt"), "gain": 1}
        for question, names in QUESTIONS.items()
        for name in names
    ]
    (tmp_path / "judged.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@needs_mteb
@pytest.mark.filterwarnings("default")  # of libraries that are not ours
def test_mteb_says_of_local_files_what_evaluate_says(local: Path) -> None:
    import mteb

    encoder = MtebEncoder("builtin")
    assert isinstance(encoder, mteb.models.EncoderProtocol)
    found = mteb.evaluate(encoder, [retrieval(local), sts()], cache=None, show_progress_bar=False)
    assert (found.model_name, found.model_revision) == ("duretrieval/builtin", encoder.model.fingerprint)
    theirs = {result.task_name: result.scores["test"][0] for result in found.task_results}
    with Collection.open(local / "store") as collection:
        collection.add(local / "docs")
    request = Request(data=local / "judged.jsonl", metrics=("ndcg@10", "recall@3"))
    ours = evaluate(str(local / "store"), request).evaluation.pair("text-text")
    assert 0.3 < theirs["Local"]["ndcg_at_10"] < 1
    assert theirs["Local"]["ndcg_at_10"] == pytest.approx(ours.score("ndcg@10").value, abs=1e-5)
    assert theirs["Local"]["recall_at_3"] == pytest.approx(ours.score("recall@3").value, abs=1e-5)
    (local / "sts.csv").write_text("sentence1,sentence2,score\n" + "".join(f"{a},{b},{s}\n" for a, b, s in PAIRS))
    totals = evaluate("builtin", Request(data=local / "sts.csv", columns=COLUMNS)).evaluation.totals
    for measure in ("spearman", "pearson"):
        assert theirs["LocalPairs"][measure] == pytest.approx(totals[f"sentence1-sentence2/{measure}"], abs=1e-5)
        assert theirs["LocalPairs"][f"cosine_{measure}"] == pytest.approx(theirs["LocalPairs"][measure], abs=1e-5)


def metadata(kind: str, name: str, score: str) -> Any:
    from mteb.abstasks.task_metadata import TaskMetadata

    return TaskMetadata(
        name=name,
        type=kind,
        main_score=score,
        description="local files",
        reference=None,
        dataset={"path": "local", "revision": "1"},
        category="t2t",
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        date=None,
        domains=None,
        task_subtypes=None,
        license=None,
        annotations_creators=None,
        dialect=None,
        sample_creation=None,
        bibtex_citation=None,
    )


def retrieval(place: Path) -> Any:
    from datasets import Dataset
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData

    class Local(AbsTaskRetrieval):
        metadata = metadata("Retrieval", "Local", "ndcg_at_10")

        def load_data(self, num_proc: int | None = None, **kwargs: Any) -> None:
            files = sorted((place / "docs").iterdir())
            rows = [json.loads(line) for line in (place / "judged.jsonl").read_text().splitlines()]
            right: dict[str, dict[str, int]] = {}
            for row in rows:
                right.setdefault(row["query"], {})[Path(row["item"]).stem] = row["gain"]
            data = RetrievalSplitData(
                queries=Dataset.from_list([{"id": query, "text": query} for query in right]),
                corpus=Dataset.from_list([{"id": file.stem, "text": file.read_text(), "title": ""} for file in files]),
                relevant_docs=right,
                top_ranked=None,
            )
            self.dataset = {"default": {"test": data}}
            self.data_loaded = True

    return Local()


def sts() -> Any:
    from datasets import Dataset, DatasetDict
    from mteb.abstasks.sts import AbsTaskSTS

    class LocalPairs(AbsTaskSTS):
        metadata = metadata("STS", "LocalPairs", "spearman")
        min_score, max_score = 0, 5

        def load_data(self, num_proc: int | None = None, **kwargs: Any) -> None:
            columns = dict(zip(("sentence1", "sentence2", "score"), map(list, zip(*PAIRS, strict=True)), strict=True))
            self.dataset = DatasetDict({"test": Dataset.from_dict(columns)})
            self.data_loaded = True

    return LocalPairs()
