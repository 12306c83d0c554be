"""Tiny random models, saved as the real ones are: configuration, weights, tokenizer and processor files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    ChineseCLIPConfig,
    ChineseCLIPModel,
    ChineseCLIPProcessor,
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    ClapProcessor,
    CLIPConfig,
    CLIPModel,
    CLIPProcessor,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    RobertaTokenizer,
    Siglip2Config,
    Siglip2Model,
    Siglip2Processor,
    Siglip2Tokenizer,
    SiglipConfig,
    SiglipModel,
)
from transformers.models.chinese_clip.image_processing_pil_chinese_clip import ChineseCLIPImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

SIDE, PATCH = 32, 8
TEXTS = ["a", "a red bus", "The dog barks at the postman, twice!", "", "x" * 300, "夜里的红色汽车"]
_LAYER = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
_VISION = {**_LAYER, "image_size": SIDE, "patch_size": PATCH}


def clip(folder: Path, *, eos_token_id: int | None = None) -> Path:
    """openai/clip-vit-base-patch32, small; eos_token_id=2 is what its config.json really says."""
    letters = list(byte_letters())
    vocab = {token: i for i, token in enumerate([*letters, *(letter + "</w>" for letter in letters), "th", "the</w>"])}
    start, end = "<|startoftext|>", "<|endoftext|>"
    vocab |= {start: len(vocab), end: len(vocab) + 1}
    tokenizer = CLIPTokenizer(vocab=vocab, merges=[("t", "h"), ("th", "e</w>")], model_max_length=77)
    text = {**_LAYER, "vocab_size": len(vocab), "bos_token_id": vocab[start], "pad_token_id": vocab[end]}
    text["eos_token_id"] = vocab[end] if eos_token_id is None else eos_token_id
    torch.manual_seed(0)
    config = CLIPConfig(text_config=text, vision_config=_VISION, projection_dim=16)
    _lively(CLIPModel(config)).save_pretrained(folder)
    size = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}
    CLIPProcessor(CLIPImageProcessorPil(**size), tokenizer).save_pretrained(folder)
    return folder


def chinese_clip(folder: Path) -> Path:
    """OFA-Sys/chinese-clip-vit-base-patch16, small: words in vocab.txt and no tokenizer.json, as it has."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz夜里的红色汽车,!"]
    words += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    text = {**_LAYER, "vocab_size": len(words), "max_position_embeddings": 512}
    torch.manual_seed(1)
    config = ChineseCLIPConfig(text_config=text, vision_config=_VISION, projection_dim=16)
    _lively(ChineseCLIPModel(config), 12).save_pretrained(folder)
    size = {"size": {"height": SIDE, "width": SIDE}, "do_center_crop": False}
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    ChineseCLIPProcessor(ChineseCLIPImageProcessorPil(**size), tokenizer).save_pretrained(folder)
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return folder


def siglip(folder: Path, *, bare: bool = False) -> Path:
    """google/siglip-base-patch16-224, small: a Unigram tokenizer.json that lowers case and drops punctuation.

    bare: one that does neither.
    """
    letters = [chr(i) for i in range(ord("a"), ord("z") + 1)]
    pieces = [("<unk>", 0.0), ("</s>", 0.0), ("<pad>", 0.0), ("▁", -2.0), *((letter, -3.0) for letter in letters)]
    tokenizer = Tokenizer(models.Unigram([*pieces, ("▁a", -1.0), ("▁the", -1.5)], unk_id=0))
    if not bare:
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Lowercase(), normalizers.Replace(Regex(r"[!-/:-@\[-`{-~]"), ""), normalizers.Strip()]
        )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        eos_token="</s>",
        pad_token="</s>",
        model_max_length=64,
        model_input_names=["input_ids"],
    )
    text = {**_LAYER, "vocab_size": len(pieces) + 2, "max_position_embeddings": 64, "projection_size": 32}
    torch.manual_seed(2)
    _lively(SiglipModel(SiglipConfig(text_config=text, vision_config=_VISION))).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    fast.save_pretrained(folder)
    _edit(folder / "tokenizer_config.json", tokenizer_class="SiglipTokenizer")
    return folder


def siglip2(folder: Path) -> Path:
    """google/siglip2-base-patch16-224, small: SigLIP's architecture with a Gemma tokenizer."""
    fast = _gemma()
    text = {**_LAYER, "vocab_size": len(fast), "max_position_embeddings": 64, "projection_size": 32}
    torch.manual_seed(3)
    _lively(SiglipModel(SiglipConfig(text_config=text, vision_config=_VISION))).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}, resample=2).save_pretrained(folder)
    fast.save_pretrained(folder)
    _edit(folder / "tokenizer_config.json", tokenizer_class="GemmaTokenizer")
    return folder


def naflex(folder: Path) -> Path:
    """google/siglip2-base-patch16-naflex, small: patches in any arrangement, at most 16."""
    vision = {**_LAYER, "patch_size": PATCH, "num_patches": 16}
    text = {**_LAYER, "vocab_size": len(_gemma()), "max_position_embeddings": 64, "projection_size": 32}
    torch.manual_seed(4)
    _lively(Siglip2Model(Siglip2Config(text_config=text, vision_config=vision))).save_pretrained(folder)
    image = Siglip2ImageProcessorPil(patch_size=PATCH, max_num_patches=16)
    Siglip2Processor(image, _gemma()).save_pretrained(folder)
    return folder


def clap(folder: Path, *, fusion: bool = False) -> Path:
    """laion/clap-htsat-unfused (or -fused), small: 1 s of sound at 48 kHz through two stages of HTSAT."""
    letters = list(byte_letters())
    vocab = {t: i for i, t in enumerate(["<s>", "<pad>", "</s>", "<unk>", *letters, "th", "<mask>"])}
    text = {**_LAYER, "vocab_size": len(vocab), "max_position_embeddings": 66, "pad_token_id": 1}
    audio = {
        "spec_size": 64, "num_mel_bins": 32, "window_size": 4, "patch_embeds_hidden_size": 16, "hidden_size": 32,
        "depths": [1, 1], "num_attention_heads": [2, 2], "num_hidden_layers": 2, "enable_fusion": fusion,
        "aff_block_r": 2, "patch_size": 4, "patch_stride": [4, 4],
    }  # fmt: skip
    torch.manual_seed(5)
    _lively(ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=16)), 8).save_pretrained(folder)
    front = ClapFeatureExtractor(
        feature_size=32, max_length_s=1, truncation="fusion" if fusion else "rand_trunc", hop_length=480
    )
    tokenizer = RobertaTokenizer(vocab=vocab, merges=[("t", "h")], model_max_length=64)
    ClapProcessor(front, tokenizer).save_pretrained(folder)
    return folder


MAKERS: dict[str, Callable[[Path], Path]] = {
    "clip": clip,
    "chinese-clip": chinese_clip,
    "siglip": siglip,
    "siglip2": siglip2,
    "clap": clap,
}


def pictures(n: int = 3, side: int = SIDE) -> list[np.ndarray]:
    rng = np.random.default_rng(n)
    return [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in range(n)]


def sounds(rate: int = 48_000) -> list[np.ndarray]:
    """Of 0.13, 0.5, 1 and 1.4 seconds."""
    rng = np.random.default_rng(0)
    lengths = [int(seconds * rate) for seconds in (0.13, 0.5, 1.0, 1.4)]
    return [
        (0.3 * np.sin(np.arange(n) * hz / rate * 6.28) + rng.normal(0, 0.02, n)).astype(np.float32)
        for n, hz in zip(lengths, (300, 800, 2000, 5000), strict=True)
    ]


def byte_letters() -> Iterator[str]:
    """The 256 letters that byte-level tokenizers write bytes with."""
    return iter(sorted(pre_tokenizers.ByteLevel.alphabet()))


def _gemma() -> Any:
    letters = [chr(i) for i in range(ord("a"), ord("z") + 1)]
    words = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *letters, *(chr(i) for i in range(ord("A"), ord("Z")))]
    words += [f"<0x{i:02X}>" for i in range(256)] + ["th", "the"]
    tokenizer = Siglip2Tokenizer(
        vocab={word: i for i, word in enumerate(words)},
        merges=[("t", "h"), ("th", "e")],
        model_max_length=64,
        padding_side="right",
        model_input_names=["input_ids"],
    )
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", 1)]
    )
    return tokenizer


def _lively(model: Any, scale: float = 3) -> Any:
    """With weights large enough that different inputs differ visibly, norms and biases that do something."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(scale)
            elif parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()


def _edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def sentence(folder: Path, *, pooling: str = "mean", prompt: str = "", static: bool = False) -> Path:
    """sentence-transformers/all-MiniLM-L6-v2, small: BERT, pooling, unit length; or a table of words (static)."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, StaticEmbedding, Transformer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz,!:", "bus", "red", "query"]
    words += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(words)}, model_max_length=32)
    torch.manual_seed(6)
    if static:
        modules: list[Any] = [StaticEmbedding(tokenizer.backend_tokenizer, embedding_dim=16)]
    else:
        bert = BertModel(BertConfig(**_LAYER, vocab_size=len(words), max_position_embeddings=64))
        _lively(bert, 8).save_pretrained(folder / "bert")
        tokenizer.save_pretrained(folder / "bert")
        modules = [Transformer(str(folder / "bert")), Pooling(32, pooling), Normalize()]
    prompts = {"prompts": {"passage": prompt}, "default_prompt_name": "passage"} if prompt else {}
    SentenceTransformer(modules=modules, device="cpu", **prompts).save(str(folder / "st"))
    return folder / "st"


def sentence_clip(folder: Path) -> Path:
    """A sentence-transformers model that is CLIP: texts and pictures."""
    return _in_sentences(clip(folder / "clip"), folder / "st")


def sentence_clap(folder: Path) -> Path:
    """A sentence-transformers model that is CLAP: texts and sounds."""
    return _in_sentences(clap(folder / "clap"), folder / "st")


def _in_sentences(model: Path, folder: Path) -> Path:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Transformer

    SentenceTransformer(modules=[Transformer(str(model))], device="cpu").save(str(folder))
    return folder
