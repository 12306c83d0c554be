"""The laws of a trainable encoder, for every encoder of sounds; and what each is equal to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.nets.audio import tiny
from tests.training.nets.audio.tiny import RATE, sound
from transformers import ASTForAudioClassification, AutoModel, ClapModel, Wav2Vec2FeatureExtractor, WhisperModel

from duretrieval import plugins
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.protocols import Encoder
from duretrieval.similarity import unit
from duretrieval.training import parts
from duretrieval.training.contracts import Net
from duretrieval.training.nets.audio.ast import Ast
from duretrieval.training.nets.audio.clap import ClapAudio
from duretrieval.training.nets.audio.clap_mel import ClapMel
from duretrieval.training.nets.audio.sound import SoundNet
from duretrieval.training.nets.audio.waveform import Waveform
from duretrieval.training.nets.audio.whisper import Whisper
from duretrieval.types import Modality, Part

SMALL = {"widths": (4, 8, 8, 8), "dim": 16}
PARTS = tiny.parts(0.02, 0.31, 0.5, 1.0, 2.7)
UNUSED = ("model.masked_spec_embed", "model.audio_projection.")
"""What published models bring and rows are not made of: for masks in pretraining, or a projection left out."""


def made(name: str, **options: Any) -> SoundNet:
    """By its name in a recipe."""
    torch.manual_seed(0)
    net: SoundNet = parts.find("train.encoders", name)(**options)
    return net.eval()


NETS: dict[str, Callable[[Path], SoundNet]] = {
    "mfcc-statistics": lambda _: made("mfcc-statistics").fit(tiny.parts(1, 2, 3, 4)),
    "cnn6": lambda _: made("cnn6", **SMALL),
    "cnn10": lambda _: made("cnn10", **SMALL, sample_rate=8000),
    "cnn14": lambda _: made("cnn14", widths=[4] * 6, dim=16),
    "ast": lambda folder: made("ast", model=str(tiny.ast(folder))),
    "ast, 0.5 s": lambda folder: made("ast", model=tiny.ast(folder), window_s=0.5),
    "whisper": lambda folder: made("whisper", model=tiny.whisper(folder)),
    "whisper, 1 s": lambda folder: made("whisper", model=tiny.whisper(folder), window_s=1.0, long="cut"),
    "clap": lambda folder: made("clap-audio", model=tiny.clap(folder)),
    "clap, not projected": lambda folder: made("clap-audio", model=tiny.clap(folder), projected=False),
    "wav2vec2": lambda folder: made("waveform", model=tiny.wav2vec2(folder), window_s=1.0),
    "hubert": lambda folder: made("waveform", model=tiny.wav2vec2(folder, kind="hubert", norm="layer")),
}


@pytest.fixture(scope="module", params=NETS)
def net(request: Any, tmp_path_factory: Any) -> SoundNet:
    return NETS[request.param](tmp_path_factory.mktemp("model"))


def rows(net: SoundNet, parts: list[Part]) -> np.ndarray:
    with torch.no_grad():
        out: np.ndarray = net(**net.prepare(parts)).numpy()
    return out


def loaded(folder: Path, entry: dict[str, Any]) -> Encoder:
    encoder: Encoder = plugins.find("encoders", entry["use"]).load(folder, **entry["options"])
    return encoder


def test_it_satisfies_the_contract(net: SoundNet) -> None:
    assert isinstance(net, Net)
    assert net.reading == {"sample_rate": net.sample_rate}
    out = rows(net, PARTS)
    assert out.shape == (len(PARTS), net.dim)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    similar = unit(out) @ unit(out).T
    assert similar[~np.eye(len(PARTS), dtype=bool)].max() < 1 - 1e-6


def test_each_row_stands_alone(net: SoundNet) -> None:
    out = unit(rows(net, PARTS))
    np.testing.assert_allclose(unit(rows(net, PARTS[::-1]))[::-1], out, atol=1e-4)
    for part, row in zip(PARTS, out, strict=True):
        np.testing.assert_allclose(unit(rows(net, [part]))[0], row, atol=1e-4)


def test_what_follows_a_sound_in_its_row_is_not_heard(net: SoundNet) -> None:
    inputs = net.prepare(PARTS[1:3])
    longer = {**inputs, "samples": torch.nn.functional.pad(inputs["samples"], (0, 777))}
    with torch.no_grad():
        torch.testing.assert_close(net(**longer), net(**inputs), atol=1e-4, rtol=1e-4)


def test_the_exported_encoder_gives_the_same_rows(net: SoundNet, tmp_path: Path) -> None:
    net.train()
    entry = net.export(tmp_path, "mine")
    assert net.training
    net.eval()
    assert [file.name for file in tmp_path.iterdir()] == ["mine.onnx"]
    encoder = loaded(tmp_path, entry)
    assert (encoder.dim, encoder.modalities) == (net.dim, net.modalities)
    expected = unit(rows(net, PARTS))
    np.testing.assert_allclose(encoder.encode(PARTS), expected, atol=1e-4)
    np.testing.assert_allclose(encoder.encode(PARTS[3:4])[0], expected[3], atol=1e-4)


def test_export_draws_nothing_at_random(net: SoundNet, tmp_path: Path) -> None:
    state = torch.random.get_rng_state()
    net.export(tmp_path, "mine")
    assert torch.equal(torch.random.get_rng_state(), state)


def test_it_learns_and_its_state_is_all_there_is(net: SoundNet) -> None:
    before = rows(net, PARTS)
    state = {key: value.clone() for key, value in net.state_dict().items()}
    net.train()
    optimiser = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=1e-3)
    net(**net.prepare(PARTS)).square().sum().backward()
    learning = {name: p.grad for name, p in net.named_parameters() if p.requires_grad and not name.startswith(UNUSED)}
    assert [
        name for name, grad in learning.items() if grad is None or not grad.isfinite().all() or not grad.any()
    ] == []
    optimiser.step()
    optimiser.zero_grad()
    net.eval()
    assert not np.allclose(rows(net, PARTS), before, atol=1e-6)
    net.load_state_dict(state)
    np.testing.assert_allclose(rows(net, PARTS), before, atol=1e-6)


def test_it_learns_in_mixed_precision(net: SoundNet) -> None:
    inputs = net.prepare(PARTS)
    net.train()
    with torch.autocast("cpu", torch.bfloat16):
        out = net(**inputs)
    assert out.dtype == torch.float32
    out.square().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())
    net.zero_grad()
    net.eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        rough = net(**inputs).numpy()
    assert (unit(rough) * unit(rows(net, PARTS))).sum(axis=1).min() > 0.98


def test_silence_has_a_finite_row(net: SoundNet) -> None:
    assert np.isfinite(rows(net, [Part(Modality.AUDIO, np.zeros(9000, np.float32))])).all()


def test_what_is_not_samples_is_refused(net: SoundNet) -> None:
    with pytest.raises(ShapeError, match=rf"mono sound of shape \(samples,\) float32 at {net.sample_rate} Hz; got str"):
        net.prepare([Part(Modality.AUDIO, "bark.wav")])


def test_no_parts_are_no_rows(net: SoundNet) -> None:
    assert net.prepare([])["samples"].shape[0] == 0


def test_ast_is_what_the_classifier_takes(tmp_path: Path) -> None:
    ours = Ast(tiny.ast(tmp_path))
    theirs = ASTForAudioClassification.from_pretrained(tmp_path)
    inputs = tiny.ast_extractor()(sound(0.6), sampling_rate=RATE, return_tensors="pt")
    row = torch.from_numpy(rows(ours, tiny.parts(0.6)))
    with torch.no_grad():
        torch.testing.assert_close(theirs.classifier(row), theirs(**inputs).logits, atol=1e-4, rtol=1e-4)


def test_a_shorter_window_of_ast_keeps_the_middle_positions(tmp_path: Path) -> None:
    """(96 - 16) / 10 + 1 = 9 places in time become (48 - 16) / 10 + 1 = 4: from (9 - 4) // 2 = 2 on, in both bands."""
    whole, shorter = Ast(tiny.ast(tmp_path)), Ast(tmp_path, window_s=(400 + 47 * 160) / RATE)
    table = whole.model.embeddings.position_embeddings[0]
    kept = shorter.model.embeddings.position_embeddings[0]
    assert (len(table), len(kept)) == (2 + 2 * 9, 2 + 2 * 4)
    assert torch.equal(kept, table[[0, 1, 4, 5, 6, 7, 13, 14, 15, 16]])
    assert shorter.cutting.longest == 400 + 47 * 160
    assert torch.equal(
        torch.from_numpy(rows(Ast(tmp_path, window_s=(400 + 95 * 160) / RATE), PARTS)),
        torch.from_numpy(rows(whole, PARTS)),
    )


def test_whisper_is_the_mean_of_the_states_of_the_real_sound(tmp_path: Path) -> None:
    ours = Whisper(tiny.whisper(tmp_path))
    theirs = WhisperModel.from_pretrained(tmp_path).eval()
    extractor = tiny.WhisperFeatureExtractor.from_pretrained(tmp_path)
    features = extractor(sound(0.5), sampling_rate=RATE, return_tensors="pt")["input_features"]
    with torch.no_grad():
        states = theirs.encoder(features).last_hidden_state[0]
    assert states.shape == (100, 32)
    expected = states[:25].mean(dim=0)  # 0.5 s of 20 ms each
    np.testing.assert_allclose(rows(ours, tiny.parts(0.5))[0], expected, atol=1e-4)


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_clap_is_its_sound_features(tmp_path: Path, seconds: float) -> None:
    theirs = ClapModel.from_pretrained(tiny.clap(tmp_path)).eval()
    inputs = tiny.clap_extractor()(sound(seconds), sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        expected = theirs.get_audio_features(**inputs).pooler_output.numpy()
    np.testing.assert_allclose(unit(rows(ClapAudio(tmp_path), tiny.parts(seconds))), unit(expected), atol=1e-4)


@pytest.mark.parametrize(("kind", "norm"), [("wav2vec2", "group"), ("wav2vec2", "layer"), ("hubert", "group")])
def test_waveform_is_the_mean_of_the_states(tmp_path: Path, kind: str, norm: str) -> None:
    tiny.wav2vec2(tmp_path, kind=kind, norm=norm)
    theirs = AutoModel.from_pretrained(tmp_path).eval()
    inputs = Wav2Vec2FeatureExtractor.from_pretrained(tmp_path)(sound(0.6), sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        expected = theirs(inputs["input_values"]).last_hidden_state.mean(dim=1).numpy()
    np.testing.assert_allclose(rows(Waveform(tmp_path), tiny.parts(0.6)), expected, atol=1e-4)


def test_a_long_sound_is_the_mean_of_its_pieces_or_its_beginning(tmp_path: Path) -> None:
    tiny.clap(tmp_path)
    (long,) = tiny.parts(2.0)
    halves = [Part(Modality.AUDIO, long.content[:RATE]), Part(Modality.AUDIO, long.content[RATE:])]  # type: ignore[index]
    mean, cut = ClapAudio(tmp_path), ClapAudio(tmp_path, long="cut")
    np.testing.assert_allclose(rows(mean, [long])[0], rows(mean, halves).mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(rows(cut, [long])[0], rows(cut, halves)[0], atol=1e-5)
    assert np.abs(rows(mean, [long]) - rows(cut, [long])).max() > 1e-3


@pytest.mark.parametrize("name", ["ast", "whisper", "clap", "wav2vec2"])
def test_random_weights_from_the_configuration_alone(tmp_path: Path, name: str) -> None:
    getattr(tiny, name)(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    use = {"clap": "clap-audio", "wav2vec2": "waveform"}.get(name, name)
    with pytest.raises(
        ModelError, match=r"no model can be read from .*: .* Give a folder that save_pretrained wrote, or the id of"
    ):
        made(use, model=tmp_path)
    assert np.isfinite(rows(made(use, model=tmp_path, pretrained=False), PARTS)).all()


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"no weights for \d+ parameters .*; give all of a model that transformers' ASTModel reads",
    ):
        Ast(tiny.whisper(tmp_path))


def test_a_clap_with_fusion_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a CLAP with fusion of random pieces; take one without, 'unfused'"):
        ClapAudio(tiny.clap(tmp_path, fusion=True))


def test_a_model_that_takes_no_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is of type 'whisper', which does not take samples as wav2vec 2\.0"):
        Waveform(tiny.whisper(tmp_path))


@pytest.mark.parametrize("window_s", [0.001, 5.0])
def test_a_window_that_the_model_has_not_is_refused(tmp_path: Path, window_s: float) -> None:
    with pytest.raises(ConfigError, match=rf"window_s is {window_s:g}; this Whisper hears 0\.02 to 2 s at once"):
        Whisper(tiny.whisper(tmp_path / "w"), window_s=window_s)
    with pytest.raises(
        ConfigError, match=r"this transformer hears 0\.175 to 0\.975 s at once: give a window within that"
    ):
        Ast(tiny.ast(tmp_path / "a"), window_s=window_s)


def test_transformers_says_as_much_as_before(tmp_path: Path) -> None:
    from transformers.utils import logging

    before = logging.get_verbosity()
    Ast(tiny.ast(tmp_path))
    assert logging.get_verbosity() == before


def test_the_front_end_of_clap_can_be_shared(tmp_path: Path) -> None:
    net = ClapAudio(tiny.clap(tmp_path))
    assert isinstance(net.front, ClapMel)
    assert (net.front.window, net.front.sample_rate) == (RATE, RATE)


def test_the_published_bands_of_ast_warn_nobody(tmp_path: Path) -> None:
    assert np.isfinite(rows(Ast(tiny.ast(tmp_path, bands=128)), PARTS)).all()
