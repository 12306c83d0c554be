"""A rotation between two spaces learned from rows that are not paired, or from very few pairs.

A discriminator learns to tell carried rows of one space from rows of the other; the rotation learns to fool it. Where
the two spaces have the same shape (two encoders of one kind, two languages) the rotation that fools it is the right
one. Where they have not (a picture and a text space of unrelated encoders mostly have not) there is nothing to find,
and `Found.likeness` shows it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, leaky_relu, normalize

from duretrieval.align.affine import Affine
from duretrieval.align.moments import mean
from duretrieval.align.pairs import Rows, check_rows
from duretrieval.align.procrustes import Procrustes
from duretrieval.align.profiles import matched_profiles
from duretrieval.align.refine import Anchors, Turned, likeness, matched_axes, refine
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.similarity import unit
from duretrieval.types import Array, Floats

Progress = Callable[[str, int, int], None]
"""What is being done, how many of it are done, and how many there are."""
EARLY = 0.25
"""Share of the time after which no further start is refined before training."""
LIKENESS = 0.8
"""Below this a rotation found without pairs is refused; see `align.refine.likeness`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the rotations and their discriminators are trained.

    restarts: rotations that are trained side by side, each with its own discriminator; the best by the criterion is
    kept.  seconds: about how long it may take, the likeness on top; when they are over the steps end, and of what has
    been refined by then, one start at least, the best is kept.  smoothing: targets are this and 1 minus this.
    orthogonality: beta in W <- (1 + beta) W - beta W Wᵀ W after each step of W (eq. 7).  rows: of each side that the
    criterion and the refinement look at, drawn once.

    Raises:
        ConfigError: a number is out of its range.
    """

    restarts: int = 8
    steps: int = 1500
    seconds: float = 120.0
    batch: int = 128
    hidden: int = 64
    discriminator_steps: int = 4
    discriminator_lr: float = 5e-3
    rotation_lr: float = 0.03
    """Times 1 / d^½, the size of an element of a rotation."""
    smoothing: float = 0.1
    dropout: float = 0.1
    orthogonality: float = 0.01
    profiles: bool = True
    """Whether one start is that of matched profiles."""
    supervision: float = 1.0
    """Weight of 1 - cosine of the known pairs, where there are any."""
    rows: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("restarts", "batch", "hidden", "discriminator_steps", "rows"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.steps < 0:
            raise ConfigError(f"steps is {self.steps}; it must be 0 (refinement alone) or more")
        if not self.seconds > 0:
            raise ConfigError(f"seconds is {self.seconds:g}; it must be above 0")
        if not 0 <= self.smoothing < 0.5 or not 0 <= self.dropout < 1:
            raise ConfigError(
                f"smoothing is {self.smoothing:g} and dropout is {self.dropout:g}; the first must be from 0 to below "
                "0.5, the second from 0 to below 1"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What adversarial alignment found, and how far to trust it."""

    aligner: Procrustes
    """Carries x into the space of y; saved and loaded like any other."""
    criterion: float
    """Of the best restart: mean cosine with the nearest neighbour, see `align.refine.criterion`."""
    criteria: tuple[float, ...]
    """Of every restart that was refined, best first."""
    likeness: float
    """About 0 where it fits no better than random rotations do, about 1 where the two spaces have one shape; see
    `align.refine.likeness`."""
    steps: int
    """Of training that were done; fewer than those of the settings where the time was over."""


def adversarial(
    x: Rows,
    y: Rows,
    *,
    pairs: tuple[Rows, Rows] | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Found:
    """Align x (n, d_x) to y (m, d_y), whose rows are not paired: only the shapes of the two clouds are compared.

    max_W min_D: D's binary cross-entropy on W x and y, W near orthogonal (Conneau et al. 2018, "Word translation
    without parallel data", ICLR, eq. 3 to 7), from several starts; each start and what became of it is refined
    (`align.refine`), and the best by the unsupervised criterion is kept.

    pairs: (p, d_x) and (p, d_y), row i with row i: then also 1 - cosine of these is learned, they hold the refinement,
    and the criterion counts them.  progress: told of every start that is refined and of every step.

    Unlike the paper: the rows are centred and unit; Adam instead of SGD; starts are matched profiles of similarity and
    matched principal axes, some of them turned round (and, with pairs, Procrustes on them), since from random ones it
    hardly ever arrives; frequent words have no place of their own.

    Raises:
        ShapeError, ConfigError: rows or pairs nothing can be learned from.
    """
    settings = settings or Settings()
    check_rows("x", x)
    check_rows("y", y)
    mean_x, mean_y = mean(x), mean(y)
    anchors = _anchors(x, y, pairs, mean_x, mean_y)
    rng = np.random.default_rng(settings.seed)
    a, b = _centred(x, mean_x), _centred(y, mean_y)
    some = _drawn(a, settings.rows, rng), _drawn(b, settings.rows, rng)
    clock = _Clock(progress or _silent)
    starts = _starts(a, b, some if settings.profiles else None, anchors, settings.restarts, rng)
    early = settings.seconds * (EARLY if settings.steps else 1)
    refined = _refined(starts, len(starts), some, anchors, clock, early, "starts")
    cost = clock.spent / len(refined)  # of refining one, which what is learned needs as well
    until = max(settings.seconds / 2, settings.seconds - len(starts) * cost)
    learned, steps = _train(starts, a, b, anchors, settings, clock, until)
    taught = _refined(learned, len(learned), some, anchors, clock, settings.seconds, "learned rotations")
    results = _best_of_each(refined, taught)
    aligner = Procrustes(Affine(mean_x, results[0].rotation, mean_y))
    criteria = tuple(result.criterion for result in results)
    return Found(aligner, criteria[0], criteria, likeness(results[0].rotation, *some, rng), steps)


def _best_of_each(*found: list[Turned]) -> list[Turned]:
    """Of each start what it or its training came to, as far as it was refined, best first."""
    each = [[some[i] for some in found if i < len(some)] for i in range(max(map(len, found)))]
    return sorted((max(of_one, key=_criterion) for of_one in each), key=_criterion, reverse=True)


class _Clock:
    """Who waits is told what is done, and what takes time learns how much has gone."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._start = time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._start


def _refined(
    rotations: Iterable[Floats],
    total: int,
    rows: tuple[Array, Array],
    anchors: Anchors | None,
    clock: _Clock,
    until: float,
    what: str,
) -> list[Turned]:
    """The rotations refined, in their order: the first, and more while there is time."""
    found: list[Turned] = []
    for rotation in rotations:
        if found and clock.spent > until:
            break
        found.append(refine(rotation, *rows, anchors, late=lambda: clock.spent > until))
        clock.progress(f"adversarial alignment: {what} refined", len(found), total)
    return found


def _drawn(rows: Array, n: int, rng: np.random.Generator) -> Array:
    return rows[rng.permutation(len(rows))[:n]]


def _silent(what: str, done: int, total: int) -> None:
    pass


class Adversarial:
    """`adversarial` as a part that is fitted to pairs, of which it uses only the first few as such.

    What `fit` gives is a `Procrustes`, and is saved as one.
    """

    load = Procrustes.load

    @staticmethod
    def fit(x: Rows, y: Rows, *, pairs: int = 0, progress: Progress | None = None, **settings: float) -> Procrustes:
        """Fit to x (n, d_x) and y (m, d_y), the first `pairs` rows of which belong together.

        Raises:
            ShapeError, ConfigError: as `adversarial`; a setting that `Settings` does not have; or, without pairs, the
                rotation fits little better than a random one.
        """
        unknown = sorted(set(settings) - set(Settings.__dataclass_fields__))
        if unknown:
            raise ConfigError(f"no setting is called {unknown[0]!r}; there are {', '.join(Settings.__slots__)}")
        given = (x[:pairs], y[:pairs]) if pairs else None
        wanted = Settings(**settings)  # type: ignore[arg-type]
        found = adversarial(x, y, pairs=given, settings=wanted, progress=progress)
        if not pairs and found.likeness < LIKENESS:
            raise ConfigError(
                f"the best of {len(found.criteria)} rotations fits little better than a random one (likeness "
                f"{found.likeness:.2f}; it should be above {LIKENESS}); the two spaces probably differ in shape. Give "
                f"some pairs, or try more restarts and steps{_hurried(found, wanted)}"
            )
        return found.aligner


def _hurried(found: Found, settings: Settings) -> str:
    if found.steps == settings.steps:
        return ""
    return f"; after {settings.seconds:g} seconds it had done {found.steps} of {settings.steps} steps, so give it more"


def _centred(rows: Rows, centre: Floats) -> Array:
    return unit((rows - centre).astype(np.float32))


def _anchors(x: Rows, y: Rows, pairs: tuple[Rows, Rows] | None, mean_x: Floats, mean_y: Floats) -> Anchors | None:
    if pairs is None:
        return None
    given_x, given_y = pairs
    if len(given_x) != len(given_y) or given_x.shape[1:] != x.shape[1:] or given_y.shape[1:] != y.shape[1:]:
        raise ShapeError(
            f"expected pairs (p, {x.shape[1]}) and (p, {y.shape[1]}); got {given_x.shape} and {given_y.shape}"
        )
    return (_centred(given_x, mean_x), _centred(given_y, mean_y)) if len(given_x) else None


def _starts(
    a: Array, b: Array, some: tuple[Array, Array] | None, anchors: Anchors | None, n: int, rng: np.random.Generator
) -> Floats:
    """(n, d_x, d_y): by the anchors, if any; by the profiles of some rows; by the axes, some of them turned round."""
    starts = []
    if anchors is not None:
        u, _, vt = np.linalg.svd(anchors[0].T @ anchors[1], full_matrices=False)
        starts.append(u @ vt)
    if some is not None:
        starts.append(matched_profiles(*some))
    starts.append(matched_axes(a, b))
    starts += [matched_axes(a, b, rng) for _ in range(n - len(starts))]
    return np.stack(starts[:n])


def _train(
    starts: Floats, a: Array, b: Array, anchors: Anchors | None, settings: Settings, clock: _Clock, until: float
) -> tuple[list[Floats], int]:
    """The rotations after training, made orthogonal, and how many steps they had."""
    random = torch.Generator().manual_seed(settings.seed)
    rotations = torch.tensor(starts, dtype=torch.float32).requires_grad_()
    judge = _Discriminators(len(starts), b.shape[1], settings, random)
    optimizers = [
        torch.optim.Adam(judge.weights, lr=settings.discriminator_lr),
        torch.optim.Adam([rotations], lr=settings.rotation_lr / math.sqrt(b.shape[1]), betas=(0.5, 0.999)),
    ]
    schedules = [torch.optim.lr_scheduler.CosineAnnealingLR(o, max(settings.steps, 1)) for o in optimizers]
    sides = torch.from_numpy(a), torch.from_numpy(b)
    known = None if anchors is None else tuple(torch.from_numpy(rows) for rows in anchors)

    def drawn(rows: Tensor) -> Tensor:
        return rows[torch.randint(len(rows), (len(starts), settings.batch), generator=random)]

    done = 0
    for done in range(1, settings.steps + 1):
        for _ in range(settings.discriminator_steps):
            with torch.no_grad():
                carried = drawn(sides[0]) @ rotations
            _step(optimizers[0], judge.loss(carried, drawn(sides[1]), fooled=False))
        loss = judge.loss(drawn(sides[0]) @ rotations, drawn(sides[1]), fooled=True)
        if known is not None:
            cosines = torch.sum(normalize(known[0] @ rotations, dim=2) * known[1], dim=2)
            loss = loss + settings.supervision * (1 - cosines.mean(dim=1)).sum()
        _step(optimizers[1], loss)
        with torch.no_grad():
            w, beta = rotations, settings.orthogonality
            rotations.copy_((1 + beta) * w - beta * w @ w.transpose(1, 2) @ w)
        for schedule in schedules:
            schedule.step()
        clock.progress("adversarial alignment: steps", done, settings.steps)
        if clock.spent > until:
            break
    u, _, vt = np.linalg.svd(rotations.detach().numpy().astype(np.float64), full_matrices=False)
    return list(u @ vt) if done else [], done


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


class _Discriminators:
    """One perceptron with two hidden layers for each restart, all run at once; each has a loss of its own."""

    def __init__(self, n: int, dim: int, settings: Settings, random: torch.Generator) -> None:
        self.settings = settings
        self.random = random
        sizes = [dim, settings.hidden, settings.hidden, 1]
        self.weights: list[Tensor] = []
        for width, to in pairwise(sizes):
            bound = 1 / math.sqrt(width)
            weight = torch.rand(n, width, to, generator=random) * 2 * bound - bound
            self.weights += [weight.requires_grad_(), torch.zeros(n, 1, to, requires_grad=True)]

    def loss(self, carried: Tensor, true: Tensor, *, fooled: bool) -> Tensor:
        """Sum over the restarts of the mean cross-entropy of telling carried rows (r, b, d) from true ones.

        fooled: with the targets exchanged, which is what the rotations want.
        """
        low = self.settings.smoothing
        first, second = (low, 1 - low) if not fooled else (1 - low, low)
        targets = torch.cat([torch.full(carried.shape[:2], first), torch.full(true.shape[:2], second)], dim=1)
        logits = self._logits(torch.cat([carried, true], dim=1), drop=not fooled)
        return binary_cross_entropy_with_logits(logits, targets, reduction="sum") / targets.shape[1]

    def _logits(self, rows: Tensor, drop: bool) -> Tensor:
        if drop and self.settings.dropout:
            kept = torch.rand(rows.shape, generator=self.random) >= self.settings.dropout
            rows = rows * kept / (1 - self.settings.dropout)
        rows = rows * math.sqrt(rows.shape[2])  # components of about unit variance
        for weight, bias in zip(self.weights[::2], self.weights[1::2], strict=True):
            rows = rows @ weight + bias
            if weight is not self.weights[-2]:
                rows = leaky_relu(rows, 0.2)
        return rows[:, :, 0]


def _criterion(found: Turned) -> float:
    return found.criterion
