"""VideoMAE, a transformer over patches of space and time, from transformers.

Tong et al. 2022, "VideoMAE: masked autoencoders are data-efficient learners for self-supervised video pre-training".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from duretrieval.encode.hub.preprocessing import Fit, Preprocessing
from duretrieval.encode.hub.pretrained import read
from duretrieval.errors import ConfigError, ModelError
from duretrieval.training.nets.image.hub import check_weights, draw, load, own_preprocessing, width
from duretrieval.training.nets.image.preprocessing import of_processor
from duretrieval.training.nets.video.net import FilmNet

KIND = "VideoMAEForVideoClassification"
NORM = frozenset({"fc_norm.weight", "fc_norm.bias"})
"""What a model that no classifier was trained on does without."""
VIDEO_FILE = "video_preprocessor_config.json"
"""Where the video processor of transformers writes what its image processor writes elsewhere."""


def videomae(
    model: str | None = None,
    *,
    fit: Fit | None = None,
    pretrained: bool = True,
    config: Mapping[str, Any] | None = None,
) -> FilmNet:
    """VideoMAE by hub id or folder, without its classifier: the mean of its tokens.

    It looks at as many frames, of the side, as it was trained for.  A fine-tuned model's mean goes through the norm
    before its classifier, so that the rows are what the classifier would read; one that was only pretrained has none.
    pretrained, config: as for `vision`; config needs no model_type.

    Raises:
        ConfigError: a setting cannot be used, or the model's preprocessing cannot be put into a graph.
        ModelError: the model cannot be loaded, is none of VideoMAE, or lacks weights.
    """
    if model is not None and config is None:
        network, lacking = load(model, pretrained, KIND)
        if not lacking.isdisjoint(NORM):
            network.fc_norm = None  # type: ignore[assignment]
        preprocessing = _preprocessing(model)
    elif config is not None and model is None:
        network, lacking = draw({"model_type": "videomae", **config}, KIND), frozenset()
        preprocessing = Preprocessing.of(network.config.image_size)  # type: ignore[union-attr,arg-type]
    else:
        raise ConfigError("give either model, a hub id or a folder, or config, an architecture to draw weights for")
    backbone = Tokens(network)
    check_weights(backbone, {name.replace("videomae.", "network.", 1) for name in lacking}, str(model))
    preprocessing, frames = preprocessing.at(fit=fit), int(backbone.network.config.num_frames)
    dim = width(backbone, (1, frames, 3, preprocessing.crop, preprocessing.crop))
    return FilmNet(backbone, preprocessing, dim=dim, frames=frames)


def _preprocessing(model: str) -> Preprocessing:
    """What its image processor does, or the video processor that transformers saves in its place."""
    try:
        return own_preprocessing(model)
    except ModelError:
        from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil

        processor = read(VideoMAEImageProcessorPil, model, "image processor", image_processor_filename=VIDEO_FILE)
        return of_processor(processor, model)


class Tokens(nn.Module):
    """(b, t, 3, side, side) -> (b, dim): the mean of VideoMAE's tokens."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.network = classifier.videomae
        for layer in self.network.encoder.layer:
            attention = layer.attention.attention
            attention.forward = partial(attend, attention)
        self.fc_norm = classifier.fc_norm

    def forward(self, clips: Tensor) -> Tensor:
        """(b, t, 3, side, side) -> (b, dim)."""
        row: Tensor = self.network(pixel_values=clips).last_hidden_state.mean(dim=1)
        return row if self.fc_norm is None else self.fc_norm(row)


def attend(attention: Any, tokens: Tensor) -> tuple[Tensor, None]:
    """The self-attention of one layer: (b, n, d) -> (b, n, d).

    What transformers does, without the sum of a `torch.Size` and a tuple in it, which fixes the batch of a graph.
    """
    layers = (attention.query, attention.key, attention.value)
    heads = (attention.num_attention_heads, attention.attention_head_size)
    query, key, value = (layer(tokens).unflatten(-1, heads).transpose(1, 2) for layer in layers)
    dropout = attention.dropout_prob if attention.training else 0.0
    mixed = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
    return mixed.transpose(1, 2).flatten(2), None
