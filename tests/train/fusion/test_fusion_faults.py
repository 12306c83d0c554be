"""What cannot be fused is said."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from fusion_families import ALL, IMAGE, MODALITIES, NAMES, TEXT, WIDTH, make, rows

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.plugins import find
from duretrieval.types import Modality


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("maximum", {"modalities": ["text", "imge"]}, r"no modality 'imge'\. Did you mean 'image'\? There are: text"),
        ("maximum", {"modalities": []}, r"modalities are \[\]; give at least one, and each once"),
        ("maximum", {"modalities": ["text", "text"]}, r"modalities are \['text', 'text'\]; give at least one"),
        ("maximum", {"drop": 1.0}, r"drop is 1; it must be a probability, 0 or more and below 1"),
        ("maximum", {"dim": 5}, "a maximum mixes rows as they are, so its dim is their width, 8, not 5; leave dim out"),
        ("weighted-sum", {"dim": 5}, "a weighted sum mixes rows as they are"),
        ("weighted-sum", {"weights": {"text": 0}}, r"the weight of 'text' is 0; give a number above 0 for one of text"),
        ("weighted-sum", {"weights": {"video": 2}}, r"the weight of 'video' is 2; give a number above 0 for one of"),
        ("attention", {"dim": 5}, "attention mixes rows as they are"),
        ("attention", {"score": "bilinea"}, r"no score called 'bilinea'\. Did you mean 'bilinear'\? There are: dot"),
        ("cross-attention", {"dim": 5}, "cross-attention mixes rows as they are"),
        ("cross-attention", {"query": "video"}, "query is 'video'; it must be one of text, image, audio"),
        ("cross-attention", {"heads": 3}, "3 heads do not divide a width of 8; give another number of heads"),
        ("graph-attention", {"heads": 0}, "0 heads do not divide a dim of 8; give another number of heads"),
        ("low-rank", {"rank": 0}, "rank is 0; give 1 or more"),
        ("tucker", {"inner": 9}, "inner is 9 and rank 8; give an inner of 1 to 8, and a rank of 0 or more"),
        ("tucker", {"inner": 2, "rank": -1}, "inner is 2 and rank -1"),
    ],
)
def test_settings_that_cannot_be_used(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find("train.fusions", name)(**{"modalities": ["text", "image", "audio"], "width": WIDTH, **options})


@pytest.mark.parametrize(("name", "options"), ALL, ids=NAMES)
def test_rows_that_cannot_be_fused(name: str, options: dict[str, Any]) -> None:
    fusion, x = make(name, options), rows()
    with pytest.raises(ConfigError, match="made for text, image, audio, and got rows of video; name it among the mod"):
        fusion({**x, Modality.VIDEO: x[TEXT]})
    with pytest.raises(ShapeError, match="there is nothing to fuse; give rows of at least one of text, image, audio"):
        fusion({})
    with pytest.raises(ShapeError, match=r"expected rows of image \(6, 8\); got \(5, 8\)"):
        fusion({TEXT: x[TEXT], IMAGE: x[IMAGE][:5]})
    with pytest.raises(ShapeError, match=r"expected rows of text \(6, 8\); got \(6, 9\)"):
        fusion({TEXT: torch.zeros(6, 9)})


@pytest.mark.parametrize(("name", "options"), ALL, ids=NAMES)
def test_training_goes_on_after_an_export(name: str, options: dict[str, Any], tmp_path: Any) -> None:
    for training in (True, False):
        fusion = make(name, options).train(training)
        fusion.export(tmp_path, "fusion")
        assert fusion.training is training
    assert fusion.modalities == MODALITIES
