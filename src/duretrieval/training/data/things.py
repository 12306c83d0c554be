"""What rows hold in their views, each thing once, and which things belong together; said without torch."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from duretrieval.evaluation.labels.together import MATCH, Right, Together, bonds, thing
from duretrieval.training.data.sample import Sample
from duretrieval.types import Ints

NOTHING = -1
"""The thing of a row that lacks the view."""


def things_of(
    samples: Sequence[Sample],
    views: Mapping[str, Sequence[str]],
    present: Mapping[str, Sequence[bool]],
    names: Sequence[str],
) -> tuple[dict[str, Ints], Together]:
    """view -> (n,) the number of what each row holds there, `NOTHING` where it lacks it; and what belongs together.

    samples: the last of which may be negatives of others: what binds them is theirs alone.
    views: columns of each.  present: column -> whether row i can be used there.  names: what makes rows belong
    together, as `POSITIVES`.  Of a row whose score is below `MATCH` nothing does.
    """
    number: dict[Hashable, int] = {}
    things: dict[str, list[int]] = {view: [] for view in views}
    pairs: list[tuple[int, tuple[Hashable, ...]]] = []
    for row, sample in enumerate(samples):
        where = sample.row or row
        known = {
            c: (p.modality, thing(p.content, names, where), p.start_s, p.end_s)
            for c, p in sample.columns.items()
            if c in present and present[c][row]
        }
        binding = bonds(where, sample.key, sample.label, names)
        for view, columns in views.items():
            held = tuple(known[c] for c in columns if c in known)
            if not held:
                things[view].append(NOTHING)
                continue
            things[view].append(one := number.setdefault(held, len(number)))
            apart = sample.score is not None and sample.score < MATCH
            pairs.append((one, (("row", row, view),) if apart else binding))
    held_by = {view: np.array(held, dtype=np.int64) for view, held in things.items()}
    return held_by, Together.of(pairs, len(number))


def sides(together: Together, rows: Ints, asking: Ints, among: Ints, searched: Ints) -> tuple[Ints, Ints, Right]:
    """Rows that ask, rows that are searched, and of each that asks the places of what is right among these.

    rows: (q,) those that have the view that asks, and asking: (q,) what they hold there.  among, searched: (n,) the
    same of the view that is searched.  What several rows hold asks once and is found once, in its first row; what has
    nothing right does not ask.
    """
    first, found_once = once(asking), once(searched)
    right = together.right(asking[first], searched[found_once])
    has = right.any()
    return rows[first][has], among[found_once], right.only(has)


def once(things: Ints) -> Ints:
    """The place of each thing, the first where it stands in several; in order."""
    places: dict[int, int] = {}
    for place, held in enumerate(things.tolist()):
        places.setdefault(held, place)
    return np.array(list(places.values()), dtype=np.int64)
