"""One step of a loss, forward and backward from the rows, against the same loss of pytorch-metric-learning.

The same rows, one direction, each row's partner its only positive; one core. Where the two define the same number they
must agree on it before anything is timed. `infonce` has two counterparts: NTXentLoss, which is that loss, and
SupConLoss, which is the same with one positive and does not list the pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import interleaved, write

SIZES, DIM = (64, 512), 256
SECONDS = 3.0
"""About how long a comparison takes turns: at least 5, at most 101."""
Step = Callable[[Tensor, Tensor], Tensor]


def pairs_of(n: int) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    a = torch.randn(n, DIM, generator=draw)
    return a.requires_grad_(), (a.detach() + torch.randn(n, DIM, generator=draw)).requires_grad_()


def contestants(n: int) -> dict[str, tuple[Step, dict[str, Step], bool]]:
    """Ours, theirs, and whether both are one number."""
    from pytorch_metric_learning import losses as theirs
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.reducers import MeanReducer

    from duretrieval.training.losses.contrastive import Contrastive
    from duretrieval.training.losses.infonce import InfoNce
    from duretrieval.training.losses.smooth_ap import SmoothAp
    from duretrieval.training.losses.triplet import Triplet
    from duretrieval.training.nets.score.cosine import Cosine

    score, same, labels = Cosine(), torch.eye(n, dtype=torch.bool), torch.arange(n)

    def ours(loss: Any) -> Step:
        return lambda a, b: loss(score(a, b), same)

    def other(loss: Any) -> Step:
        others = labels.clone()  # of one tensor it takes rows to be compared with themselves, and drops the diagonal
        return lambda a, b: loss(a, labels, ref_emb=b, ref_labels=others)

    found: dict[str, tuple[Step, dict[str, Step], bool]] = {
        "infonce": (
            ours(InfoNce(0.1)),
            {"NTXentLoss": other(theirs.NTXentLoss(0.1)), "SupConLoss": other(theirs.SupConLoss(0.1))},
            True,
        ),
        "triplet, all": (
            ours(Triplet(0.2, "all")),
            {"TripletMarginLoss": other(theirs.TripletMarginLoss(0.2, distance=LpDistance(), reducer=MeanReducer()))},
            True,
        ),
        "contrastive": (ours(Contrastive()), {"ContrastiveLoss": other(theirs.ContrastiveLoss())}, False),
    }
    if n == 64:  # it holds n³ numbers several times, and needs as many classes as rows of each
        classes = torch.arange(n) // 8
        alike = classes[:, None] == classes
        smooth, loss = SmoothAp(), theirs.SmoothAPLoss()
        found["smooth-ap, 8 classes of 8"] = (
            lambda a, b: smooth(score(a, a), alike),
            {"SmoothAPLoss": lambda a, b: loss(a, classes)},
            True,
        )
    return found


def measured(n: int) -> dict[str, dict[str, float]]:
    """loss and counterpart -> milliseconds of both and their ratio.

    Raises:
        SystemExit: two that are one number are not.
    """
    a, b = pairs_of(n)

    def step(of: Step) -> None:
        a.grad = b.grad = None
        of(a, b).backward()

    figures = {}
    for name, (ours, others, equal) in contestants(n).items():
        for counterpart, other in others.items():
            values = [of(a, b).item() for of in (ours, other)]
            if equal and abs(values[0] - values[1]) > 1e-4 * abs(values[1]):
                raise SystemExit(f"{name} is {values[0]}, {counterpart} {values[1]}")
            turns = {"ours": lambda ours=ours: step(ours), "theirs": lambda other=other: step(other)}
            once = sum(interleaved(turns, 1).values())
            seconds = interleaved(turns, min(101, max(5, round(SECONDS / once))))
            figures[f"{name} | {counterpart}"] = {
                "ours_ms": round(1000 * seconds["ours"], 2),
                "theirs_ms": round(1000 * seconds["theirs"], 2),
                "ratio": round(seconds["theirs"] / seconds["ours"], 1),
            }
    return figures


def main() -> None:
    """Measure, and write results/losses.json and .md."""
    torch.set_num_threads(1)
    figures = {n: measured(n) for n in SIZES}
    lines = ["| rows | ours | theirs | ours, ms | theirs, ms | theirs / ours |", "|--:|---|---|--:|--:|--:|"]
    for n, found in figures.items():
        for names, f in found.items():
            lines.append(f"| {n} | {names} | {f['ours_ms']:.2f} | {f['theirs_ms']:.2f} | {f['ratio']:.1f} |")
    lines += [
        "",
        f"Rows of {DIM} numbers, forward and backward, one core, medians of turns in one run. "
        "`contrastive` is not one number with its counterpart, which does not square.",
    ]
    write("losses", "A step of a loss, against pytorch-metric-learning", {"steps": figures}, "\n".join(lines))


if __name__ == "__main__":
    main()
