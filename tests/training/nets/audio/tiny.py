"""Tiny models with random weights, saved as transformers saves real ones; and sounds."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTForAudioClassification,
    ClapAudioConfig,
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)

from duretrieval.types import Modality, Part

RATE = 16_000


def sound(seconds: float, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """A tone that rises over noise; another seed is another pitch."""
    n = round(seconds * rate)
    at = np.arange(n) / rate
    tone = 0.3 * np.sin(2 * np.pi * (200 + 300 * seed + 400 * at) * at)
    return (tone + 0.03 * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)


def parts(*seconds: float, rate: int = RATE) -> list[Part]:
    return [Part(Modality.AUDIO, sound(each, seed, rate)) for seed, each in enumerate(seconds)]


def ast(folder: Path, seed: int = 0, bands: int = 32) -> Path:
    torch.manual_seed(seed)
    config = ASTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_length=96,
        num_mel_bins=bands,
        num_labels=5,
    )
    ASTForAudioClassification(config).save_pretrained(folder)
    ast_extractor(num_mel_bins=bands).save_pretrained(folder)
    return folder


def ast_extractor(**settings: object) -> ASTFeatureExtractor:
    with warnings.catch_warnings(action="ignore"):  # of bands narrower than a bin
        return ASTFeatureExtractor(**{"max_length": 96, "num_mel_bins": 32, **settings})


def whisper(folder: Path, seed: int = 0) -> Path:
    """One that hears 2 s at once."""
    torch.manual_seed(seed)
    config = WhisperConfig(
        vocab_size=60,
        num_mel_bins=16,
        d_model=32,
        encoder_layers=2,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
        max_source_positions=100,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=3,
        begin_suppress_tokens=None,
    )
    WhisperForConditionalGeneration(config).save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=16, chunk_length=2).save_pretrained(folder)
    return folder


def clap(folder: Path, seed: int = 0, *, fusion: bool = False) -> Path:
    """One that hears 1 s at 16 kHz."""
    torch.manual_seed(seed)
    sounds = ClapAudioConfig(
        spec_size=64,
        num_mel_bins=16,
        patch_size=4,
        patch_stride=[4, 4],
        window_size=4,
        hidden_size=32,
        projection_dim=24,
        depths=[1, 1],
        num_attention_heads=[2, 2],
        patch_embeds_hidden_size=16,
        num_classes=5,
        enable_fusion=fusion,
    )
    words = {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**words, "intermediate_size": 48, "projection_dim": 24}
    ClapModel(ClapConfig(text_config=text, audio_config=sounds.to_dict(), projection_dim=24)).save_pretrained(folder)
    clap_extractor().save_pretrained(folder)
    return folder


def clap_extractor(**settings: object) -> ClapFeatureExtractor:
    ours = {"feature_size": 16, "sampling_rate": RATE, "hop_length": 80, "fft_window_size": 256, "max_length_s": 1}
    theirs = {"frequency_max": 7000, "truncation": "rand_trunc"}
    return ClapFeatureExtractor(**{**ours, **theirs, **settings})


def wav2vec2(folder: Path, seed: int = 0, *, kind: str = "wav2vec2", norm: str = "group") -> Path:
    torch.manual_seed(seed)
    model, config = {"wav2vec2": (Wav2Vec2Model, Wav2Vec2Config), "hubert": (HubertModel, HubertConfig)}[kind]
    settings = config(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        conv_dim=(16, 16, 16),
        conv_kernel=(10, 8, 4),
        conv_stride=(5, 8, 4),
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        feat_extract_norm=norm,
        do_stable_layer_norm=norm == "layer",
    )
    model(settings).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder
