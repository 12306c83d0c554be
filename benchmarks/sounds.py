"""What encoding five seconds of sound costs: the front ends alone, and whole encoders of the published sizes."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import torch
from torch import nn
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ClapAudioConfig,
    ClapConfig,
    ClapFeatureExtractor,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    WhisperConfig,
    WhisperFeatureExtractor,
)

from benchmarks.measure import interleaved, write
from duretrieval import plugins
from duretrieval.onnx import Session
from duretrieval.training.nets.audio.ast import Ast
from duretrieval.training.nets.audio.clap import ClapAudio
from duretrieval.training.nets.audio.clap_mel import ClapMel
from duretrieval.training.nets.audio.kaldi_mel import KaldiMel
from duretrieval.training.nets.audio.mel import Mel, MelSettings
from duretrieval.training.nets.audio.mfcc import Mfcc
from duretrieval.training.nets.audio.panns import cnn6, cnn10, cnn14
from duretrieval.training.nets.audio.statistics import MfccStatistics
from duretrieval.training.nets.audio.waveform import Waveform
from duretrieval.training.nets.audio.whisper import Whisper
from duretrieval.training.nets.audio.whisper_mel import WhisperMel
from duretrieval.training.onnx import to_onnx
from duretrieval.types import Array, Modality, Part

SECONDS = 5.0
BIG = MelSettings(sample_rate=22_050, n_fft=2048, window=2048, hop=512, bands=128)


def main() -> None:
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "At least one mel filter has all zero values")
    with tempfile.TemporaryDirectory() as folder:
        fronts = measure_fronts(Path(folder))
        encoders = measure_encoders(Path(folder))
    lines = ["| front end | graph | its reference |", "|---|---:|---:|"]
    lines += [f"| {name} | {ours:.1f} ms | {theirs:.1f} ms |" for name, (ours, theirs) in fronts.items()]
    lines += ["", "| encoder, random weights | dim | parameters | file | 5 s |", "|---|---:|---:|---:|---:|"]
    for name, (dim, millions, megabytes, ms) in encoders.items():
        lines.append(f"| {name} | {dim} | {millions:.1f} M | {megabytes:.0f} MB | {ms:.0f} ms |")
    lines += ["", "One thread. References: librosa for the first three, the model's feature extractor in transformers."]
    what = "Five seconds of sound: what spectra and encoders cost"
    write("sounds", what, {"fronts_ms": fronts, "encoders": encoders}, "\n".join(lines))


def noise(rate: int) -> Array:
    return (0.1 * np.random.default_rng(0).standard_normal(int(SECONDS * rate))).astype(np.float32)


def measure_fronts(folder: Path) -> dict[str, tuple[float, float]]:
    """Name -> milliseconds of the graph, and of the code it is equal to."""
    ast, whisper = ASTFeatureExtractor(), WhisperFeatureExtractor()
    clap = ClapFeatureExtractor(truncation="rand_trunc", frequency_min=50)
    window: dict[str, Any] = {"n_fft": 512, "win_length": 400, "hop_length": 160, "n_mels": 64}
    cases: dict[str, tuple[nn.Module, int, Callable[[Array], Any]]] = {
        "mel, 16 kHz, 512": (
            Mel(MelSettings()),
            16_000,
            lambda x: librosa.feature.melspectrogram(y=x, sr=16_000, **window),
        ),
        "mel, 22 kHz, 2048": (Mel(BIG), 22_050, lambda x: librosa.feature.melspectrogram(y=x, sr=22_050)),
        "MFCC, 16 kHz, 512": (
            Mfcc(MelSettings()),
            16_000,
            lambda x: librosa.feature.mfcc(y=x, sr=16_000, n_mfcc=20, **window),
        ),
        "AST's": (KaldiMel.like(ast), 16_000, lambda x: ast(x, sampling_rate=16_000)),
        "Whisper's, 30 s": (WhisperMel.like(whisper), 16_000, lambda x: whisper(x, sampling_rate=16_000)),
        "CLAP's, 10 s": (ClapMel.like(clap), 48_000, lambda x: clap(x, sampling_rate=48_000)),
    }
    found = {}
    for name, (front, rate, reference) in cases.items():
        samples = noise(rate)
        to_onnx(front, folder / "front.onnx", {"samples": torch.zeros(2, rate)}, free={"samples": [1]})
        graph = Session(folder / "front.onnx")
        if name.startswith(("mel", "MFCC")):  # of librosa, to which the documents say that they are equal
            ours, theirs = graph.run(samples=samples[None])[0], reference(samples).T
            assert np.abs(ours - theirs).max() <= 1e-4 * np.abs(theirs).max(), name
        contestants: dict[str, Callable[[], object]] = {
            "ours": run(graph.run, samples[None]),
            "theirs": partial(reference, samples),
        }
        interleaved(contestants, 2)
        seconds = interleaved(contestants, 11)
        found[name] = (1e3 * seconds["ours"], 1e3 * seconds["theirs"])
    return found


def measure_encoders(folder: Path) -> dict[str, tuple[int, float, float, float]]:
    """Name -> dim, millions of parameters, megabytes of the graph, milliseconds."""
    published(folder)
    makers: dict[str, Callable[[], Any]] = {
        "mfcc-statistics": MfccStatistics,
        "cnn6": cnn6,
        "cnn10": cnn10,
        "cnn14": cnn14,
        "clap-audio, HTSAT": lambda: ClapAudio(folder / "clap", pretrained=False),
        "whisper, tiny, 5 s window": lambda: Whisper(folder / "whisper", window_s=5.0, pretrained=False),
        "whisper, tiny": lambda: Whisper(folder / "whisper", pretrained=False),
        "waveform, wav2vec 2.0 base": lambda: Waveform(folder / "wav2vec2", pretrained=False),
        "ast, 5 s window": lambda: Ast(folder / "ast", window_s=5.0, pretrained=False),
        "ast": lambda: Ast(folder / "ast", pretrained=False),
    }
    found = {}
    for name, make in makers.items():
        net = make()
        entry = net.export(folder, "encoder")
        encoder = plugins.find("encoders", entry["use"]).load(folder, threads=1, **entry["options"])
        parts = [Part(Modality.AUDIO, noise(net.sample_rate))]
        encoder.encode(parts)
        seconds = interleaved({"encode": partial(encoder.encode, parts)}, 5)["encode"]
        millions = sum(parameter.numel() for parameter in net.parameters()) / 1e6
        found[name] = (net.dim, millions, (folder / "encoder.onnx").stat().st_size / 1e6, 1e3 * seconds)
    return found


def published(folder: Path) -> None:
    """Configurations as published, without weights."""
    ASTConfig().save_pretrained(folder / "ast")
    ASTFeatureExtractor().save_pretrained(folder / "ast")
    tiny = {"d_model": 384, "encoder_layers": 4, "encoder_attention_heads": 6, "encoder_ffn_dim": 1536}
    WhisperConfig(**tiny, decoder_layers=4, decoder_attention_heads=6).save_pretrained(folder / "whisper")
    WhisperFeatureExtractor().save_pretrained(folder / "whisper")
    sounds = ClapAudioConfig(patch_embeds_hidden_size=96, depths=[2, 2, 6, 2], num_attention_heads=[4, 8, 16, 32])
    ClapConfig(audio_config=sounds.to_dict()).save_pretrained(folder / "clap")
    ClapFeatureExtractor(truncation="rand_trunc", frequency_min=50).save_pretrained(folder / "clap")
    Wav2Vec2Config().save_pretrained(folder / "wav2vec2")
    Wav2Vec2FeatureExtractor().save_pretrained(folder / "wav2vec2")


def run(graph: Callable[..., Array], samples: Array) -> Callable[[], Array]:
    return lambda: graph(samples=samples)


if __name__ == "__main__":
    main()
