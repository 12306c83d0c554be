"""Small transformers with random weights, saved in the format of real ones, with tokenizers trained here."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

TEXTS = [
    "a red bus in the rain",
    "rain on a tin roof",
    "",
    "两只黑色的狗在雪地里跑",
    "Über-café, naïve déjà-vu!",
    "a blue bird sings in a tall tree over there, as it did the day before and will again tomorrow",
]

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
ROBERTA = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1, "max_position_embeddings": 66}

# kind -> (configuration class, its settings, tokenizer class)
KINDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "bert": ("BertConfig", {**SMALL, "max_position_embeddings": 64}, "BertTokenizer"),
    "roberta": ("RobertaConfig", {**SMALL, **ROBERTA}, "RobertaTokenizer"),
    "albert": ("AlbertConfig", {**SMALL, "embedding_size": 8, "max_position_embeddings": 64}, "AlbertTokenizer"),
    "electra": ("ElectraConfig", {**SMALL, "embedding_size": 8, "max_position_embeddings": 64}, "BertTokenizer"),
    "xlm-roberta": ("XLMRobertaConfig", {**SMALL, **ROBERTA}, "XLMRobertaTokenizer"),
    "mpnet": ("MPNetConfig", {**SMALL, "pad_token_id": 1, "max_position_embeddings": 66}, "MPNetTokenizer"),
    "distilbert": (
        "DistilBertConfig",
        {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": 64},
        "BertTokenizer",
    ),
    "deberta": ("DebertaV2Config", {**SMALL, "max_position_embeddings": 64}, "BertTokenizer"),
    "modernbert": ("ModernBertConfig", {**SMALL, "max_position_embeddings": 64}, "BertTokenizer"),
    "t5": ("T5Config", {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2}, "T5Tokenizer"),
    "qwen3": (
        "Qwen3Config",
        {**SMALL, "num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": 64},
        "Qwen2Tokenizer",
    ),
}


@cache
def saved(kind: str, folder: Path) -> str:
    """The folder of a model of this kind, written on first use."""
    config, settings, tokenizer = KINDS[kind]
    place = folder / kind
    learned = _roberta_tokenizer() if kind == "roberta" else _tokenizer(tokenizer)
    learned.model_max_length = 64
    learned.save_pretrained(place)
    ids = {name: getattr(learned, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    torch.manual_seed(0)
    made = getattr(transformers, config)(
        **{**settings, "vocab_size": len(learned), **{name: id for name, id in ids.items() if id is not None}}
    )
    transformers.AutoModel.from_config(made).save_pretrained(place)
    return str(place)


def _tokenizer(name: str) -> Any:
    if name == "BertTokenizer":
        return _bert_tokenizer()
    return getattr(transformers, name)().train_new_from_iterator(TEXTS * 4, 200)


def _bert_tokenizer() -> Any:
    """Words and characters of the texts in order: what trains one numbers equally frequent ones as hashes fall."""
    cut = transformers.BertTokenizer().backend_tokenizer
    texts = [cut.normalizer.normalize_str(text) for text in TEXTS]
    words = {word for text in texts for word, _ in cut.pre_tokenizer.pre_tokenize_str(text)}
    characters = {character for word in words for character in word}
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = sorted(characters) + sorted(f"##{character}" for character in characters) + sorted(words - characters)
    return transformers.BertTokenizer(vocab={piece: number for number, piece in enumerate([*special, *pieces])})


def _roberta_tokenizer() -> Any:
    """With the special tokens where the real one has them: <s> 0, <pad> 1."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(TEXTS * 4, trainer)
    learned = json.loads(bpe.to_str())["model"]
    merges = [tuple(pair) for pair in learned["merges"]]
    return transformers.RobertaTokenizer(vocab=learned["vocab"], merges=merges)
