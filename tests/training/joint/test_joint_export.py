"""A model written as a folder gives the rows of the model opened by name, and both search."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.training.joint.tiny_joint import TEXTS, clap, pictures, sentence, sounds

from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError, ModelError, UnknownPart
from duretrieval.media.decoder import decode
from duretrieval.media.limits import Limits
from duretrieval.model.card import check_files, read_card
from duretrieval.model.model import Model
from duretrieval.training.joint import export_joint
from duretrieval.types import Modality, Part

Tiny = Callable[[str], Path]
MODELS = [
    ("clip", "clip"),
    ("chinese-clip", "chinese-clip"),
    ("siglip", "siglip"),
    ("siglip2", "siglip2"),
    ("siglip2", "naflex"),
    ("clap", "clap"),
    ("st", "sentence"),
    ("st", "sentence_clip"),
]


def parts_for(model: Model, words: Sequence[str] = TEXTS) -> list[Part]:
    """Parts of every modality the model knows."""
    parts = [Part(Modality.TEXT, word) for word in words]
    if Modality.IMAGE in model.modalities:
        parts += [Part(Modality.IMAGE, array) for array in pictures(3)]
        parts += [Part(Modality.VIDEO, np.stack(pictures(n))) for n in (1, 3)]
    if Modality.AUDIO in model.modalities:
        parts += [Part(Modality.AUDIO, sound) for sound in sounds()]
    return parts


@pytest.mark.parametrize(("kind", "maker"), MODELS)
def test_the_folder_equals_the_model(tiny: Tiny, kind: str, maker: str, tmp_path: Path) -> None:
    model = Model.load(f"{kind}:{tiny(maker)}")
    fingerprint = export_joint(f"{kind}:{tiny(maker)}", tmp_path / "model", licence="MIT")
    written = Model.load(tmp_path / "model")
    assert (written.fingerprint, written.dim, written.modalities) == (fingerprint, model.dim, model.modalities)
    assert written.reading == model.reading
    np.testing.assert_allclose(written.encode(parts_for(model)), model.encode(parts_for(model)), atol=1e-4)
    assert check_files(tmp_path / "model") == []
    assert {entry["licence"] for entry in read_card(tmp_path / "model")["files"].values()} == {"MIT"}
    assert str(tiny(maker).parent) not in (tmp_path / "model" / "model.toml").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"static": True}, [text for text in [*TEXTS, "bus"] if text]),
        ({"prompt": "query: "}, TEXTS),
        ({"pooling": "cls"}, TEXTS),
    ],
)
def test_other_sentence_models(tmp_path: Path, options: dict[str, object], words: list[str]) -> None:
    folder = sentence(tmp_path, **options)  # type: ignore[arg-type]
    export_joint(f"st:{folder}", tmp_path / "model")
    parts = [Part(Modality.TEXT, word) for word in words]
    opened = Model.load(f"st:{folder}").encode(parts)
    written = Model.load(tmp_path / "model")
    np.testing.assert_allclose(written.encode(parts), opened, atol=1e-4)
    each = np.concatenate([written.encode([part]) for part in parts])
    np.testing.assert_allclose(each, opened, atol=1e-4)


@pytest.mark.parametrize("written", [False, True])
def test_a_collection_of_pictures_is_searched_and_opened_again(tiny: Tiny, tmp_path: Path, written: bool) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for i, array in enumerate(pictures(3)):
        Image.fromarray(array).save(files / f"{i}.png")
    (files / "note.txt").write_text("a red bus")
    name = f"clip:{tiny('clip')}"
    if written:
        export_joint(name, tmp_path / "model")
        name = str(tmp_path / "model")
    with Collection.open(tmp_path / "collection", name) as collection:
        assert collection.add(files, workers=1).problems == {}
        assert collection.search(files / "1.png", modalities=[Modality.IMAGE])[0].item.fields["name"] == "1.png"
        assert collection.search("a red bus")[0].item.fields["name"] == "note.txt"
        before = [hit.item.fields["name"] for hit in collection.search("the dog", modalities=[Modality.IMAGE])]
        assert sorted(before) == ["0.png", "1.png", "2.png"]
    with Collection.open(tmp_path / "collection") as again:  # by the name it keeps
        assert [hit.item.fields["name"] for hit in again.search("the dog", modalities=[Modality.IMAGE])] == before
        assert again.stats().model == name


def test_a_collection_of_sounds_is_searched(tiny: Tiny, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    files = tmp_path / "files"
    files.mkdir()
    for i, sound in enumerate(sounds()[:3]):
        soundfile.write(files / f"{i}.wav", sound, 48_000)
    with Collection.open(tmp_path / "collection", f"clap:{tiny('clap')}") as collection:
        assert collection.add(files, workers=1).problems == {}
        assert collection.search(files / "1.wav")[0].item.fields["name"] == "1.wav"
        assert len(collection.search("a dog")) == 3


def test_searching_an_exported_folder_needs_no_torch(tiny: Tiny, tmp_path: Path) -> None:
    export_joint(f"clip:{tiny('clip')}", tmp_path / "model")
    code = """
import sys
sys.modules["torch"] = sys.modules["transformers"] = None
from duretrieval.model.model import Model
from duretrieval.types import Modality, Part
print(Model.load(sys.argv[1]).encode([Part(Modality.TEXT, "a bus")]).shape)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "model")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("(1, 16)\n", "")


def test_a_background_makes_scores_comparable(tiny: Tiny, tmp_path: Path) -> None:
    model = Model.load(f"clip:{tiny('clip')}")
    ordinary = [Part(Modality.TEXT, word) for word in "abcdefgh"]
    ordinary += [Part(Modality.IMAGE, array) for array in pictures(6)]
    export_joint(f"clip:{tiny('clip')}", tmp_path / "model", background=ordinary)
    background = Model.load(tmp_path / "model").background
    assert {modality: rows.shape for modality, rows in background.items()} == {
        Modality.TEXT: (8, 16),
        Modality.IMAGE: (6, 16),
    }
    own = model.encode([part for part in ordinary if part.modality is Modality.IMAGE])
    nearest = (background[Modality.IMAGE] @ own.T).max(axis=1)
    np.testing.assert_allclose(nearest, 1, atol=1e-3)


def test_what_cannot_be_written_is_said(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(UnknownPart, match=r"no kind of model 'clop'\. Did you mean 'clip'\? There are: clip"):
        export_joint("clop:openai/clip-vit-base-patch32", tmp_path / "a")
    with pytest.raises(ConfigError, match="fusion"):
        export_joint(f"clap:{clap(tmp_path / 'fused', fusion=True)}", tmp_path / "a")
    with pytest.raises(ModelError, match="there is no folder"):
        export_joint("clip:./nowhere/at/all", tmp_path / "a")
    assert not (tmp_path / "a").exists()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(ConfigError, match=r"there is something at .*taken already"):
        export_joint(f"clip:{tiny('clip')}", tmp_path / "taken")


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_a_picture_that_must_be_resized_is_nearly_the_processors(tiny: Tiny, name: str, tmp_path: Path) -> None:
    """PNG, upright: both scale with Pillow's bicubic filter; the engine first shrinks by a whole factor."""
    from transformers import AutoImageProcessor

    ramp = np.linspace(0, 255, 120)[:, None, None] * np.ones((1, 200, 3))
    wave = 60 * np.sin(np.arange(200) / 9)[None, :, None]
    picture = Image.fromarray((ramp + wave).clip(0, 255).astype(np.uint8))
    picture.save(tmp_path / "p.png")
    opened = Model.load(f"{name}:{tiny(name)}")
    (part,) = decode(tmp_path / "p.png", opened.reading, Limits()).parts
    processor = AutoImageProcessor.from_pretrained(tiny(name))
    values = processor(picture, return_tensors="np")["pixel_values"][0].transpose(1, 2, 0)
    own = (values * processor.image_std + processor.image_mean) * 255
    assert np.abs(np.asarray(part.content, float) - own).mean() < 3


@pytest.mark.parametrize("name", ["a b", "夜里 模型", ".hidden", 'it\'s "one" #1'])
def test_a_folder_of_any_name(tiny: Tiny, tmp_path: Path, name: str) -> None:
    files = Path(shutil.copytree(tiny("clip"), tmp_path / "from" / name))
    fingerprint = export_joint(f"clip:{files}", tmp_path / "to" / name)
    written = Model.load(tmp_path / "to" / name)
    assert (written.name, written.fingerprint) == (name, fingerprint)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_nothing_is_left_of_an_export_that_was_interrupted(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def stop(*args: object, **kwargs: object) -> None:
        raise error("no room, or no patience")

    monkeypatch.setattr("duretrieval.training.joint.net.export_image", stop)  # the texts are written by then
    with pytest.raises(error):
        export_joint(f"clip:{tiny('clip')}", tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    export_joint(f"clip:{tiny('clip')}", tmp_path / "model")
    assert check_files(tmp_path / "model") == []
