"""The model folder: what is read, when, and what is said when something is wrong with it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from duretrieval.builtin import FOLDER
from duretrieval.errors import ModelError, UnknownPart
from duretrieval.model.card import check_files, fingerprint
from duretrieval.model.model import Model
from duretrieval.types import Array, Modality, Part


class Length:
    """Encodes a text by its length, as a direction in the plane."""

    dim = 2
    modalities = frozenset({Modality.TEXT, Modality.IMAGE})

    def encode(self, batch: Sequence[Part], /) -> Array:
        angles = np.array([len(str(part.content)) for part in batch], np.float32)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).reshape(-1, 2)


def model() -> Model:
    return Model("length", {m: Length() for m in Length.modalities}, dim=2, fingerprint="length-1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "model"))


def edit(folder: Path, old: str, new: str) -> None:
    card = (folder / "model.toml").read_text(encoding="utf-8")
    assert old in card
    (folder / "model.toml").write_text(card.replace(old, new, 1), encoding="utf-8")


def test_rows_come_back_in_the_order_of_the_parts() -> None:
    parts = [Part(list(Length.modalities)[i % 2], "x" * i) for i in range(7)]
    np.testing.assert_allclose(model().encode(parts), Length().encode(parts))
    assert model().encode([]).shape == (0, 2)


def test_a_modality_it_does_not_know_is_named() -> None:
    with pytest.raises(ModelError, match="model 'length' does not know audio; it knows image, text"):
        model().encode([Part(Modality.AUDIO, None)])


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is not a model: there is no model\.toml in it"):
        Model.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("format = 1", "format = 2", "has format 2; this version reads format 1"),
        ('name = "builtin"', "", "has no 'name'"),
        ('name = "builtin"', "name = builtin", "cannot be read"),
        ("image_side", "image_sides", r"\[reading\] has no 'image_sides'\. Did you mean 'image_side'\?"),
        ('modalities = ["text"]', 'modalities = ["texts"]', r"no modality 'texts'\. Did you mean 'text'\?"),
        ("bytes = ", "bytes = 1", r"bytes, model\.toml says 1"),
        ('[files."audio.onnx"]', '[files."sound.onnx"]', r"is incomplete: sound\.onnx is missing"),
        ("dim = 384", 'dim = "384"', "dim is '384', where a number belongs; export the model again"),
        ("[reading]", "[files.x]\n[reading]", "does not say of x how large it is and its sha256"),
        ("image_side = 224", 'image_side = "large"', "image_side is 'large', where a number belongs"),
        (
            'use = "onnx-text"',
            "use = 5",
            "encoders holds {'use': 5, .*, where a table with `use` and `options` belongs",
        ),
        ('modalities = ["text"]', "", "encoders holds {'use': 'onnx-text', .*, where a table with"),
        ('"background.safetensors"', "[]", r"background holds \[\], where the name of a file belongs"),
    ],
)
def test_what_is_wrong_with_a_card_is_said(folder: Path, old: str, new: str, complaint: str) -> None:
    edit(folder, old, new)
    with pytest.raises(ModelError, match=complaint):
        Model.load(folder)


def test_a_part_that_is_not_there_is_named_when_it_is_needed(folder: Path) -> None:
    edit(folder, 'use = "onnx-text"', 'use = "onnx-txt"')
    opened = Model.load(folder)
    with pytest.raises(UnknownPart, match=r"Did you mean 'onnx-text'\?"):
        opened.encode([Part(Modality.TEXT, "a dog")])


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("{ dim = 384,", "{ dim = 384, newer = 1,", r"'onnx-text' cannot be made of its options: .* 'newer'"),
        ("dim = 384\n", "dim = 8\n", "'builtin' has 8 dimensions, and its text ends in 384; export it again"),
    ],
)
def test_a_part_that_does_not_fit_is_named_when_it_is_needed(folder: Path, old: str, new: str, complaint: str) -> None:
    edit(folder, old, new)
    opened = Model.load(folder)
    with pytest.raises(ModelError, match=complaint):
        opened.encode([Part(Modality.TEXT, "a dog")])


def test_an_option_may_be_a_text_too_long_for_the_name_of_a_file(folder: Path) -> None:
    edit(folder, "{ dim = 384,", f'{{ dim = 384, prefix = "{"Find what fits. " * 20}",')
    assert Model.load(folder).encode([Part(Modality.TEXT, "a dog")]).shape == (1, 384)


def test_any_change_to_the_card_changes_the_fingerprint(folder: Path) -> None:
    assert fingerprint(folder) == fingerprint(FOLDER)
    edit(folder, 'name = "builtin"', 'name = "mine"')
    assert fingerprint(folder) != fingerprint(FOLDER)


def test_a_changed_file_is_noticed(folder: Path) -> None:
    assert check_files(folder) == []
    weights = bytearray((folder / "centre.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "centre.safetensors").write_bytes(weights)
    assert len(check_files(folder)) == 1
    assert "centre.safetensors is not the file" in check_files(folder)[0]
