"""Which parameters learn: by name, by pattern, by layer; and each with its own rate."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel, ConvNextConfig, ConvNextModel, ViTConfig, ViTModel

from duretrieval.errors import ConfigError
from duretrieval.training.build.freeze import groups, select
from duretrieval.training.build.lora import add_lora

SIZES = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}


def bert() -> nn.Module:
    return BertModel(BertConfig(**SIZES, vocab_size=30))


def learning(net: nn.Module) -> set[str]:
    return {name for name, parameter in net.named_parameters() if parameter.requires_grad}


def test_two_layers_by_eye() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    (weight,) = select(net, ["1.weight"])
    assert weight is net[1].weight
    assert learning(net) == {"1.weight"}
    select(net, ["0.*", "1.bias"])
    assert learning(net) == {"0.weight", "0.bias", "1.bias"}
    assert select(net, []) == []
    assert learning(net) == set()


@pytest.mark.parametrize("pattern", ["encoder.layer.2.*", "encoder.layer.2", "*layer.2.*"])
def test_a_layer_by_pattern_or_by_its_name(pattern: str) -> None:
    net = bert()
    chosen = select(net, [pattern])
    assert learning(net) == {name for name, _ in net.named_parameters() if ".layer.2." in name}
    assert len(chosen) == len(learning(net)) == 16


def test_the_last_layers_and_what_comes_after() -> None:
    net = bert()
    select(net, ["last 2"])
    parts = {name.partition(".attention")[0].partition(".dense")[0] for name in learning(net)}
    assert {"encoder.layer.1", "encoder.layer.2", "pooler"} <= parts
    assert not any(name.startswith(("embeddings", "encoder.layer.0")) for name in learning(net))
    picture = ViTModel(ViTConfig(**SIZES, image_size=16, patch_size=8))
    select(picture, ["last 1"])
    assert {"layernorm.weight", "pooler.dense.weight"} <= learning(picture)
    assert not any("embeddings" in name or "layers.1." in name for name in learning(picture))


def test_stages_count_as_layers_where_layers_lie_in_stages() -> None:
    net = ConvNextModel(ConvNextConfig(hidden_sizes=[4, 4, 4, 4], depths=[1, 1, 5, 1]))
    select(net, ["last 1"])
    assert all(".stages.3." in name or name.startswith("layernorm") for name in learning(net))
    assert any(".stages.3." in name for name in learning(net))


def test_each_group_has_its_rate_and_the_first_pattern_wins() -> None:
    net = bert()
    select(net, ["last 2"])
    made = groups(net, {"pooler": 1e-3, "last 1": 1e-4}, 1e-5)
    assert [group["lr"] for group in made] == [1e-3, 1e-4, 1e-5]
    assert [len(group["params"]) for group in made] == [2, 16, 16]
    assert {id(p) for group in made for p in group["params"]} == {id(p) for p in net.parameters() if p.requires_grad}
    torch.optim.AdamW(made)


def test_adapters_learn_as_fast_as_what_they_adapt() -> None:
    made = groups(add_lora(bert(), 2), {"encoder.layer.2": 1e-2}, 1e-3)
    assert [(group["lr"], len(group["params"])) for group in made] == [(1e-2, 4), (1e-3, 8)]


def test_what_fits_nothing_is_answered_with_what_is_near() -> None:
    with pytest.raises(ConfigError, match=r"no parameter fits 'encoder\.layers\.2'\. Near it are: encoder\.layer\.2"):
        select(bert(), ["encoder.layers.2"])
    with pytest.raises(ConfigError, match=r"no parameter fits '000'\. There are: embeddings\.word_embeddings\.weight"):
        select(bert(), ["000"])
    with pytest.raises(ConfigError, match=r"'last 4' cannot be: this net has 3 layers in encoder\.layer"):
        select(bert(), ["last 4"])
    with pytest.raises(ConfigError, match="'last 1' cannot be: this net has 0 layers"):
        select(nn.Linear(2, 2), ["last 1"])


def test_a_pattern_that_fits_nothing_freezes_nothing() -> None:
    net = bert()
    before = learning(net)
    with pytest.raises(ConfigError):
        select(net, ["pooler", "nowhere"])
    assert learning(net) == before
