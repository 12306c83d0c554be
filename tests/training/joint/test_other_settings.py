"""Models saved with other settings than the published ones still give the rows of transformers' own processor."""

from __future__ import annotations

import fnmatch
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.training.joint.tiny_joint import chinese_clip, clip, naflex, pictures, siglip
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

from duretrieval.encode.hub import source
from duretrieval.errors import ModelError
from duretrieval.media.decoder import decode
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.training.joint import export_joint
from duretrieval.types import Array, Modality, Part

Tiny = Callable[[str], Path]
PT = {"format": "pt"}
SQUARE = {"height": 32, "width": 32}
TEXTS = ["a red bus", "The dog barks at the postman, twice!", "", "ab" * 150, "夜里的红色汽车", "🚌 bus\t\n👩‍👩‍👧"]


def set_in(file: Path, **settings: Any) -> None:
    """Change settings in a JSON file; those of its image processor, where it has one."""
    told = json.loads(file.read_text())
    told.get("image_processor", told).update(settings)
    file.write_text(json.dumps(told))


def own_image_rows(folder: Path, images: list[Image.Image]) -> Array:
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoImageProcessor.from_pretrained(folder)
    with torch.no_grad():
        return unit(model.get_image_features(**processor(images, return_tensors="pt")).pooler_output.numpy())


# settings of the processor -> side and fit that pictures are read with
PROCESSORS: dict[str, tuple[Callable[[Path], Path], str, dict[str, Any], tuple[int, str]]] = {
    "cropped": (clip, "clip", {"size": {"shortest_edge": 40}}, (40, "crop")),
    "cropped by an odd number": (clip, "clip", {"size": {"shortest_edge": 37}}, (37, "crop")),
    "squeezed and cropped": (clip, "clip", {"size": {"height": 40, "width": 40}}, (40, "stretch")),
    "squeezed": (clip, "clip", {"size": SQUARE}, (32, "stretch")),
    "not cropped": (clip, "clip", {"size": SQUARE, "do_center_crop": False}, (32, "stretch")),
    "other numbers": (
        clip,
        "clip",
        {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4], "rescale_factor": 1 / 127.5, "resample": 2},
        (32, "crop"),
    ),
    "not normalised": (clip, "clip", {"do_normalize": False}, (32, "crop")),
    "not scaled": (clip, "clip", {"do_rescale": False}, (32, "crop")),
    "as version 4 wrote it": (clip, "clip", {"size": 32, "crop_size": 32}, (32, "crop")),
    "chinese-clip, cropped": (
        chinese_clip,
        "chinese-clip",
        {"do_center_crop": True, "crop_size": SQUARE, "size": {"height": 40, "width": 40}},
        (40, "stretch"),
    ),
    "siglip": (siglip, "siglip", {"image_mean": [0.4] * 3, "image_std": [0.3] * 3}, (32, "stretch")),
    "naflex, no square": (naflex, "siglip2", {"max_num_patches": 17}, (32, "pad")),
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_pictures(name: str, tmp_path: Path) -> None:
    make, kind, settings, reading = PROCESSORS[name]
    folder = make(tmp_path / "files")
    preprocessor = folder / "preprocessor_config.json"
    set_in(preprocessor if preprocessor.exists() else folder / "processor_config.json", **settings)
    model = Model.load(f"{kind}:{folder}")
    assert (model.reading.image_side, model.reading.image_fit) == reading
    arrays = pictures(2, reading[0])
    parts = [Part(Modality.IMAGE, array) for array in arrays]
    expected = own_image_rows(folder, [Image.fromarray(array) for array in arrays])
    np.testing.assert_allclose(model.encode(parts), expected, atol=1e-4)
    export_joint(f"{kind}:{folder}", tmp_path / "model")
    np.testing.assert_allclose(Model.load(tmp_path / "model").encode(parts), expected, atol=1e-4)


def test_a_picture_of_another_shape_is_cut_as_the_processor_cuts_it(tmp_path: Path) -> None:
    folder = clip(tmp_path / "files")
    set_in(folder / "processor_config.json", size={"shortest_edge": 48})
    slope = np.linspace(0, 255, 200)[None, :, None] * np.ones((120, 1, 3))
    picture = Image.fromarray(slope.astype(np.uint8))
    picture.save(tmp_path / "p.png")
    model = Model.load(f"clip:{folder}")
    row = model.encode(list(decode(tmp_path / "p.png", model.reading, Limits()).parts))
    assert (row @ own_image_rows(folder, [picture]).T).item() > 0.999


@pytest.mark.parametrize("settings", [{"size": {"shortest_edge": 24}}, {"do_center_crop": False}])
def test_a_processor_that_makes_no_squares_of_pictures_is_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    folder = clip(tmp_path)
    set_in(folder / "processor_config.json", **settings)
    with pytest.raises(ModelError, match=r"does not make squares of one size, which are needed"):
        Model.load(f"clip:{folder}")


def own_text_rows(folder: Path, **options: Any) -> Array:
    """One by one: a tokenizer that pads on the left moves what is not the longest."""
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    made = [tokenizer([text], return_tensors="pt", truncation=True, **options) for text in TEXTS]
    with torch.no_grad():
        return unit(np.concatenate([model.get_text_features(**one).pooler_output.numpy() for one in made]))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("clip", {"model_max_length": 20}),
        ("clip", {"model_max_length": int(1e30)}),
        ("clip", {"truncation_side": "left"}),
        ("clip", {"padding_side": "left"}),
        ("clip", {"pad_token": None}),
        ("chinese-clip", {"model_max_length": 20}),
        ("clap", {"model_max_length": 20, "truncation_side": "left"}),
    ],
)
def test_texts(tiny: Tiny, name: str, settings: dict[str, Any], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny(name), tmp_path / "files"))
    set_in(folder / "tokenizer_config.json", **settings)
    expected = own_text_rows(folder, **({"max_length": 77} if settings == {"model_max_length": int(1e30)} else {}))
    parts = [Part(Modality.TEXT, text) for text in TEXTS]
    np.testing.assert_allclose(Model.load(f"{name}:{folder}").encode(parts), expected, atol=1e-4)
    export_joint(f"{name}:{folder}", tmp_path / "model")
    np.testing.assert_allclose(Model.load(tmp_path / "model").encode(parts), expected, atol=1e-4)


def test_siglip_without_a_padding_token_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny("siglip"), tmp_path / "files"))
    set_in(folder / "tokenizer_config.json", pad_token=None)
    with pytest.raises(ModelError, match=r"names no padding token, which SigLIP reads"):
        Model.load(f"siglip:{folder}")


@pytest.mark.parametrize("kind", ["float16", "shards"])
def test_weights_in_other_forms(tiny: Tiny, kind: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny("clip"), tmp_path / "files"))
    model = AutoModel.from_pretrained(folder, dtype=torch.float16 if kind == "float16" else torch.float32)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="20KB" if kind == "shards" else "1GB")
    assert (len(source.weights(folder)) > 1) == (kind == "shards")
    parts = [Part(Modality.TEXT, text) for text in TEXTS]
    rows = Model.load(f"clip:{folder}").encode(parts)
    np.testing.assert_allclose(rows, own_text_rows(folder), atol=1e-2 if kind == "float16" else 1e-4)
    export_joint(f"clip:{folder}", tmp_path / "model")
    np.testing.assert_allclose(Model.load(tmp_path / "model").encode(parts), rows, atol=1e-4)


def test_words_of_a_tokenizer_that_only_the_slow_class_knows_decide(tiny: Tiny, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny("clip"), tmp_path / "files"))
    before = source.fingerprint("clip", folder)
    for name in ("tokenizer.model", "special_tokens_map.json", "added_tokens.json"):
        (folder / name).write_text("{}")
        changed = source.fingerprint("clip", folder)
        assert changed != before, name
        before = changed


def test_weights_that_are_missing_are_not_drawn(tiny: Tiny, tmp_path: Path) -> None:
    """transformers would draw them anew at every load."""
    folder = Path(shutil.copytree(tiny("clip"), tmp_path / "files"))
    held = load_file(folder / "model.safetensors")
    save_file({name: held[name] for name in held if name != "logit_scale"}, folder / "model.safetensors", PT)
    part = Part(Modality.TEXT, "a")
    assert Model.load(f"clip:{folder}").encode([part]).shape == (1, 16), "no vector depends on the scale"
    kept = {name: value for name, value in held.items() if "visual_projection" not in name}
    save_file(kept, folder / "model.safetensors", PT)
    with pytest.raises(
        ModelError, match=r"no weights for 1 parameter that would be used \(visual_projection\.weight\)"
    ):
        Model.load(f"clip:{folder}").encode([part])
    with pytest.raises(ModelError, match=r"\(visual_projection\.weight\), so its vectors would be others every time"):
        export_joint(f"clip:{folder}", tmp_path / "model")


def test_weights_that_cannot_be_read(tiny: Tiny, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny("clip"), tmp_path / "files"))
    set_in(folder / "config.json", projection_dim=24)
    with pytest.raises(ModelError, match=r"no model can be read from .*files: .* Give a folder"):
        Model.load(f"clip:{folder}").encode([Part(Modality.TEXT, "a")])
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"no model can be read from .*: .*incomplete"):
        Model.load(f"clip:{folder}").encode([Part(Modality.TEXT, "a")])


@pytest.mark.parametrize("kind", ["clip", "st"])
def test_a_tokenizer_without_words_is_refused(tiny: Tiny, kind: str, tmp_path: Path) -> None:
    """Without its file, transformers makes one that knows special tokens alone."""
    folder = Path(shutil.copytree(tiny("clip" if kind == "clip" else "sentence_clip"), tmp_path / "files"))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"nor words to make one of|knows no words"):
        Model.load(f"{kind}:{folder}")


def test_half_an_emoji_is_a_text_too(tiny: Tiny, tmp_path: Path) -> None:
    """JSON that was cut in the middle of an emoji holds one."""
    halves = [Part(Modality.TEXT, text) for text in ("a bus \ud83d", "\ud83d\ude8c")]
    whole = [Part(Modality.TEXT, text) for text in ("a bus \ufffd", "🚌")]
    export_joint(f"clip:{tiny('clip')}", tmp_path / "model")
    for model in (Model.load(f"clip:{tiny('clip')}"), Model.load(tmp_path / "model"), Model.load("builtin")):
        np.testing.assert_array_equal(model.encode(halves), model.encode(whole))


def mixed(folder: Path) -> Path:
    """Safetensors for the transformer, torch's own format for the dense layer, as many on the hub have it."""
    torch.save(load_file(folder / "2_Dense" / "model.safetensors"), folder / "2_Dense" / "pytorch_model.bin")
    (folder / "2_Dense" / "model.safetensors").unlink()
    return folder


def test_weights_in_two_formats_all_count(dense: Path) -> None:
    folder = mixed(dense)
    assert [path.name for path in source.weights(folder)] == ["model.safetensors", "pytorch_model.bin"]
    before = source.fingerprint("st", folder)
    torch.save({"linear.weight": torch.zeros(8, 32)}, folder / "2_Dense" / "pytorch_model.bin")
    assert source.fingerprint("st", folder) != before


def test_weights_in_two_formats_are_all_fetched(dense: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub stands here as a folder that gives the files of some patterns, as its client chooses them."""
    remote, local = mixed(dense), tmp_path / "local"
    (remote / "pytorch_model.bin").write_bytes(b"the same as model.safetensors, which is enough")

    def snapshot_download(name: str, allow_patterns: list[str]) -> str:
        for file in (path for path in remote.rglob("*") if path.is_file()):
            place = file.relative_to(remote).as_posix()
            if any(fnmatch.fnmatch(place, pattern) for pattern in allow_patterns):
                (local / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, local / place)
        return str(local)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert source._fetched("st", "someone/dense") == local
    assert (local / "2_Dense" / "pytorch_model.bin").is_file()
    assert not (local / "pytorch_model.bin").exists()
    parts = [Part(Modality.TEXT, "a red bus")]
    np.testing.assert_array_equal(Model.load(f"st:{local}").encode(parts), Model.load(f"st:{remote}").encode(parts))


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense
    from tests.training.joint.tiny_joint import sentence

    model = SentenceTransformer(str(sentence(tmp_path)), device="cpu")
    torch.manual_seed(0)
    SentenceTransformer(modules=[*list(model)[:2], Dense(32, 8)], device="cpu").save(str(tmp_path / "dense"))
    return tmp_path / "dense"
