"""docs/text-encoders.md: every example runs, every recipe names options that there are, every size is right."""

from __future__ import annotations

import doctest
import inspect
import re
import tomllib
from pathlib import Path

import pytest
import torch
import transformers

from duretrieval.language.words import Words
from duretrieval.training import parts

PAGE = Path(__file__).parents[4] / "docs" / "text-encoders.md"
TEXT = PAGE.read_text(encoding="utf-8")

LARGE = {"hidden_size": 384, "intermediate_size": 1536}
XLM = {"max_position_embeddings": 514, "type_vocab_size": 1}
# model -> the published configuration, where it differs from the defaults of its class
CONFIGURATIONS = {
    "google-bert/bert-base-uncased": transformers.BertConfig(),
    "google-bert/bert-base-chinese": transformers.BertConfig(vocab_size=21128),
    "FacebookAI/roberta-base": transformers.RobertaConfig(**XLM),
    "albert/albert-base-v2": transformers.AlbertConfig(
        hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072
    ),
    "google/electra-small-discriminator": transformers.ElectraConfig(),
    "FacebookAI/xlm-roberta-base": transformers.XLMRobertaConfig(vocab_size=250002, **XLM),
    "sentence-transformers/all-MiniLM-L6-v2": transformers.BertConfig(num_hidden_layers=6, **LARGE),
    "intfloat/multilingual-e5-small": transformers.BertConfig(vocab_size=250037, **LARGE),
    "BAAI/bge-small-zh-v1.5": transformers.BertConfig(
        vocab_size=21128, hidden_size=512, num_hidden_layers=4, num_attention_heads=8, intermediate_size=2048
    ),
}


def test_the_examples() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 25
    assert found.failed == 0


def test_the_recipes() -> None:
    """`train`, `lr` and `lora` are the recipe's own; the others are options of the encoder."""
    blocks = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        table = tomllib.loads(block)["encoders"]["text"]
        options = {key: value for key, value in table.items() if key not in ("use", "train", "lr", "lora")}
        inspect.signature(parts.find("train.encoders", table["use"])).bind(**options)
        Words.of(options.get("words", {}))


@pytest.mark.parametrize("model", list(CONFIGURATIONS))
def test_the_sizes(model: str) -> None:
    (line,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{model}`")]
    cells = [cell.strip() for cell in line.split("|")]
    with torch.device("meta"):
        net = transformers.AutoModel.from_config(CONFIGURATIONS[model])
    weights = sum(p.numel() for name, p in net.named_parameters() if not name.startswith("pooler"))
    assert cells[2] == f"{weights / 1e6:.1f} M"
    assert cells[3] == f"{weights * 4 / 1e6:.0f} MB"
