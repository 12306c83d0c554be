"""What cannot be fused is said."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import torch
from tests.training.nets.fusion.fusion_families import ALL, IMAGE, MODALITIES, NAMES, TEXT, WIDTH, make, presence, rows

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.training.parts import find
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


@pytest.mark.parametrize("shape", [(2,), (3, 1)])
def test_present_of_another_shape(shape: tuple[int, ...]) -> None:
    message = r"expected present \(3,\) for image; got " + re.escape(str(shape))
    with pytest.raises(ShapeError, match=message):
        make("concatenation", {})(rows(3), {IMAGE: torch.ones(shape, dtype=torch.bool)})


@pytest.mark.parametrize(("name", "options"), ALL, ids=NAMES)
def test_no_rows_to_fuse(name: str, options: dict[str, Any]) -> None:
    fusion = make(name, options).eval()
    assert fusion({m: torch.zeros(0, WIDTH) for m in MODALITIES}).shape == (0, fusion.dim)


@pytest.mark.parametrize(("name", "options"), ALL, ids=NAMES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_near(name: str, options: dict[str, Any], dtype: torch.dtype) -> None:
    """With NaN and infinity where nothing is."""
    fusion = make(name, options).eval()
    given, there = rows(6), presence(6)
    expected = fusion(given, there)
    spoilt = {m: given[m].masked_fill(~there[m][:, None], math.nan if m is IMAGE else math.inf) for m in MODALITIES}
    half = fusion.to(dtype)({m: row.to(dtype) for m, row in spoilt.items()}, there)
    assert half.dtype == dtype
    torch.testing.assert_close(half.float(), expected, atol=0.06, rtol=0)
