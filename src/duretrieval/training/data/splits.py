"""Training, validation and test sets that share nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from duretrieval.errors import ConfigError
from duretrieval.training.data.components import components
from duretrieval.training.data.identity import STABLE, Identity, identify
from duretrieval.training.data.read import SPLITS
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.recipe import RADIUS

SHARES: Mapping[str, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
GIANT = 0.1
"""Share of all samples from which on a component is worth a note."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Samples that are one thing, which the data itself puts in several splits."""

    splits: Mapping[str, tuple[str, ...]]
    """split -> ids of the samples that the data puts there."""
    ties: tuple[str, ...]
    """What they have in common, the most frequent first, as far as it is not only how their pictures look."""

    def __str__(self) -> str:
        there = "; ".join(f"{name}: {_few(ids)}" for name, ids in self.splits.items())
        tied = f" ({_few(self.ties)})" if self.ties else " (their pictures look alike)"
        return f"one thing{tied} is in several splits: {there}"


@dataclass(frozen=True, slots=True)
class Splits:
    """Three sets of samples, each sample with its `split` filled in, in the order in which they were given."""

    train: tuple[Sample, ...]
    val: tuple[Sample, ...]
    test: tuple[Sample, ...]
    components: int = 0
    """How many things there are: samples that are tied together count once."""
    contradictions: tuple[Contradiction, ...] = ()
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> tuple[Sample, ...]:
        return {"train": self.train, "val": self.val, "test": self.test}[name]


def split(
    samples: Sequence[Sample],
    shares: Mapping[str, float] = SHARES,
    seed: int = 0,
    *,
    radius: int = RADIUS,
    identities: Sequence[Identity] | None = None,
) -> Splits:
    """Cut samples in three so that nothing of one is in another.

    Samples with a file, text, key or group in common, or pictures that look alike, form a component (`components`);
    a component goes where the data puts any of its samples, or else where a hash of its content and `seed` says.  So
    the result is the same on every machine and in any order, adding samples moves no other component, and shares are
    kept as well as chance keeps them.  Samples that the data puts in a split stay there even where that
    contradicts itself: `contradictions` lists what is then in several.  Samples of such a
    component that the data puts nowhere go to the first of test, val, train that the component has.

    identities: what `identify(samples)` gave; None: it is asked, which opens every file.  radius: of near-duplicates
    in bits; -1: looks do not count.

    Raises:
        ConfigError: shares that are not of train, val and test, are negative or do not sum to 1; or a sample is in
            another split.
    """
    _check(shares)
    if strange := [sample for sample in samples if sample.split not in (*SPLITS, None)]:
        raise ConfigError(
            f"row {strange[0].id!r} is in the split {strange[0].split!r}; the splits are {', '.join(SPLITS)}, or None"
        )
    known = identify(samples, near=radius >= 0) if identities is None else identities
    if len(known) != len(samples):
        raise ConfigError(f"{len(known)} identities for {len(samples)} samples; give those that `identify` gave them")
    found = components(known, radius)
    placed: list[Sample] = list(samples)
    contradictions = []
    for members in found:
        given = {said for i in members if (said := samples[i].split) is not None}
        if len(given) > 1:
            contradictions.append(_contradiction(members, samples, known))
        rest = next((name for name in reversed(SPLITS) if name in given), None) or _drawn(members, known, shares, seed)
        for i in members:
            placed[i] = replace(samples[i], split=samples[i].split or rest)
    sets = [tuple(sample for sample in placed if sample.split == name) for name in SPLITS]
    notes = tuple(_notes(found, known, sets, shares, radius))
    return Splits(sets[0], sets[1], sets[2], len(found), tuple(contradictions), notes)


def _check(shares: Mapping[str, float]) -> None:
    if strange := [name for name in shares if name not in SPLITS]:
        raise ConfigError(f"there is no split {strange[0]!r}; the shares are of {', '.join(SPLITS)}")
    if any(share < 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
        said = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        raise ConfigError(f"the shares ({said}) must be 0 or more and sum to 1")


def _drawn(members: Sequence[int], known: Sequence[Identity], shares: Mapping[str, float], seed: int) -> str:
    """The split of a component: its smallest hash, a number in [0, 1), falls in the stretch of one of the shares."""
    ties = {tie for i in members for tie in known[i].ties}
    looks = {code.hex() for i in members for code in known[i].looks}
    stable = [tie for tie in ties if tie.partition(":")[0] in STABLE] or ties or looks
    lowest = min(hashlib.blake2b(f"{seed} {tie}".encode(), digest_size=8).digest() for tie in stable)
    # the smallest of many hashes is small: hash it once more, so that large components fall everywhere
    at = int.from_bytes(hashlib.blake2b(lowest, digest_size=7).digest()) / 2**56
    for name in SPLITS:
        at -= shares.get(name, 0.0)
        if at < 0:
            return name
    return next(name for name in reversed(SPLITS) if shares.get(name, 0.0) > 0)


def _contradiction(members: Sequence[int], samples: Sequence[Sample], known: Sequence[Identity]) -> Contradiction:
    there = {name: tuple(samples[i].id for i in members if samples[i].split == name) for name in SPLITS}
    return Contradiction({name: ids for name, ids in there.items() if ids}, _shared(members, known))


def _shared(members: Sequence[int], known: Sequence[Identity]) -> tuple[str, ...]:
    counts = Counter(tie for i in members for tie in known[i].ties)
    return tuple(tie for tie, count in counts.most_common() if count > 1)


def _notes(
    found: Sequence[Sequence[int]],
    known: Sequence[Identity],
    sets: Sequence[Sequence[Sample]],
    shares: Mapping[str, float],
    radius: int,
) -> Iterator[str]:
    largest = max(found, key=len, default=[])
    if len(largest) > max(GIANT * len(known), 1):
        tied = _few(_shared(largest, known)[:3]) or "how their pictures look"
        looks = f", or a smaller radius for pictures that look alike (radius = {radius} now)" if radius >= 0 else ""
        yield (
            f"{len(largest):,} of {len(known):,} samples hang together, by {tied}. Where that does not make them one "
            f"thing, name the columns whose texts do (texts = [...]){looks}; in a recipe, under [data]"
        )
    for name, held in zip(SPLITS, sets, strict=True):
        if known and not held and shares.get(name, 0) > 0:
            yield f"no sample fell into {name}: there are {len(found):,} things for a share of {shares[name]:g}"


def _few(words: Sequence[str], most: int = 5) -> str:
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more
