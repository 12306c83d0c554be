"""What a classifier's class names already say, and what pairs add to it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from duretrieval import builtin
from duretrieval.align.conse import Conse
from duretrieval.errors import ConfigError
from duretrieval.training.nets.heads import Head, Mlp
from duretrieval.types import Modality

FILES = {
    Modality.IMAGE: "imagenet.safetensors",
    Modality.VIDEO: "imagenet.safetensors",
    Modality.AUDIO: "audioset.safetensors",
}
TOP, TEMPERATURE = 50, 2.0
SMALLEST = 1e-12


class ClassNames(Head):
    """f(x) = conse(p) + weight unit(mlp([u; conse(p)])), u features and p class scores of one classifier.

    conse(p) = unit(sum over the `top` most probable classes of p_c^(1/temperature) s(c)), s(c) the vector of the
    class's name (Norouzi et al. 2014, eq. 2; `align.conse`), needs no pair and holds wherever the classifier does;
    what pairs teach is finer, and drifts where the pairs are unlike what is searched. Their sum is better than either
    (`benchmarks/training.py`). In training f(x) is the perceptron alone, so that it does not lean on the names.

    Rows x are [u; p] side by side, as `builtin-image-both` and `builtin-audio-both` make them; dim must be the length
    of s(c).  class_vectors: a .safetensors file of `Conse.save`; None is the built-in one of the modality.

    Raises:
        ConfigError: the modality has no built-in classes, or the widths do not fit.
    """

    vectors: Tensor

    def __init__(
        self,
        dim_in: int,
        dim: int,
        modality: Modality,
        *,
        class_vectors: Path | str | None = None,
        hidden: int = 1024,
        depth: int = 1,
        dropout: float = 0.2,
        norm: bool = True,
        weight: float = 2.0,
    ) -> None:
        super().__init__(dim_in, dim)
        if class_vectors is None and modality not in FILES:
            raise ConfigError(f"there are no built-in class names for {modality}; give class_vectors, or use 'mlp'")
        file = Path(class_vectors) if class_vectors is not None else builtin.FOLDER / FILES[modality]
        conse = Conse.load(file.parent, file=file.name, top=1, temperature=1.0)
        classes = len(conse.class_vectors)
        if conse.dim != dim or dim_in <= classes:
            raise ConfigError(
                f"the class names are {classes} vectors of length {conse.dim}, which rows of {dim_in} for a shared "
                f"space of {dim} do not fit; set dim = {conse.dim} and use an encoder that gives features and class "
                "scores, such as 'builtin-image-both'"
            )
        self.features = dim_in - classes
        self.top = min(TOP, classes)
        self.weight = weight
        self.register_buffer("vectors", torch.from_numpy(conse.class_vectors.copy()))
        self.mlp = Mlp(self.features + dim, dim, hidden=hidden, depth=depth, dropout=dropout, norm=norm)

    def forward(self, vectors: Tensor) -> Tensor:
        """(b, dim_in) -> (b, dim)."""
        features = normalize(vectors[:, : self.features], dim=1)
        named = self.named(vectors[:, self.features :])
        learned: Tensor = normalize(self.mlp(torch.cat([features, named], dim=1)), dim=1)
        return learned if self.training else named + self.weight * learned

    def named(self, scores: Tensor) -> Tensor:
        """(b, c) class scores >= 0, of any sum -> (b, dim) unit rows."""
        p = scores.clamp_min(SMALLEST)
        flat = (p / p.sum(dim=1, keepdim=True)) ** (1 / TEMPERATURE)
        least = flat.topk(self.top, dim=1).values[:, -1:]
        return normalize((flat * (flat >= least)) @ self.vectors, dim=1)
