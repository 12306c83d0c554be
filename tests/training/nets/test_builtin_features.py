"""The built-in classifiers without their last layer: what they give, multiplied by that layer, is the classes."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from duretrieval import plugins
from duretrieval.builtin import FOLDER
from duretrieval.encode.audio import OnnxAudio
from duretrieval.encode.image import OnnxImage
from duretrieval.errors import ModelError
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.testing import EncoderSuite
from duretrieval.training import parts as workbench
from duretrieval.training.nets.builtin import builtin_audio_features, builtin_image_features, cut, features_graph
from duretrieval.types import Array, Modality, Part

RATE = 16_000


def picture(seed: int) -> np.ndarray:
    """Coarse noise, so that pictures differ in more than their grain."""
    return np.random.default_rng(seed).integers(0, 256, (7, 7, 3), dtype=np.uint8).repeat(32, 0).repeat(32, 1)


def tone(hz: float, seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE).astype(np.float32)


PICTURES = [Part(Modality.IMAGE, picture(seed)) for seed in range(3)]
FILM = Part(Modality.VIDEO, np.stack([picture(seed) for seed in range(3)]))
SOUNDS = [Part(Modality.AUDIO, sound) for sound in (tone(440, 0.1), tone(2000, 3), tone(90, 1) + 0.3 * tone(9000, 1))]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("features")


def chain(path: Path) -> Path:
    """rows @ [[1, 2], [3, 4]] -> negated -> @ [[1], [1]], as a graph whose middle is called `middle`."""
    weights = [
        numpy_helper.from_array(np.array(w, np.float32), n) for n, w in (("a", [[1, 2], [3, 4]]), ("b", [[1], [1]]))
    ]
    nodes = [
        helper.make_node("MatMul", ["rows", "a"], ["product"]),
        helper.make_node("Neg", ["product"], ["middle"]),
        helper.make_node("MatMul", ["middle", "b"], ["classes"]),
        helper.make_node("Unsqueeze", ["classes", "one"], ["deep"]),
    ]
    weights.append(numpy_helper.from_array(np.array([1]), "one"))
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", 2])
    deep = helper.make_tensor_value_info("deep", TensorProto.FLOAT, ["n", 1, 1])
    graph = helper.make_graph(nodes, "chain", [rows], [deep], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_cut_by_eye(tmp_path: Path) -> None:
    assert cut(chain(tmp_path / "whole.onnx"), tmp_path / "cut.onnx") == 2
    np.testing.assert_array_equal(
        Session(tmp_path / "cut.onnx").run(rows=np.eye(2, dtype=np.float32)), [[-1, -2], [-3, -4]]
    )
    assert cut(tmp_path / "whole.onnx", tmp_path / "cut.onnx", "product") == 2
    np.testing.assert_array_equal(
        Session(tmp_path / "cut.onnx").run(rows=np.eye(2, dtype=np.float32)), [[1, 2], [3, 4]]
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.onnx", "whole.onnx"]


def test_what_cannot_be_cut(tmp_path: Path) -> None:
    whole = chain(tmp_path / "whole.onnx")
    with pytest.raises(ModelError, match=r"whole\.onnx computes nothing called 'middel'; give the name of an output"):
        cut(whole, tmp_path / "cut.onnx", "middel")
    with pytest.raises(ModelError, match=r"'deep' of .*whole\.onnx is \(n, 1, 1\); rows of one known width"):
        cut(whole, tmp_path / "cut.onnx", "deep")
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"broken\.onnx cannot be read as an ONNX graph"):
        cut(tmp_path / "broken.onnx", tmp_path / "cut.onnx")
    cut(whole, tmp_path / "half.onnx", "product")
    cut(tmp_path / "half.onnx", tmp_path / "none.onnx", "rows")
    with pytest.raises(ModelError, match=r"none\.onnx has no Gemm or MatMul to cut before; name the output to keep"):
        cut(tmp_path / "none.onnx", tmp_path / "cut.onnx")
    assert not (tmp_path / "cut.onnx").exists()


@cache
def layer(file: str, weight: str, bias: str) -> tuple[Array, Array]:
    stored = {w.name: numpy_helper.to_array(w) for w in onnx.load(FOLDER / file).graph.initializer}
    return stored[f"{weight}.half"].astype(np.float32), stored[bias]


def test_image_features_are_what_the_classifier_reads(folder: Path) -> None:
    """softmax(W f + b) over the features of one picture is the built-in encoder's distribution."""
    weight, bias = layer("image.onnx", "_fc.weight", "_fc.bias")
    graph, dim = features_graph("image.onnx", folder)
    assert dim == 1280
    features = Session(graph).run(pixels=np.stack([part.content for part in PICTURES]))
    logits = features @ weight.T + bias
    classes = np.exp(logits - logits.max(axis=1, keepdims=True))
    classes /= classes.sum(axis=1, keepdims=True)
    whole = OnnxImage.load(FOLDER, dim=1000, output="scores").encode(PICTURES)
    np.testing.assert_allclose(classes, whole**2, atol=1e-5)
    np.testing.assert_allclose(builtin_image_features(folder).encode(PICTURES), unit(features), atol=1e-5)


def test_audio_features_are_what_the_classifier_reads(folder: Path) -> None:
    """sigmoid(W f + b) of one patch of sound is the built-in graph's scores."""
    weight, bias = layer("audio.onnx", "classes", "bias")
    graph, dim = features_graph("audio.onnx", folder)
    assert dim == 1024
    mel = np.random.default_rng(0).normal(-3, 1, (2, 96, 64)).astype(np.float32)
    features = Session(graph).run(mel=mel)
    scores = 1 / (1 + np.exp(-(features @ weight.T + bias)))
    np.testing.assert_allclose(scores, Session(FOLDER / "audio.onnx").run(mel=mel), atol=1e-5)


class TestImageFeatures(EncoderSuite):
    @pytest.fixture(autouse=True)
    def _in(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> OnnxImage:
        return builtin_image_features(self.folder)

    def parts(self) -> list[Part]:
        return [*PICTURES, FILM]


class TestAudioFeatures(EncoderSuite):
    @pytest.fixture(autouse=True)
    def _in(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> OnnxAudio:
        return builtin_audio_features(self.folder)

    def parts(self) -> list[Part]:
        return SOUNDS


@pytest.mark.parametrize(("name", "shown"), [("image", [*PICTURES, FILM]), ("audio", SOUNDS)])
def test_by_name_saved_and_loaded(name: str, shown: list[Part], folder: Path, tmp_path: Path) -> None:
    encoder = workbench.find("train.encoders", f"builtin-{name}-features")(cache=str(folder))
    options = encoder.save(tmp_path, "photo.encoder")
    assert options["file"] == "photo.encoder.onnx"
    loaded = plugins.find("encoders", f"onnx-{name}").load(tmp_path, **options)
    np.testing.assert_array_equal(loaded.encode(shown), encoder.encode(shown))
    assert loaded.save(tmp_path, "photo.encoder") == options  # onto itself
    np.testing.assert_array_equal(loaded.encode(shown), encoder.encode(shown))


def test_class_scores_are_saved_as_class_scores(tmp_path: Path) -> None:
    encoder = OnnxImage.load(FOLDER, dim=1000, output="scores")
    loaded = OnnxImage.load(tmp_path, **encoder.save(tmp_path, "image"))
    np.testing.assert_array_equal(loaded.encode(PICTURES), encoder.encode(PICTURES))


def test_a_graph_that_is_gone_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx is not there to be copied to .*image\.onnx"):
        OnnxImage.load(tmp_path, dim=3, file="none.onnx").save(tmp_path, "image")
    with pytest.raises(ModelError, match=r"none\.onnx is not there to be copied to .*audio\.onnx"):
        OnnxAudio.load(tmp_path, dim=3, file="none.onnx").save(tmp_path, "audio")


def test_the_graph_is_cut_once_and_named_after_what_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    graph, _ = features_graph("audio.onnx")
    digest = hashlib.sha256((FOLDER / "audio.onnx").read_bytes()).hexdigest()[:16]
    assert graph == tmp_path / "duretrieval" / f"audio-features-{digest}.onnx"
    made = graph.stat().st_mtime_ns
    assert features_graph("audio.onnx") == (graph, 1024)
    assert graph.stat().st_mtime_ns == made
