"""Writing model folders: what is in model.toml, and that a saved model gives the same vectors."""

from __future__ import annotations

import doctest
import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duretrieval import whole
from duretrieval.align.centre import Centre
from duretrieval.align.itq import Itq
from duretrieval.builtin import FOLDER
from duretrieval.errors import ConfigError, ModelError
from duretrieval.model import seal as sealing
from duretrieval.model.card import check_files, fingerprint, origins, read_card
from duretrieval.model.model import Model
from duretrieval.model.seal import Origin, seal
from duretrieval.model.toml import toml
from duretrieval.similarity import unit
from duretrieval.types import MEDIA, Array, Modality, Part, Reading

MINE = Origin("CC0-1.0", "drawn by hand")


class Letters:
    """Encodes words by how often each of the first letters occurs, and pictures by their mean: one object for both."""

    dim = 3
    modalities = frozenset({Modality.TEXT, Modality.IMAGE})

    def __init__(self, letters: str) -> None:
        self.letters = letters

    def encode(self, batch: Sequence[Part], /) -> Array:
        rows = [[1.0 + str(part.content).count(letter) for letter in self.letters] for part in batch]
        return unit(np.array(rows, np.float32).reshape(-1, 3))

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        (folder / f"{name}.txt").write_text(self.letters, encoding="utf-8")
        return {"file": f"{name}.txt"}

    @classmethod
    def load(cls, folder: Path, *, file: str) -> Letters:
        return cls((folder / file).read_text(encoding="utf-8"))


TEXTS = [Part(Modality.TEXT, text) for text in ("a cab", "bees", "鸟")]


def letters(**options: Any) -> Model:
    encoder = Letters("abc")
    return Model("letters", dict.fromkeys(Letters.modalities, encoder), dim=3, fingerprint="none", **options)


def test_a_small_folder_by_eye(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("abc", encoding="utf-8")
    encoder = {"use": "letters", "modalities": ["text"], "options": {"file": "words.txt", "dim": 3}}
    seal(tmp_path, {"name": "小", "dim": 3, "encoders": [encoder]}, {"words.txt": MINE})
    digest = hashlib.sha256(b"abc").hexdigest()
    assert (tmp_path / "model.toml").read_text(encoding="utf-8") == (
        'format = 1\nname = "小"\ndim = 3\n\n'
        '[[encoders]]\nuse = "letters"\nmodalities = ["text"]\noptions = { file = "words.txt", dim = 3 }\n\n'
        f'[files."words.txt"]\nsha256 = "{digest}"\nbytes = 3\nlicence = "CC0-1.0"\norigin = "drawn by hand"\n'
    )


def test_sealing_again_changes_nothing(tmp_path: Path) -> None:
    for name in ("b.bin", "a.bin"):
        (tmp_path / name).write_bytes(name.encode())
    seal(tmp_path, {"name": "x"}, {"a.bin": MINE, "b.bin": MINE})
    before = fingerprint(tmp_path)
    (tmp_path / "README.md").write_text("of no weight", encoding="utf-8")
    seal(tmp_path, {"name": "x"}, {"b.bin": MINE, "a.bin": MINE})
    assert fingerprint(tmp_path) == before


def test_a_file_without_origin_and_an_origin_without_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.bin").write_bytes(b"")
    with pytest.raises(ModelError, match=r"a\.bin has no origin; say under which licence it is and where it came from"):
        seal(tmp_path, {"name": "x"}, {})
    with pytest.raises(ModelError, match=r"is incomplete: there is an origin for b\.bin, but no such file"):
        seal(tmp_path, {"name": "x"}, {"deep/a.bin": MINE, "b.bin": MINE})
    assert not (tmp_path / "model.toml").exists()
    seal(tmp_path, {"name": "x"}, {"deep/a.bin": MINE})


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "new" / "model"
    with pytest.raises(FileNotFoundError, match="no-such-file"), whole.folder(target) as place:
        (place / "a").write_bytes((tmp_path / "no-such-file").read_bytes())
    assert list(tmp_path.rglob("*")) == [tmp_path / "new"]
    with whole.folder(target) as place:
        (place / "a").write_bytes(b"1")
        assert not target.exists()
    assert [path.name for path in (tmp_path / "new").rglob("*")] == ["model", "a"]
    with (
        pytest.raises(ConfigError, match=r"there is something at .*model already; give another folder"),
        whole.folder(target),
    ):
        pass
    (tmp_path / "empty").mkdir()
    with whole.folder(tmp_path / "empty") as place:
        (place / "b").write_bytes(b"2")
    assert (tmp_path / "empty" / "b").exists()


PLAIN = st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**63), 2**63 - 1) | st.booleans()
PLAIN |= st.floats(allow_nan=False)
INLINE = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aé. \"'"), inner))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("ab-é ", min_size=1), INLINE, max_size=5))
def test_what_is_written_is_what_is_read(settings: dict[str, Any]) -> None:
    assert tomllib.loads(toml(settings)) == settings


def test_values_that_toml_lacks() -> None:
    assert toml({"a": None, "b": np.float32(0.5), "c": float("inf")}) == "b = 0.5\nc = inf\n"
    with pytest.raises(ConfigError, match=r"when is .*, which a model\.toml cannot hold; give text, numbers, lists"):
        toml({"when": object()})


def test_the_examples() -> None:
    assert doctest.testmod(sealing).failed == 0


def test_a_model_made_in_python_is_saved_and_loaded(tmp_path: Path) -> None:
    centre = Centre(np.array([0.1, 0.5, 0.2], np.float32))
    background = {Modality.TEXT: np.eye(3, dtype=np.float32)}
    model = letters(aligners={Modality.TEXT: centre}, reading=Reading(image_side=32), background=lambda: background)
    training = {"recipe": "letters.toml", "data": "0a1b", "metrics": {"recall@10": np.float64(0.5)}}
    saved = model.save(tmp_path / "m", name="mine", training=training, made=MINE)
    loaded = Model.load(tmp_path / "m", trust=True)
    assert (loaded.name, loaded.dim, loaded.fingerprint, loaded.reading.image_side) == ("mine", 3, saved, 32)
    np.testing.assert_array_equal(loaded.encode(TEXTS), model.encode(TEXTS))
    np.testing.assert_array_equal(loaded.background[Modality.TEXT], background[Modality.TEXT])
    written = read_card(tmp_path / "m")
    assert [entry["modalities"] for entry in written["encoders"]] == [["text", "image"]]  # shared, so saved once
    assert [entry["use"] for entry in written["aligners"]] == ["centre"]
    assert written["training"] == {"recipe": "letters.toml", "data": "0a1b", "metrics": {"recall@10": 0.5}}
    assert {entry["licence"] for entry in written["files"].values()} == {"CC0-1.0"}
    assert check_files(tmp_path / "m") == []


def test_binary_codes_go_with_the_model(tmp_path: Path) -> None:
    coder = Itq.fit(np.eye(3, dtype=np.float32), bits=2)
    letters(codes=lambda: coder).save(tmp_path / "m")
    loaded, rows = Model.load(tmp_path / "m", trust=True), letters().encode(TEXTS)
    assert loaded.codes is not None
    np.testing.assert_array_equal(loaded.codes(rows, Modality.TEXT), coder(rows, Modality.TEXT))
    assert read_card(tmp_path / "m")["codes"] == {"use": "itq", "options": {"file": "codes.safetensors"}}
    assert letters().codes is None


def test_saving_what_was_loaded_gives_the_same_folder(tmp_path: Path) -> None:
    letters(aligners={Modality.TEXT: Centre(np.ones(3, np.float32))}).save(tmp_path / "a", training={"recipe": "r"})
    assert Model.load(tmp_path / "a", trust=True).save(tmp_path / "b") == fingerprint(tmp_path / "a")


def test_the_built_in_model_saved_elsewhere_gives_the_same_vectors(tmp_path: Path) -> None:
    """The engine's own encoders copy their files, which keep their licences."""
    model = Model.load("builtin")
    model.save(tmp_path / "copy")
    rng = np.random.default_rng(0)
    parts = [
        Part(Modality.TEXT, "a red bus"),
        Part(Modality.TEXT, "红色的公共汽车"),
        Part(Modality.IMAGE, rng.integers(0, 255, (224, 224, 3), dtype=np.uint8)),
        Part(Modality.AUDIO, rng.normal(size=16000).astype(np.float32)),
    ]
    copy = Model.load(tmp_path / "copy")
    np.testing.assert_array_equal(copy.encode(parts), model.encode(parts))
    for modality in MEDIA:
        np.testing.assert_array_equal(copy.background[modality], model.background[modality])
    ours, theirs = read_card(tmp_path / "copy")["files"].values(), read_card(FOLDER)["files"].values()
    keys = ("sha256", "licence", "origin")
    assert sorted([tuple(e[k] for k in keys) for e in ours]) == sorted([tuple(e[k] for k in keys) for e in theirs])


def test_parts_of_another_folder_keep_their_licences(tmp_path: Path) -> None:
    letters().save(tmp_path / "a", made=MINE)
    other = Origin("MIT", "made here")
    with whole.folder(tmp_path / "b") as place:
        Letters("abc").save(place, "other-name")
        Letters("xyz").save(place, "new")
        assert origins(place, other, [tmp_path / "a"]) == {"other-name.txt": MINE, "new.txt": other}


class Mute:
    dim = 3
    modalities = frozenset({Modality.TEXT})

    def encode(self, batch: Sequence[Part], /) -> Array:
        return np.zeros((len(batch), 3), np.float32)


def test_a_part_that_cannot_be_saved_or_found(tmp_path: Path) -> None:
    model = Model("mute", {Modality.TEXT: Mute()}, dim=3, fingerprint="none")
    with pytest.raises(ModelError, match=r"Mute, to be text, has no save\(folder, name\); give it one"):
        model.save(tmp_path / "m")

    class Inside(Letters):
        pass

    with pytest.raises(ConfigError, match="Inside cannot be found by name; put the class at the top level of a module"):
        Model("inside", {Modality.TEXT: Inside("abc")}, dim=3, fingerprint="none").save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_is_gone(tmp_path: Path) -> None:
    from duretrieval.encode.image import OnnxImage

    with pytest.raises(ModelError, match=r"nowhere\.onnx is not there to be copied to .*image\.onnx"):
        OnnxImage.load(tmp_path, dim=3, file="nowhere.onnx").save(tmp_path, "image")
