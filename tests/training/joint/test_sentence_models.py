"""Models of sentence-transformers, opened by name, give what `encode` of that library gives."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sentence_transformers import SentenceTransformer
from tests.training.joint.tiny_joint import SIDE, TEXTS, pictures, sentence, sounds

from duretrieval import plugins
from duretrieval.errors import ConfigError, ModelError
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.testing import EncoderSuite
from duretrieval.training.joint import export_joint
from duretrieval.training.joint.sentence import sentence_towers
from duretrieval.types import Modality, Part

Tiny = Callable[[str], Path]


def texts(*words: str) -> list[Part]:
    return [Part(Modality.TEXT, word) for word in words]


@pytest.mark.parametrize("maker", ["sentence", "sentence_clip"])
def test_texts(tiny: Tiny, maker: str) -> None:
    expected = SentenceTransformer(str(tiny(maker)), device="cpu").encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(Model.load(f"st:{tiny(maker)}").encode(texts(*TEXTS)), expected, atol=1e-4)


def test_the_default_prompt_goes_before_a_text(tmp_path: Path) -> None:
    model = SentenceTransformer(str(sentence(tmp_path, prompt="query: ")), device="cpu")
    expected = model.encode(["query: a red bus"], prompt="")
    np.testing.assert_allclose(Model.load(f"st:{tmp_path / 'st'}").encode(texts("a red bus")), expected, atol=1e-4)


def test_pictures_and_films(tiny: Tiny) -> None:
    model, arrays = SentenceTransformer(str(tiny("sentence_clip")), device="cpu"), pictures(3)
    expected = model.encode([Image.fromarray(array) for array in arrays], normalize_embeddings=True)
    opened = Model.load(f"st:{tiny('sentence_clip')}")
    assert opened.modalities == {Modality.TEXT, Modality.IMAGE, Modality.VIDEO}
    assert (opened.reading.image_side, opened.reading.image_fit) == (SIDE, "crop")
    parts = [Part(Modality.IMAGE, array) for array in arrays]
    np.testing.assert_allclose(opened.encode(parts), expected, atol=1e-4)
    (film,) = opened.encode([Part(Modality.VIDEO, np.stack(arrays))])
    np.testing.assert_allclose(film, unit(expected.mean(axis=0)[None])[0], atol=1e-4)


def test_sounds(tiny: Tiny, tmp_path: Path) -> None:
    opened = Model.load(f"st:{tiny('sentence_clap')}")
    assert opened.modalities == {Modality.TEXT, Modality.AUDIO}
    assert opened.reading.sample_rate == 48_000
    parts = [Part(Modality.AUDIO, sound) for sound in sounds()[:3]]
    expected = Model.load(f"clap:{tiny('clap')}").encode(parts)
    np.testing.assert_allclose(opened.encode(parts), expected, atol=1e-4)
    with pytest.raises(ConfigError, match=r"st:.* reads audio, which cannot be written; search with it in torch"):
        export_joint(f"st:{tiny('sentence_clap')}", tmp_path / "model")


def test_a_text_that_is_an_address_stays_a_text(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library would fetch the picture at the address, or open the file of that name."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a text must not be fetched")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    address = "https://example.com/cat.jpg"
    opened = Model.load(f"st:{tiny('sentence_clip')}")
    (row,) = opened.encode(texts(address))
    expected = Model.load(f"clip:{tiny('clip')}").encode(texts(address))
    np.testing.assert_allclose(row, expected[0], atol=1e-4)


class TestSentences(EncoderSuite):
    @pytest.fixture(autouse=True)
    def opened(self, tiny: Tiny) -> None:
        self.encoder = plugins.find("hub", "st")(str(tiny("sentence_clip"))).encoders[Modality.TEXT]

    def make(self) -> Any:
        return self.encoder

    def parts(self) -> list[Part]:
        return [*texts("a", "a red bus", "x" * 90), *(Part(Modality.IMAGE, array) for array in pictures(2))]


def test_what_no_graph_can_read_is_said(tiny: Tiny) -> None:
    model: Any = SentenceTransformer(str(tiny("sentence")), device="cpu")
    model[0].modality_config = {**model[0].modality_config, "message": {"method": "forward"}}
    with pytest.raises(
        ConfigError, match=r"reads texts through a chat template .* in torch instead: --model st:some/chat"
    ):
        sentence_towers(model, "some/chat")
    model = SentenceTransformer(str(tiny("sentence")), device="cpu", prompts={"p": "q: "}, default_prompt_name="p")
    model.set_pooling_include_prompt(False)
    with pytest.raises(ConfigError, match=r"leaves its prompt 'q: ' out when it pools"):
        sentence_towers(model, "some/prompted")


def test_a_damaged_folder(tiny: Tiny, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny("sentence"), tmp_path / "st"))
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"st:.* cannot be loaded: \w+: "):
        Model.load(f"st:{folder}")
