"""What one would otherwise reach for, on the same rows: each gives unit rows of the test's texts and pictures.

Linear: scikit-learn's PLS and CCA.  Learned: the loss of sentence-transformers (MultipleNegativesRankingLoss), of
pytorch-metric-learning (SupConLoss), or the symmetric cross-entropy of CLIP with a learned scale, as
open_clip has it, under either of two pairs of heads: two perceptrons (hidden 512), or the very head of the recipe, what
the names of the classes say beside a perceptron.  All learned ones have the same steps, batches, optimiser, schedule
and choice of the best epoch by the validation rows as ours; the linear ones get the vectors of the class names as
further columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from benchmarks.frozen import RECIPE, learned_from, rows, tested_on
from duretrieval.similarity import unit
from duretrieval.training.data.batch import View
from duretrieval.training.data.positives import Positives
from duretrieval.training.fit.validation import retrieval
from duretrieval.training.nets.class_names import ClassNames
from duretrieval.types import Array, Modality

Rows = tuple[Array, Array]
"""(q, d) texts and (n, d) pictures of the test, unit."""
Heads = Callable[[], nn.ModuleDict]
PairLoss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(n, d), (n, d) unit rows and (n,) keys of a batch -> scalar"""
COMPONENTS = 64
DIM = 384


def pairs(split: str) -> tuple[Tensor, Tensor, Tensor]:
    """Texts (n, 384), pictures (n, 2280) and keys (n,) of the rows that have both."""
    (text, told), (image, seen) = rows(split, "text"), rows(split, "image")
    both = told & seen
    return text[both], image[both], learned_from().rows[split].keys[both]


def by_pls(seed: int) -> Rows:
    """Partial least squares by SVD, which is what scikit-learn has that takes 2,280 columns in seconds."""
    from sklearn.cross_decomposition import PLSSVD

    text, image, _ = pairs("train")
    model = PLSSVD(n_components=COMPONENTS).fit(text.numpy(), beside_names(image))
    return _projected(model)


def by_cca(seed: int) -> Rows:
    """Canonical correlations by scikit-learn, on the 256 principal components of the pictures."""
    from sklearn.cross_decomposition import CCA
    from sklearn.decomposition import PCA

    text, image, _ = pairs("train")
    pca = PCA(256, random_state=seed).fit(beside_names(image))
    model = CCA(n_components=COMPONENTS, max_iter=100, tol=1e-4).fit(text.numpy(), pca.transform(beside_names(image)))
    return _projected(model, pca.transform)


def beside_names(image: Tensor) -> Array:
    """(n, 2280) -> (n, 2280 + 384): the rows of pictures with what the names of their classes say."""
    with torch.inference_mode():
        named = names_head().named(image[:, -1000:])
    return torch.cat([image, named], dim=1).numpy()


def _projected(model: object, before: Callable[[Array], Array] = lambda rows: rows) -> Rows:
    data = tested_on()
    size, image = max(len(data.text), len(data.image)), before(beside_names(torch.from_numpy(data.image)))
    padded = [np.concatenate([r, np.repeat(r[:1], size - len(r), 0)]) for r in (data.text, image)]
    x, y = model.transform(*padded)  # type: ignore[attr-defined]
    return unit(x[: len(data.text)].astype(np.float32)), unit(y[: len(data.image)].astype(np.float32))


def mnrl_of() -> PairLoss:
    """sentence-transformers' MultipleNegativesRankingLoss, with its own scale of 20."""
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    class Given(nn.Module):
        def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
            return features

    loss = MultipleNegativesRankingLoss(Given())
    return lambda a, b, keys: loss([{"sentence_embedding": a}, {"sentence_embedding": b}], None)


def supcon_of() -> PairLoss:
    """pytorch-metric-learning's SupConLoss, which knows keys and is NTXentLoss where each row has one partner."""
    from pytorch_metric_learning.losses import SupConLoss

    loss = SupConLoss(temperature=0.07)

    def both(a: Tensor, b: Tensor, keys: Tensor) -> Tensor:
        forward = loss(a, keys, ref_emb=b, ref_labels=keys.clone())
        both: Tensor = (forward + loss(b, keys, ref_emb=a, ref_labels=keys.clone())) / 2
        return both

    return both


def clip_of(*, masked: bool = False) -> tuple[PairLoss, list[nn.Parameter]]:
    """The symmetric cross-entropy of CLIP with a learned scale.

    masked: without the other pairs of one key, which is our InfoNCE.
    """
    scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def loss(a: Tensor, b: Tensor, keys: Tensor) -> Tensor:
        scores = a @ b.T * scale.exp().clamp(max=100)
        partner = torch.arange(len(a))
        if masked:
            same = (keys[:, None] == keys[None, :]).fill_diagonal_(False)
            scores = scores.masked_fill(same, -math.inf)
        return (cross_entropy(scores, partner) + cross_entropy(scores.T, partner)) / 2

    return loss, [scale]


def perceptrons() -> nn.ModuleDict:
    """The heads of `mlp` in a recipe, written in plain PyTorch."""

    def perceptron(width: int) -> nn.Module:
        hidden = 512
        return nn.Sequential(
            nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(0.1), nn.Linear(hidden, DIM)
        )

    return nn.ModuleDict({"text": perceptron(384), "image": perceptron(2280)})


def names_head() -> ClassNames:
    """The recipe's head of pictures."""
    return ClassNames(2280, DIM, Modality.IMAGE)


def class_names() -> nn.ModuleDict:
    """The heads of the recipe: words stay where they are."""
    return nn.ModuleDict({"text": nn.Identity(), "image": names_head()})


def learned(made: Heads, loss: PairLoss, seed: int, parameters: list[nn.Parameter] | None = None) -> Rows:
    """Heads by a plain loop, the best epoch by the validation rows."""
    torch.manual_seed(seed)
    heads = made()
    kept, best = {}, -1.0
    text, image, keys = pairs("val")
    for _ in epochs(heads, loss, seed, parameters or []):
        with torch.inference_mode():
            views = {"text": (text, heads["text"]), "image": (image, heads["image"])}
            seen = {
                n: View(normalize(h(r), dim=1), torch.ones(len(r), dtype=torch.bool)) for n, (r, h) in views.items()
            }
        found = retrieval(seen, Positives.of_keys(keys), ["rr"])
        value = float(np.mean([figures["rr"] for figures in found.values()]))
        if value > best:
            best, kept = value, {name: value.clone() for name, value in heads.state_dict().items()}
    heads.load_state_dict(kept)
    heads.eval()
    data = tested_on()
    with torch.inference_mode():
        rows_of = (heads["text"](torch.from_numpy(data.text)), heads["image"](torch.from_numpy(data.image)))
    return unit(rows_of[0].numpy()), unit(rows_of[1].numpy())


def epochs(heads: nn.ModuleDict, loss: PairLoss, seed: int, parameters: list[nn.Parameter]):  # type: ignore[no-untyped-def]
    """Train; gives the number of each epoch that is over, the heads in evaluation mode."""
    fit = RECIPE["fit"]
    text, image, keys = pairs("train")
    order = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW([*heads.parameters(), *parameters], lr=fit["lr"], weight_decay=1e-4, fused=True)  # type: ignore[index]
    steps = fit["epochs"] * (len(text) // fit["batch"])  # type: ignore[index]
    warm = max(1, round(0.05 * steps))
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda s: (s + 1) / warm if s < warm else 0.5 * (1 + math.cos(math.pi * (s - warm) / max(1, steps - warm))),
    )
    for epoch in range(fit["epochs"]):  # type: ignore[index]
        heads.train()
        places = order.permutation(len(text))
        for start in range(0, len(places) - fit["batch"] + 1, fit["batch"]):  # type: ignore[index]
            at = torch.from_numpy(places[start : start + fit["batch"]])  # type: ignore[index]
            a, b = normalize(heads["text"](text[at]), dim=1), normalize(heads["image"](image[at]), dim=1)
            value = loss(a, b, keys[at])
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(heads.parameters(), 1.0)
            optimizer.step()
            rate.step()
        heads.eval()
        yield epoch
