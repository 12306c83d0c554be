"""Learned heads as graphs. The graphs are built node by node, so that nothing here needs torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from duretrieval.align.network import OnnxAligner
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.similarity import unit
from duretrieval.testing import AlignerSuite
from duretrieval.types import Modality


def graph(path: Path, weights: np.ndarray) -> Path:
    """vectors (n, d_in) -> tanh(vectors weights)."""
    nodes = [
        helper.make_node("MatMul", ["vectors", "w"], ["product"]),
        helper.make_node("Tanh", ["product"], ["rows"]),
    ]
    made = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", weights.shape[0]])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", weights.shape[1]])],
        [numpy_helper.from_array(weights.astype(np.float32), "w")],
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def weights(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(5, 3)).astype(np.float32)


def vectors(n: int = 6) -> np.ndarray:
    return np.random.default_rng(9).normal(size=(n, 5)).astype(np.float32)


def test_by_eye(tmp_path: Path) -> None:
    graph(tmp_path / "h.onnx", np.array([[0.0, 1], [2, 0]]))
    out = OnnxAligner.load(tmp_path, dim=2, file="h.onnx")(np.array([[0, 1]], np.float32), Modality.TEXT)
    np.testing.assert_allclose(out, [[1, 0]], atol=1e-6)


class TestOneHead(AlignerSuite):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self.folder = tmp_path_factory.mktemp("head")
        graph(self.folder / "a.onnx", weights())

    def make(self) -> OnnxAligner:
        return OnnxAligner.load(self.folder, dim=3, file="a.onnx")

    def vectors(self) -> np.ndarray:
        return vectors()


class TestAHeadForEachModality(TestOneHead):
    def make(self) -> OnnxAligner:
        graph(self.folder / "b.onnx", weights(1))
        return OnnxAligner.load(self.folder, dim=3, files={"text": "a.onnx", "image": "b.onnx"})

    def test_each_has_its_own(self) -> None:
        for modality, seed in ((Modality.TEXT, 0), (Modality.IMAGE, 1)):
            expected = unit(np.tanh(vectors() @ weights(seed)))
            np.testing.assert_allclose(self.make()(vectors(), modality), expected, atol=1e-5)

    def test_a_modality_without_one(self) -> None:
        with pytest.raises(ConfigError, match="has a head for image, text, none for audio; train one"):
            self.make()(vectors(), Modality.AUDIO)


def test_many_rows_go_through_in_blocks(tmp_path: Path) -> None:
    graph(tmp_path / "a.onnx", weights())
    out = OnnxAligner.load(tmp_path, dim=3, file="a.onnx")(vectors(3000), Modality.TEXT)
    np.testing.assert_allclose(out, unit(np.tanh(vectors(3000) @ weights())), atol=1e-5)


def test_what_cannot_be_used(tmp_path: Path) -> None:
    graph(tmp_path / "a.onnx", weights())
    with pytest.raises(ShapeError, match=r"trained on vectors of length 5 and takes \(n, 5\); got \(2, 4\)"):
        OnnxAligner.load(tmp_path, dim=3, file="a.onnx")(np.zeros((2, 4), np.float32), Modality.TEXT)
    for options in ({}, {"file": "a.onnx", "files": {"text": "a.onnx"}}):
        with pytest.raises(ConfigError, match="needs either `file`, one graph, or `files`, one graph a modality"):
            OnnxAligner.load(tmp_path, dim=3, **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no modality is called 'txt'; there are text, image, video, audio"):
        OnnxAligner.load(tmp_path, dim=3, files={"txt": "a.onnx"})
    with pytest.raises(ConfigError, match="has no graph; give one, or one for each modality"):
        OnnxAligner({}, dim=3)
    (tmp_path / "no.onnx").write_bytes(b"no")
    with pytest.raises(ModelError, match=r"no\.onnx cannot be opened as an ONNX graph"):
        OnnxAligner.load(tmp_path, dim=3, file="no.onnx")(vectors(), Modality.TEXT)
