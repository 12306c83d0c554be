"""The published sizes of convolutional networks for sounds, and their weights."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from duretrieval.errors import ModelError
from duretrieval.training.nets.audio.cnn import Cnn

NOT_OURS = ("spectrogram_extractor.", "logmel_extractor.", "fc_audioset.")
"""Parts of a published checkpoint that this network computes itself (the front end) or ends before (the classifier)."""


def cnn6(*, weights: str | Path | None = None, **sizes: Any) -> Cnn:
    """Four blocks of one 5x5 convolution, 512-d (Kong et al. 2020, table 1).

    weights: a published checkpoint; None trains from scratch.  sizes: options of `Cnn` to have otherwise.

    Raises:
        ModelError: as `load_published`.
    """
    return _with_weights(Cnn(**{"widths": (64, 128, 256, 512), "kernel": 5, "dim": 512, **sizes}), weights)


def cnn10(*, weights: str | Path | None = None, **sizes: Any) -> Cnn:
    """Four blocks of two 3x3 convolutions, 512-d; options as `cnn6`."""
    return _with_weights(Cnn(**{"widths": (64, 128, 256, 512), "kernel": 3, "dim": 512, **sizes}), weights)


def cnn14(*, weights: str | Path | None = None, **sizes: Any) -> Cnn:
    """Six blocks of two 3x3 convolutions, 2048-d; options as `cnn6`."""
    widths = (64, 128, 256, 512, 1024, 2048)
    return _with_weights(Cnn(**{"widths": widths, "kernel": 3, "dim": 2048, **sizes}), weights)


def load_published(net: Cnn, file: Path) -> None:
    """Fill a network with the weights of a checkpoint in the published form: {"model": state_dict}.

    Its front end must be the one the weights were trained with: the sample rate is in the checkpoint's name or 32 kHz.

    Raises:
        ModelError: the file is not a checkpoint, or of a network of other sizes.
    """
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise ModelError(f"{file} cannot be read as a checkpoint: {error}") from error
    if not isinstance(content, dict) or "model" not in content:
        raise ModelError(f"{file} is not a published checkpoint: it holds no 'model'")
    state = {key: value for key, value in content["model"].items() if not key.startswith(NOT_OURS)}
    ours = net.state_dict()
    for key in sorted(ours.keys() | state.keys()):
        there, here = (tuple(each[key].shape) if key in each else "missing" for each in (state, ours))
        if there != here:
            raise ModelError(
                f"{file} is a checkpoint of another network: {key} is {there} there and {here} here; "
                "take the function and the sizes of the checkpoint's name"
            )
    net.load_state_dict(state)


def _with_weights(net: Cnn, weights: str | Path | None) -> Cnn:
    if weights is not None:
        load_published(net, Path(weights))
    return net
