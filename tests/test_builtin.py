from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from duretrieval.builtin import FOLDER
from duretrieval.errors import ModelError
from duretrieval.model.card import check_files, read_card
from duretrieval.model.model import Model
from duretrieval.types import MEDIA, Modality, Part

RATE = 16_000


@cache
def model() -> Model:
    return Model.load("builtin")


def texts(*words: str) -> np.ndarray:
    return model().encode([Part(Modality.TEXT, word) for word in words])


def sound(samples: np.ndarray) -> np.ndarray:
    return model().encode([Part(Modality.AUDIO, samples.astype(np.float32))])[0]


def test_knows_all_four_modalities_in_one_space() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (224, 224, 3), dtype=np.uint8)
    parts = [
        Part(Modality.VIDEO, picture[None]),
        Part(Modality.TEXT, "a dog"),
        Part(Modality.IMAGE, picture),
        Part(Modality.AUDIO, rng.normal(size=RATE).astype(np.float32)),
    ]
    out = model().encode(parts)
    assert out.shape == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(out[0], out[2], atol=1e-5)


def test_nearest_words_of_sounds() -> None:
    t = np.arange(3 * RATE) / RATE
    words = ("a pure sine tone", "white noise static", "a dog barking", "complete silence", "a man speaking")
    for samples, word in (
        (np.sin(2 * np.pi * 440 * t), "a pure sine tone"),
        (np.random.default_rng(0).uniform(-0.5, 0.5, len(t)), "white noise static"),
        (np.zeros_like(t), "complete silence"),
    ):
        scores = texts(*words) @ sound(samples)
        assert words[int(scores.argmax())] == word, dict(zip(words, scores.tolist(), strict=True))


def test_a_silent_part_is_not_a_loud_one() -> None:
    rng = np.random.default_rng(0)
    assert sound(np.zeros(RATE)) @ sound(rng.normal(size=RATE)) < 0.9


def test_words_of_one_meaning_are_near() -> None:
    dog, puppy, invoice = texts("a dog", "a puppy", "an invoice for March")
    assert dog @ puppy > 0.5 > dog @ invoice + 0.2


def test_background_standardises_scores() -> None:
    background = model().background
    assert set(background) == set(MEDIA)
    for rows in background.values():
        assert 256 <= len(rows) <= 512
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    (query,) = texts("a violin")
    chance = background[Modality.AUDIO] @ query
    assert abs(chance.mean()) < 0.2
    assert 0.03 < chance.std() < 0.3


def test_ships_small_and_whole() -> None:
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 45_000_000
    assert {path.name for path in files} == {*read_card(FOLDER)["files"], "model.toml", "README.md"}
    assert check_files(FOLDER) == []
    for entry in read_card(FOLDER)["files"].values():
        assert entry["licence"]
        assert entry["origin"]


def test_tampering_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(FOLDER, folder)
    path = folder / "centre.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    assert len(check_files(folder)) == 1
    assert "is not the file model.toml was written for; install or export the model again" in check_files(folder)[0]
    path.write_bytes(bytes(data[:-1]))
    with pytest.raises(ModelError, match=r"centre\.safetensors has \d+ bytes, model\.toml says \d+"):
        Model.load(folder)
    path.unlink()
    with pytest.raises(ModelError, match=r"is incomplete: centre\.safetensors is missing"):
        Model.load(folder)


ALONE = """
import socket, sys
def refuse(*args, **kwargs):
    raise AssertionError("the network was touched")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
for name in ("torch", "transformers", "sentence_transformers", "huggingface_hub"):
    sys.modules[name] = None
import numpy as np
from duretrieval.model.model import Model
from duretrieval.types import Modality, Part
parts = [
    Part(Modality.TEXT, "a dog"),
    Part(Modality.IMAGE, np.zeros((224, 224, 3), np.uint8)),
    Part(Modality.VIDEO, np.zeros((2, 224, 224, 3), np.uint8)),
    Part(Modality.AUDIO, np.zeros(16000, np.float32)),
]
print(Model.load("builtin").encode(parts).shape)
"""


def test_works_with_no_network_and_no_torch(tmp_path: Path) -> None:
    """In a process of its own, where connecting fails and torch cannot be imported; it leaves nothing in its home."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "XDG_"))}
    env |= {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", ALONE], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(4, 384)"
    assert list(tmp_path.iterdir()) == []


def test_only_what_is_used_is_read(tmp_path: Path) -> None:
    """A text search opens no other graph: with the others spoiled in place, it still works."""
    shutil.copytree(FOLDER, tmp_path / "model")
    for name in ("image.onnx", "audio.onnx"):
        path = tmp_path / "model" / name
        path.write_bytes(bytes(path.stat().st_size))
    spoiled = Model.load(tmp_path / "model")
    np.testing.assert_allclose(spoiled.encode([Part(Modality.TEXT, "a dog")]), texts("a dog"), atol=1e-6)
    with pytest.raises(ModelError, match=r"image\.onnx is not the file model\.toml was written for"):
        spoiled.encode([Part(Modality.IMAGE, np.zeros((224, 224, 3), np.uint8))])
