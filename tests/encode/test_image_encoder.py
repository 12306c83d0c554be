from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from duretrieval.builtin import FOLDER
from duretrieval.encode.image import OnnxImage
from duretrieval.errors import ShapeError
from duretrieval.testing import EncoderSuite
from duretrieval.types import Modality, Part


@cache
def encoder() -> OnnxImage:
    return OnnxImage.load(FOLDER, dim=1000, output="scores", threads=1)


def drawing(kind: str) -> np.ndarray:
    image = Image.new("RGB", (224, 224), "white")
    draw = ImageDraw.Draw(image)
    if kind == "ball":
        draw.ellipse((40, 40, 180, 180), fill="orange", outline="black", width=6)
    elif kind == "stripes":
        for x in range(0, 224, 32):
            draw.rectangle((x, 0, x + 15, 224), fill="black")
    elif kind == "sky":
        draw.rectangle((0, 0, 224, 120), fill="skyblue")
        draw.polygon([(20, 160), (100, 30), (190, 160)], fill="gray")
    return np.asarray(image)


FILM = np.stack([drawing("ball"), drawing("stripes"), drawing("sky")])


class TestPictures(EncoderSuite):
    def make(self) -> OnnxImage:
        return encoder()

    def parts(self) -> list[Part]:
        return [Part(Modality.IMAGE, drawing(kind)) for kind in ("ball", "stripes", "sky", "nothing")]


class TestFilms(EncoderSuite):
    def make(self) -> OnnxImage:
        return encoder()

    def parts(self) -> list[Part]:
        films = [FILM, FILM[:1], FILM[1:], np.repeat(FILM, 12, axis=0)[:35]]
        return [Part(Modality.VIDEO, film) for film in films] + [Part(Modality.IMAGE, drawing("sky"))]


def test_a_film_of_one_frame_is_its_picture() -> None:
    film, picture = encoder().encode([Part(Modality.VIDEO, FILM[:1]), Part(Modality.IMAGE, FILM[0])])
    np.testing.assert_allclose(film, picture, atol=1e-6)


def test_a_film_is_the_mean_of_its_frames_probabilities() -> None:
    frames = encoder().encode([Part(Modality.IMAGE, frame) for frame in FILM])
    (film,) = encoder().encode([Part(Modality.VIDEO, FILM)])
    np.testing.assert_allclose(film**2, (frames**2).mean(axis=0), atol=1e-6)


def test_vectors_are_averaged_and_made_unit() -> None:
    plain = OnnxImage.load(FOLDER, dim=1000, threads=1)
    frames = encoder().encode([Part(Modality.IMAGE, frame) for frame in FILM]) ** 2
    (film,) = plain.encode([Part(Modality.VIDEO, FILM)])
    mean = frames.mean(axis=0)
    np.testing.assert_allclose(film, mean / np.linalg.norm(mean), atol=1e-5)


@pytest.mark.parametrize(
    ("modality", "content", "message"),
    [
        (
            Modality.IMAGE,
            np.zeros((100, 224, 3), np.uint8),
            r"an image part .*\(224, 224, 3\) uint8; got \(100, 224, 3\)",
        ),
        (Modality.IMAGE, np.zeros((224, 224, 3), np.float32), r"\(224, 224, 3\) uint8; got \(224, 224, 3\) float32"),
        (Modality.IMAGE, FILM, r"an image part .*got \(3, 224, 224, 3\) uint8\. Fit it to the model's reading"),
        (Modality.VIDEO, FILM[0], r"a video part .*\(t, 224, 224, 3\) uint8; got \(224, 224, 3\)"),
        (Modality.VIDEO, FILM[:0], r"a video part .*got \(0, 224, 224, 3\)"),
        (Modality.IMAGE, Path("cat.jpg"), r"an image part .*got \w*Path"),
    ],
)
def test_what_is_not_fitted_pixels_is_refused(modality: Modality, content: object, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        encoder().encode([Part(modality, content)])  # type: ignore[arg-type]
