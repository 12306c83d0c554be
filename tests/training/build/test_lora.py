"""Adapters change nothing at first, learn alone, are saved small, and merge into the same rows and the same graph."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel, ViTConfig, ViTModel

from duretrieval.errors import ConfigError, ModelError
from duretrieval.onnx import Session
from duretrieval.training.build.freeze import select
from duretrieval.training.build.lora import adapted, add_lora, load_lora, merge_lora, save_lora
from duretrieval.training.onnx import to_onnx

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}


class Reader(nn.Module):
    """Rows of a tiny BERT."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.model = BertModel(BertConfig(**SIZES, vocab_size=30))

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids).pooler_output


class Seer(nn.Module):
    """Rows of a tiny ViT."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.model = ViTModel(ViTConfig(**SIZES, image_size=16, patch_size=8))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.model(pixel_values=pixels).pooler_output


INPUTS = {Reader: torch.arange(12).reshape(3, 4), Seer: torch.rand(3, 3, 16, 16, generator=torch.manual_seed(0))}
KINDS = pytest.mark.parametrize("kind", [Reader, Seer])


def trained(kind: type[nn.Module], **options: object) -> nn.Module:
    """A net whose adapters have taken some steps."""
    torch.manual_seed(1)
    net = add_lora(kind().train(), 2, **options)  # type: ignore[arg-type]
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=1.0)
    for _ in range(3):
        optimizer.zero_grad()
        net.eval()(INPUTS[kind]).square().sum().backward()
        optimizer.step()
    return net.eval()


def test_an_adapter_is_a_product_of_two_small_matrices() -> None:
    """By hand: W x + (alpha / r) B A x."""
    layer = nn.Sequential(nn.Linear(3, 2, bias=False))
    add_lora(layer, 1, alpha=4, targets="0")
    weight = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    a, b = torch.tensor([[1.0, 1, 1]]), torch.tensor([[1.0], [2]])
    inside = layer[0]
    with torch.no_grad():
        inside.base_layer.weight.copy_(weight)
        inside.lora_A["default"].weight.copy_(a)
        inside.lora_B["default"].weight.copy_(b)
    x = torch.tensor([[1.0, 2, 3]])
    assert layer(x).tolist() == [[1 + 4 * 6, 2 + 4 * 12]]
    assert merge_lora(layer)(x).tolist() == [[25, 50]]


@KINDS
def test_adding_changes_nothing_and_freezes_the_rest(kind: type[nn.Module]) -> None:
    plain, net = kind().eval(), add_lora(kind().eval(), 2)
    torch.testing.assert_close(net(INPUTS[kind]), plain(INPUTS[kind]))
    learning = [name for name, p in net.named_parameters() if p.requires_grad]
    assert len(learning) == 2 * 2 * 2  # A and B, for query and value, in two layers
    assert all(".lora_" in name for name in learning)


@KINDS
def test_only_adapters_learn(kind: type[nn.Module]) -> None:
    net, plain = trained(kind), kind()
    named = dict(plain.named_parameters())
    for name, parameter in net.named_parameters():
        if ".lora_" not in name:
            torch.testing.assert_close(parameter, named[name.replace(".base_layer", "")], rtol=0, atol=0)
    assert not torch.allclose(net(INPUTS[kind]), plain.eval()(INPUTS[kind]), rtol=0, atol=1e-4)


@KINDS
def test_merged_rows_and_graph_are_the_same(kind: type[nn.Module], tmp_path: Path) -> None:
    net = trained(kind)
    merged = merge_lora(net)
    assert adapted(net)
    assert not adapted(merged)
    assert {*dict(merged.named_parameters())} == {*dict(kind().named_parameters())}
    expected = net(INPUTS[kind])
    torch.testing.assert_close(merged(INPUTS[kind]), expected, rtol=0, atol=1e-5)
    to_onnx(merged, tmp_path / "net.onnx", {"x": INPUTS[kind]})
    rows = Session(tmp_path / "net.onnx").run(x=INPUTS[kind].numpy())
    np.testing.assert_allclose(rows, expected.detach().numpy(), atol=1e-4)


def test_a_net_without_adapters_is_merged_already() -> None:
    net = Reader()
    assert merge_lora(net) is net


@KINDS
def test_saved_small_and_loaded_equal(kind: type[nn.Module], tmp_path: Path) -> None:
    net = trained(kind, alpha=3)
    save_lora(net, tmp_path / "adapters.safetensors")
    (tmp_path / "any").touch()  # as the umask has it: what one trains another may read
    assert (tmp_path / "adapters.safetensors").stat().st_mode == (tmp_path / "any").stat().st_mode
    again = load_lora(kind(), tmp_path / "adapters.safetensors").eval()
    torch.testing.assert_close(again(INPUTS[kind]), net(INPUTS[kind]), rtol=0, atol=0)
    whole = sum(p.numel() for p in kind().parameters())
    assert sum(p.numel() for n, p in net.named_parameters() if ".lora_" in n) < whole / 10


def test_targets_by_name_and_by_pattern() -> None:
    assert all(name.endswith("dense") for name in adapted(add_lora(Reader(), 1, targets="dense")))
    only_last = adapted(add_lora(Reader(), 1, targets=["*layer.1.attention.self.*"]))
    assert [name.rpartition(".")[2] for name in only_last] == ["query", "key", "value"]
    assert all("layer.1." in name for name in only_last)


def test_attention_of_torch_itself_is_left_alone() -> None:
    """Its projection is not called as a layer, so that an adapter there would do nothing."""
    net = nn.ModuleDict({"attention": nn.MultiheadAttention(4, 1), "query": nn.Linear(4, 4)})
    assert adapted(add_lora(net, 1, targets="*")) == ["query"]


def test_parameters_that_learn_beside_the_adapters() -> None:
    net = add_lora(Reader(), 2)
    chosen = select(net, ["model.pooler"])
    assert len(chosen) == 2
    learning = {name for name, p in net.named_parameters() if p.requires_grad}
    assert {name for name in learning if ".lora_" not in name} == {
        "model.pooler.dense.weight",
        "model.pooler.dense.bias",
    }
    assert len(learning) == 8 + 2


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="rank of LoRA is 0; give 1 or more"):
        add_lora(Reader(), 0)
    with pytest.raises(
        ConfigError, match=r"no linear layer 'querry' here\. Did you mean 'query'\? There are: dense, key"
    ):
        add_lora(Reader(), 1, targets="querry")
    with pytest.raises(ConfigError, match="knows no layer of attention here; name linear layers as targets"):
        add_lora(nn.Sequential(nn.Linear(2, 2)), 1)
    with pytest.raises(ConfigError, match="has LoRA adapters already"):
        add_lora(add_lora(Reader(), 1), 1)
    with pytest.raises(ConfigError, match="no LoRA adapters to save"):
        save_lora(Reader(), tmp_path / "x")
    with pytest.raises(ModelError, match="holds no LoRA adapters"):
        load_lora(Reader(), tmp_path / "x")
    save_lora(add_lora(Reader(), 1), tmp_path / "x")
    with pytest.raises(ModelError, match="belong to another net: this one has no linear layer"):
        load_lora(Seer(), tmp_path / "x")


def test_a_merged_copy_leaves_the_net_to_learn_on() -> None:
    net = trained(Reader)
    before = copy.deepcopy(net.state_dict())
    merge_lora(net)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
