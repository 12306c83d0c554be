"""A picture encoder's rows of a film's frames, pooled over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training import parts
from duretrieval.training.nets.image.net import PictureNet
from duretrieval.training.nets.image.weights import check_choice
from duretrieval.training.nets.video.net import FilmNet

Pooling = Literal["mean", "attention"]


def frames(
    image: PictureNet | Mapping[str, Any],
    *,
    pooling: Pooling = "attention",
    frames: int = 4,
    hidden: int = 128,
) -> FilmNet:
    """A film encoder that looks at frames one by one.

    image: a picture encoder, or its entry in a recipe: {"use": "vision", "options": {...}}.
    pooling: "mean", or "attention", which learns what to look at (`Attention`, with `hidden` units).

    Raises:
        ConfigError: a setting is none of those there are, or `image` makes something else than a `PictureNet`.
    """
    check_choice("pooling", pooling, ("mean", "attention"))
    net = picture_net(image)
    pool = Attention(net.dim, hidden) if pooling == "attention" else Mean()
    return FilmNet(EachFrame(net.backbone, pool), net.preprocessing, dim=net.dim, frames=frames)


def picture_net(image: PictureNet | Mapping[str, Any]) -> PictureNet:
    """The picture encoder, made by its name where it is an entry of a recipe.

    Raises:
        ConfigError: the entry has no name, or what it makes has no backbone to build on.
    """
    if isinstance(image, PictureNet):
        return image
    if "use" not in image:
        raise ConfigError("image names no encoder; write it as { use = 'vision', options = { model = ... } }")
    net = parts.find("train.encoders", image["use"])(**image.get("options", {}))
    if not isinstance(net, PictureNet):
        raise ConfigError(f"{image['use']!r} is no picture encoder that trains; take one such as 'vision' or 'vgg'")
    return net


class EachFrame(nn.Module):
    """(b, t, 3, side, side) -> (b, dim): a picture backbone over every frame, then a pooling over time."""

    def __init__(self, picture: nn.Module, pool: nn.Module) -> None:
        super().__init__()
        self.picture = picture
        self.pool = pool

    def forward(self, clips: Tensor) -> Tensor:
        """(b, t, 3, side, side) -> (b, dim)."""
        rows = each_frame(self.picture, clips)
        pooled: Tensor = self.pool(rows)
        return pooled


def each_frame(picture: nn.Module, clips: Tensor) -> Tensor:
    """A picture backbone over every frame: (b, t, 3, side, side) -> (b, t, d); in a graph, only b is free."""
    frames, *pixels = map(int, clips.shape[1:])
    rows = picture(clips.reshape(-1, *pixels))
    return rows.reshape(-1, frames, int(rows.shape[1]))  # type: ignore[no-any-return]


class Mean(nn.Module):
    """(b, t, d) -> (b, d)."""

    def forward(self, rows: Tensor) -> Tensor:
        """Mean over time."""
        return rows.mean(dim=1)


class Attention(nn.Module):
    """A weighted mean over time, (b, t, d) -> (b, d), whose weights are learned from the rows.

    z = sum_k a_k h_k,  a = softmax_k(wᵀ tanh(V h_k)): Ilse, Tomczak & Welling 2018, "Attention-based deep multiple
    instance learning", ICML, eqs. 7 and 8.  The order of the frames does not matter.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.v = nn.Linear(dim, hidden, bias=False)
        self.w = nn.Linear(hidden, 1, bias=False)

    def weights(self, rows: Tensor) -> Tensor:
        """a: (b, t, d) -> (b, t), each row summing to 1."""
        scores: Tensor = self.w(self.v(rows).tanh())
        return scores.squeeze(-1).softmax(dim=1)

    def forward(self, rows: Tensor) -> Tensor:
        """z."""
        return (self.weights(rows).unsqueeze(-1) * rows).sum(dim=1)
