"""A model opened by name gives the rows of transformers' own processor and model."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.training.joint.tiny_joint import SIDE, TEXTS, clip, pictures, siglip, sounds
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer, ClapProcessor, PreTrainedTokenizerFast

from duretrieval import plugins
from duretrieval.encode.hub.siglip import PUNCTUATION
from duretrieval.errors import ModelError, ShapeError, UnknownPart
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.testing import EncoderSuite
from duretrieval.types import Array, Modality, Part, Reading

Tiny = Callable[[str], Path]


def texts(*words: str) -> list[Part]:
    return [Part(Modality.TEXT, word) for word in words]


def images(*arrays: np.ndarray) -> list[Part]:
    return [Part(Modality.IMAGE, array) for array in arrays]


def own_text_rows(folder: Path, tokenizer: Any, words: list[str], **options: Any) -> Array:
    """As the pages of transformers say to do it."""
    model = AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        inputs = tokenizer(words, return_tensors="pt", truncation=True, **options)
        return unit(model.get_text_features(**inputs).pooler_output.numpy())


@pytest.mark.parametrize(("name", "max_length"), [("clip", 77), ("chinese-clip", 52), ("clap", 64)])
def test_texts_of_several_lengths(tiny: Tiny, name: str, max_length: int) -> None:
    folder = tiny(name)
    expected = own_text_rows(folder, AutoTokenizer.from_pretrained(folder), TEXTS, max_length=max_length, padding=True)
    np.testing.assert_allclose(Model.load(f"{name}:{folder}").encode(texts(*TEXTS)), expected, atol=1e-4)


def test_clip_whose_configuration_names_another_end_token(tmp_path: Path) -> None:
    """openai's own: eos_token_id is 2 there, and the model looks for the largest id instead."""
    folder = clip(tmp_path, eos_token_id=2)
    expected = own_text_rows(folder, AutoTokenizer.from_pretrained(folder), TEXTS, max_length=77, padding=True)
    np.testing.assert_allclose(Model.load(f"clip:{folder}").encode(texts(*TEXTS)), expected, atol=1e-4)


@pytest.mark.parametrize(("name", "kind"), [("siglip", "siglip"), ("siglip2", "siglip2"), ("naflex", "siglip2")])
def test_texts_padded_to_64_tokens(tiny: Tiny, name: str, kind: str) -> None:
    """In lower case, because the tokenizer that is compared with does not lower it; the next test is about that."""
    folder, words = tiny(name), [text.lower() for text in TEXTS]
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    expected = own_text_rows(folder, tokenizer, words, max_length=64, padding="max_length")
    model = Model.load(f"{kind}:{folder}")
    np.testing.assert_allclose(model.encode(texts(*words)), expected, atol=1e-4)
    short = own_text_rows(folder, tokenizer, words[:2], max_length=64, padding=True)
    assert np.abs(short - expected[:2]).max() > 1e-2, "padding matters here, so the test above says something"


@pytest.mark.parametrize(("name", "kind"), [("siglip", "siglip"), ("siglip2", "siglip2"), ("naflex", "siglip2")])
def test_upper_case_is_lowered_as_in_training(tiny: Tiny, name: str, kind: str) -> None:
    upper, lower = Model.load(f"{kind}:{tiny(name)}").encode(texts("A RED Bus", "a red bus"))
    np.testing.assert_allclose(upper, lower, atol=1e-6)


def test_siglip_reads_no_punctuation_even_where_its_tokenizer_would(tiny: Tiny, tmp_path: Path) -> None:
    bare = Model.load(f"siglip:{siglip(tmp_path, bare=True)}")
    marked, plain = bare.encode(texts(" A red   bus, (twice)! ", "a red bus twice"))
    np.testing.assert_allclose(marked, plain, atol=1e-6)
    np.testing.assert_allclose(Model.load(f"siglip:{tiny('siglip')}").encode(texts(*TEXTS)), bare.encode(texts(*TEXTS)))


def test_every_mark_of_punctuation_goes_and_nothing_else() -> None:
    kept = [chr(code) for code in range(32, 127) if not re.fullmatch(PUNCTUATION, chr(code))]
    assert "".join(kept) == " " + string.digits + string.ascii_uppercase + string.ascii_lowercase


@pytest.mark.parametrize("name", ["clip", "chinese-clip", "siglip", "siglip2", "naflex"])
def test_pictures_of_the_right_size(tiny: Tiny, name: str) -> None:
    folder, arrays = tiny(name), pictures(4)
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoImageProcessor.from_pretrained(folder)
    with torch.no_grad():
        inputs = processor([Image.fromarray(array) for array in arrays], return_tensors="pt")
        expected = unit(model.get_image_features(**inputs).pooler_output.numpy())
    opened = Model.load(f"{'siglip2' if name == 'naflex' else name}:{folder}")
    assert opened.reading.image_side == SIDE
    np.testing.assert_allclose(opened.encode(images(*arrays)), expected, atol=1e-4)


def test_sounds_up_to_the_length_that_clap_hears(tiny: Tiny) -> None:
    folder, samples = tiny("clap"), [sound for sound in sounds() if len(sound) <= 48_000]
    model, processor = AutoModel.from_pretrained(folder).eval(), ClapProcessor.from_pretrained(folder)
    with torch.no_grad():
        inputs = processor(audio=samples, sampling_rate=48_000, return_tensors="pt")
        expected = unit(model.get_audio_features(**inputs).pooler_output.numpy())
    opened = Model.load(f"clap:{folder}")
    rows = opened.encode([Part(Modality.AUDIO, sound) for sound in samples])
    np.testing.assert_allclose(rows, expected, atol=1e-4)
    assert (opened.reading.sample_rate, opened.reading.window_s) == (48_000, 1.0)


@pytest.mark.parametrize("name", ["clap", "fused"])
def test_a_sound_always_has_the_same_row(tiny: Tiny, tmp_path: Path, name: str) -> None:
    """Where transformers draws a place, or a sound of the batch, at random."""
    from tests.training.joint.tiny_joint import clap

    folder = clap(tmp_path, fusion=True) if name == "fused" else tiny("clap")
    parts = [Part(Modality.AUDIO, sound) for sound in sounds()]
    opened = Model.load(f"clap:{folder}")
    first = opened.encode(parts)
    np.testing.assert_allclose(opened.encode(parts[::-1])[::-1], first, atol=1e-5)
    begun = Part(Modality.AUDIO, sounds()[-1][:48_000])
    np.testing.assert_allclose(opened.encode([begun])[0], first[-1], atol=1e-5)


def test_a_film_is_the_mean_of_its_frames_unit_rows(tiny: Tiny) -> None:
    model = Model.load(f"clip:{tiny('clip')}")
    frames = np.stack(pictures(3))
    each = model.encode(images(*frames))
    film, one = model.encode([Part(Modality.VIDEO, frames), Part(Modality.VIDEO, frames[:1])])
    np.testing.assert_allclose(film, unit(each.mean(axis=0)[None])[0], atol=1e-5)
    np.testing.assert_allclose(one, each[0], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("clip", Reading(image_side=SIDE, image_fit="crop")),
        ("siglip", Reading(image_side=SIDE, image_fit="stretch")),
        ("clap", Reading(sample_rate=48_000, window_s=1.0)),
    ],
)
def test_media_are_read_as_the_model_says(tiny: Tiny, name: str, reading: Reading) -> None:
    assert Model.load(f"{name}:{tiny(name)}").reading == reading


class JointSuite(EncoderSuite):
    """The laws of an encoder, for each modality of a model."""

    name: str
    modality: Modality

    @pytest.fixture(autouse=True)
    def opened(self, tiny: Tiny) -> None:
        self.encoder = plugins.find("hub", self.name)(str(tiny(self.name))).encoders[self.modality]

    def make(self) -> Any:
        return self.encoder

    def parts(self) -> list[Part]:
        if self.modality is Modality.TEXT:
            return texts("a", "a red bus", "the dog, twice", "x" * 100)
        if self.modality is Modality.AUDIO:
            return [Part(Modality.AUDIO, sound) for sound in sounds()]
        return [*images(*pictures(3)), Part(Modality.VIDEO, np.stack(pictures(2)))]


class TestClipTexts(JointSuite):
    name, modality = "clip", Modality.TEXT


class TestClipPictures(JointSuite):
    name, modality = "clip", Modality.IMAGE


class TestSiglipTexts(JointSuite):
    name, modality = "siglip", Modality.TEXT


class TestClapSounds(JointSuite):
    name, modality = "clap", Modality.AUDIO


def test_content_of_another_kind_is_refused(tiny: Tiny) -> None:
    model = Model.load(f"clip:{tiny('clip')}")
    with pytest.raises(
        ShapeError, match=r"\(32, 32, 3\) uint8; got \(8, 32, 3\) uint8\. Fit it to the model's reading"
    ):
        model.encode(images(np.zeros((8, 32, 3), np.uint8)))
    with pytest.raises(ShapeError, match=r"\(t, 32, 32, 3\) uint8; got \(0, 32, 32, 3\) uint8"):
        model.encode([Part(Modality.VIDEO, np.zeros((0, 32, 32, 3), np.uint8))])
    with pytest.raises(ShapeError, match="text part to be a string; got int"):
        model.encode([Part(Modality.TEXT, 3)])  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match=r"mono sound of shape \(samples,\) float32 at 48000 Hz; got \(2, 9\) float32"):
        Model.load(f"clap:{tiny('clap')}").encode([Part(Modality.AUDIO, np.zeros((2, 9), np.float32))])


def test_a_kind_that_does_not_exist_or_does_not_fit(tiny: Tiny) -> None:
    with pytest.raises(UnknownPart, match=r"no part called 'clp' among the hub\. Did you mean 'clip'\?"):
        Model.load("clp:openai/clip-vit-base-patch32")
    with pytest.raises(ModelError, match=r"holds a model of type 'clip', not siglip"):
        Model.load(f"siglip:{tiny('clip')}")
    with pytest.raises(ModelError, match=r"holds a model of type 'clip', not siglip or siglip2"):
        Model.load(f"siglip2:{tiny('clip')}")
