"""Models of vectors that the data brings: trained, exported, indexed, searched; what does not learn finds nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.conftest import Shell, shell  # noqa: F401  (a fixture)
from tests.training.data.test_youtube8m import example, write

from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError
from duretrieval.index.binary import BinaryIndex
from duretrieval.index.memory import InMemory
from duretrieval.model.model import Model
from duretrieval.training.data.youtube8m import read_youtube8m
from duretrieval.training.recipe.parts import check_names
from duretrieval.training.recipe.toml import to_recipe
from duretrieval.training.runs.trained import train
from duretrieval.types import Item, Modality, Term
from duretrieval.vectors import Given

COLOURS, THINGS = ("red", "blue", "green", "white"), ("bus", "dog", "cat", "house", "boat", "tree")
NAMES = ("Car", "Dog", "Guitar", "Piano", "Boat", "Snow")
DIM = 12


def planted(seed: int = 0) -> dict[str, np.ndarray]:
    """A direction for every word; what a thing is called says what its vector is, but for noise."""
    rng = np.random.default_rng(seed)
    return {word: rng.normal(size=DIM) for word in (*COLOURS, *THINGS)}


BAD = ([1.0] * (DIM - 1), [float("nan")] * DIM, "gone.npy")


def table(folder: Path, bad: Sequence[object] = ()) -> Path:
    """(text, video_vector), a list, frames, or a file; every sixth row is without its vector.  bad: vectors of more."""
    words, rng = planted(), np.random.default_rng(1)
    rows = []
    for n in range(8):
        for colour in COLOURS:
            for thing in THINGS:
                row = {"id": f"{colour}-{thing}-{n}", "text": f"a {colour} {thing}", "split": ("train", "val")[n > 6]}
                frames = (words[colour] + words[thing] + 0.1 * rng.normal(size=(3, DIM))).astype(np.float32)
                if n == 0:
                    np.save(folder / f"{row['id']}.npy", frames)
                    row["video_vector"] = f"{row['id']}.npy"
                elif len(rows) % 6:
                    row["video_vector"] = frames.tolist() if n % 2 else frames[0].tolist()
                rows.append(row)
    rows += [{"id": f"bad-{i}", "text": "a red bus", "split": "train", "video_vector": v} for i, v in enumerate(bad)]
    path = folder / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def trained(data: Path, out: Path, epochs: int = 15, lr: float = 2e-2, **tables: object) -> Path:
    recipe = to_recipe(
        {
            "name": "vectors",
            "dim": 32,
            "encoders": {
                "text": {"use": "bag-of-words"},
                "video": {"use": "features", "dim": DIM, "name": "planted", "origin": "this test"},
            },
            "heads": {"use": "linear"},
            "fit": {"epochs": epochs, "batch": 32, "lr": lr, "accelerator": "cpu", "patience": 0},
            "data": {"near_duplicates": False},
            **tables,
        }
    )
    return train(recipe, data, out, cache=out.parent / "cache").model


def right(model: Path, data: Path, place: Path) -> float:
    """How many of the names find a thing of that name among the vectors."""
    with Collection.open(place, model) as collection:
        collection.add_manifests(data, workers=1)
        asked = [f"a {colour} {thing}" for colour in COLOURS for thing in THINGS]
        best = [collection.search(words, k=1, modalities=[Modality.VIDEO])[0].item.id for words in asked]
    return float(
        np.mean([found.startswith("-".join(words.split()[1:])) for words, found in zip(asked, best, strict=True)])
    )


def test_vectors_are_learned_and_found(tmp_path: Path) -> None:
    data = table(tmp_path, BAD)
    model = trained(data, tmp_path / "run")
    problems = (tmp_path / "run" / "problems.txt").read_text()
    assert f"bad-0, video_vector: expected a vector of {DIM} numbers (planted) for a part of video; got 11" in problems
    assert "column 'video_vector' holds no vector that can be used: number 1 is not finite" in problems
    assert "gone.npy cannot be opened" in problems
    assert Model.load(model).takes == {Modality.VIDEO: Given(DIM, "planted", "this test")}
    assert right(model, data, tmp_path / "c") > 0.9
    still = trained(data, tmp_path / "still", 1, 1e-9)
    assert right(still, data, tmp_path / "s") < 0.3  # chance: 1 in 24
    words = planted()
    with Collection.open(tmp_path / "c") as collection:
        (hit, *_) = collection.search(
            Term(Modality.VIDEO, words["blue"] + words["boat"]), modalities=[Modality.TEXT], where="split = 'val'"
        )
        assert hit.item.id == "blue-boat-7"


@pytest.mark.parametrize(
    ("dim", "said"),
    [
        (None, "'features' needs the option 'dim'"),
        (0, "features have dim 0 .* give 1 number or more"),
        (99, "expected a vector of 99 numbers for a part of video; got 12 numbers"),
    ],
)
def test_a_recipe_says_how_many_numbers(tmp_path: Path, dim: int | None, said: str) -> None:
    video = {"use": "features"} if dim is None else {"use": "features", "dim": dim}
    recipe = to_recipe({"encoders": {"text": {"use": "bag-of-words"}, "video": video}})
    with pytest.raises(ConfigError, match=said):
        train(recipe, table(tmp_path), tmp_path / "run", cache=tmp_path / "cache")


def test_an_encoder_that_learns_reads_no_vectors(tmp_path: Path) -> None:
    video = {"use": "two-stream", "train": ["*"]}
    recipe = to_recipe({"encoders": {"text": {"use": "bag-of-words"}, "video": video}})
    with pytest.raises(ConfigError, match=r"such as: .*video_vector: .*a vector, which only the encoder `features`"):
        train(recipe, table(tmp_path), tmp_path / "run", cache=tmp_path / "cache")


def films(folder: Path, level: str) -> Path:
    """YouTube-8M in small: two labels a film, and what is seen and heard is the sum of theirs."""
    folder.mkdir()
    rng = np.random.default_rng(2)
    sides = {"rgb": rng.normal(size=(len(NAMES), 1024)), "audio": rng.normal(size=(len(NAMES), 128))}

    def film(name: str) -> bytes:
        labels = rng.choice(len(NAMES), 2, replace=False).tolist()
        facts: dict[str, Any] = {"id": [name.encode()], "labels": labels}
        seen = {s: rows[labels].sum(0) + 0.3 * rng.normal(size=(2, rows.shape[1])) for s, rows in sides.items()}
        if level == "video":
            return example({**facts, **{f"mean_{side}": frames.mean(0).tolist() for side, frames in seen.items()}})
        quantised = {s: np.clip((frames / 4 + 2) * 255 / 4, 0, 255).astype(np.uint8) for s, frames in seen.items()}
        return example(facts, {side: [bytes(frame) for frame in frames] for side, frames in quantised.items()})

    write(folder / "train0093.tfrecord", *(film(f"t{n}") for n in range(90)))
    write(folder / "validate0007.tfrecord", *(film(f"v{n}") for n in range(30)))
    names = "".join(f"{i},1,/m/{i},{name}\n" for i, name in enumerate(NAMES))
    (folder / "vocabulary.csv").write_text(f"Index,TrainVideoCount,KnowledgeGraphId,Name\n{names}")
    return folder


FILMS = """
    name = "films"
    dim = 32
    [encoders.text]
    use = "bag-of-words"
    [encoders.video]
    use = "features"
    dim = 1024
    [encoders.audio]
    use = "features"
    dim = 128
    [heads]
    use = "linear"
    [fit]
    epochs = 15
    batch = 32
    lr = 1e-2
    accelerator = "cpu"
    [data]
    reader = "youtube8m"
"""


def labels_found(place: Path, asked: Mapping[str, Any], modality: Modality) -> float:
    """How many questions, by the id of a film, find first what has just that film's labels."""
    with Collection.open(place) as collection:
        of = {item.id: text(item) for item in collection.items()}
        first = {id_: collection.search(it, k=1, modalities=[modality])[0].item.id for id_, it in asked.items()}
    return float(np.mean([of[id_] == of[found] for id_, found in first.items()]))


def text(item: Item) -> list[str]:
    (words,) = (part.content for part in item.parts if isinstance(part.content, str))
    return sorted(words.split(", "))


@pytest.mark.parametrize("level", ["frame", "video"])
def test_youtube8m_from_records_to_a_search(shell: Shell, tmp_path: Path, level: str) -> None:  # noqa: F811
    data = films(tmp_path / "y8m", level)
    names = f"data.vocabulary={data / 'vocabulary.csv'}"
    (tmp_path / "films.toml").write_text(FILMS)
    reading = ("--reader", "youtube8m", "--set", names)
    for out, changes in {"run": (), "still": ("--set", "fit.lr=1e-9", "--set", "fit.epochs=1")}.items():
        run = tmp_path / out
        settings = ("--out", run, "--cache", tmp_path / "cache", "--set", names, *changes)
        ran = shell("train", tmp_path / "films.toml", "--data", data, *settings)
        assert ran.code == 0, ran.err
        ran = shell("index", data, *reading, "--model", run / "model", "-c", run / "c")
        assert "120 indexed; 360 parts" in ran.out, ran.err
    place = tmp_path / "run" / "c"
    assert "120 unchanged" in shell("index", data, *reading, "-c", place).out
    held = {s.id: s.columns for s in read_youtube8m(data, vocabulary=data / "vocabulary.csv").samples if s.id[0] == "v"}
    for name, columns in held.items():
        np.save(tmp_path / f"{name}.npy", columns["video"].content)
    words = {name: ", ".join(reversed(columns["text"].content.split(", "))) for name, columns in held.items()}
    vectors = {name: tmp_path / f"{name}.npy" for name in held}
    for asked, modality in ((words, Modality.VIDEO), (words, Modality.AUDIO), (vectors, Modality.AUDIO)):
        assert labels_found(place, asked, modality) > 0.9
        assert labels_found(tmp_path / "still" / "c", asked, modality) < 0.3  # chance: 1 in 15
    ran = shell("search", "--vector", vectors["v3"], "-c", place, "--in", "text", "--json", "-k", 1)
    assert sorted(json.loads(ran.out)["evidence"][0]["text"].split(", ")) == sorted(words["v3"].split(", "))
    shown = shell("show", "v3", "-c", place).out
    assert "sound" in shown
    assert "val" in shown


def test_a_recipe_says_how_its_collections_are_searched(tmp_path: Path) -> None:
    settings = {"codes": {"use": "itq", "bits": 16}, "index": {"use": "binary", "keep": "int8"}}
    data = table(tmp_path)
    model = trained(data, tmp_path / "run", **settings)
    assert Model.load(model).index == {"use": "binary", "options": {"keep": "int8"}}
    with Collection.open(tmp_path / "c", model) as collection:
        collection.add_manifests(data, workers=1)
        assert collection.search("a blue boat", k=1, modalities=[Modality.VIDEO])[0].item.id.startswith("blue-boat")
        view = collection.view()
        assert isinstance(view, InMemory)
        found = view.indexes[Modality.VIDEO]
        assert isinstance(found, BinaryIndex)
        assert (found.bits, found.bytes_per_vector) == (16, 8 + 32 + 4)  # code, a byte a number, scale
    written = [file for place in ("run", "c") for file in (tmp_path / place).rglob("*") if file.is_file()]
    assert {"background.safetensors", "codes.safetensors", "best.ckpt"} <= {file.name for file in written}
    assert {file.stat().st_mode for file in written} == {data.stat().st_mode}  # as the umask has it, for others to read


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("fais", "no part called 'fais' among the indexes"),
        ({"use": "faiss", "lists": 3}, "'faiss' has no option 'lists'"),
        ({"use": "faiss", "kind": "ivf"}, "kind is 'ivf'"),
    ],
)
def test_a_recipe_that_names_no_index(index: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_names(to_recipe({"index": index}))
