"""A film encoder over a graph whose rows can be computed by hand: the mean red of each frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from duretrieval import plugins
from duretrieval.encode.video import OnnxVideo
from duretrieval.errors import ModelError, ShapeError
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.testing import EncoderSuite
from duretrieval.types import Modality, Part

SIDE, FRAMES = 4, 3


def reds(path: Path) -> Path:
    """clips (b, 3, 4, 4, 3) -> (b, 3): the mean of each frame's first channel."""
    nodes = [
        helper.make_node("Cast", ["clips"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["float", "red"], ["reds"], axis=4),
        helper.make_node("ReduceMean", ["reds"], ["rows"], axes=[2, 3], keepdims=0),
    ]
    clips = helper.make_tensor_value_info("clips", TensorProto.UINT8, ["b", FRAMES, SIDE, SIDE, 3])
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["b", FRAMES])
    red = numpy_helper.from_array(np.array(0), "red")
    graph = helper.make_graph(nodes, "reds", [clips], [rows], [red])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> OnnxVideo:
    graph = Session(reds(tmp_path_factory.mktemp("video") / "video.onnx"))
    return OnnxVideo(graph, dim=FRAMES, side=SIDE, frames=FRAMES)


def film(*levels: int) -> np.ndarray:
    """A film of plain frames, each of one red."""
    frames = np.zeros((len(levels), SIDE, SIDE, 3), np.uint8)
    frames[..., 0] = np.array(levels)[:, None, None]
    return frames


def test_frames_are_spread_over_the_film(encoder: OnnxVideo) -> None:
    films = [film(1, 2, 3), film(0, 1, 0, 2, 0, 3), film(5, 9)]
    expected = unit(np.array([[1, 2, 3], [1, 2, 3], [5, 9, 9]], np.float32))
    np.testing.assert_allclose(encoder.encode([Part(Modality.VIDEO, f) for f in films]), expected, atol=1e-6)


def test_a_picture_stands_still(encoder: OnnxVideo) -> None:
    picture, still = encoder.encode([Part(Modality.IMAGE, film(7)[0]), Part(Modality.VIDEO, film(7, 7, 7, 7))])
    np.testing.assert_allclose(picture, np.full(3, 3**-0.5), atol=1e-6)
    np.testing.assert_array_equal(picture, still)


class TestOnnxVideo(EncoderSuite):
    @pytest.fixture(autouse=True)
    def _made(self, encoder: OnnxVideo) -> None:
        self.encoder = encoder

    def make(self) -> OnnxVideo:
        return self.encoder

    def parts(self) -> list[Part]:
        films = [film(1, 2, 3), film(200, 3), film(0, 90, 0, 1, 4, 0, 255), film(0, 0, 1)]
        return [*(Part(Modality.VIDEO, f) for f in films), Part(Modality.IMAGE, film(7)[0])]


def test_saved_and_loaded_by_name(encoder: OnnxVideo, tmp_path: Path) -> None:
    options = encoder.save(tmp_path, "film")
    assert options == {"dim": 3, "file": "film.onnx", "side": 4, "frames": 3}
    loaded = plugins.find("encoders", "onnx-video").load(tmp_path, **options)
    parts = [Part(Modality.VIDEO, film(1, 2, 3, 4, 5))]
    np.testing.assert_array_equal(loaded.encode(parts), encoder.encode(parts))
    with pytest.raises(ModelError, match=r"gone\.onnx is not there to be copied to .*film\.onnx"):
        OnnxVideo.load(tmp_path, dim=3, file="gone.onnx").save(tmp_path, "film")


@pytest.mark.parametrize(
    ("modality", "content", "message"),
    [
        (Modality.VIDEO, film(1)[0], r"a video part .*\(t, 4, 4, 3\) uint8; got \(4, 4, 3\)"),
        (Modality.VIDEO, film(), r"a video part .*got \(0, 4, 4, 3\)"),
        (
            Modality.IMAGE,
            film(1),
            r"an image part .*\(4, 4, 3\) uint8; got \(1, 4, 4, 3\) uint8\. Fit it to the model's",
        ),
        (Modality.VIDEO, Path("cat.mp4"), r"a video part .*got \w*Path"),
    ],
)
def test_what_is_not_fitted_pixels_is_refused(
    encoder: OnnxVideo, modality: Modality, content: object, message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        encoder.encode([Part(modality, content)])  # type: ignore[arg-type]
