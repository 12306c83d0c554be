"""One row of training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from duretrieval.errors import ConfigError
from duretrieval.types import Modality, Part


@dataclass(frozen=True, slots=True)
class Sample:
    """What belongs together: columns of one row, some of which may be missing.

    A column is a name and a part: "text", "image", "title", "premise" ...; a part's content is a string, the path of
    a file, or (once read) an array, as `types.Part` says.
    """

    id: str
    columns: Mapping[str, Part]
    """column -> part; a column that this row lacks is not in it."""
    label: str | None = None
    """Its class, for losses and metrics of classification."""
    key: str = ""
    """Samples with the same key are positives of one another (copies, one caption for two pictures); "" is the id."""
    row: str = ""
    """The id of the row that it is one choice of, where that holds lists; "" is its own."""
    group: str = ""
    """Samples of one group never straddle a split (a person, a film, a shoot); "" is none."""
    split: str | None = None
    """train, val or test, where the data says so itself."""
    negatives: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    """column -> what could stand there, and does not belong to the others: hard negatives of this row."""
    score: float | None = None
    """How far its columns belong together, from 0 to 1; None: they do."""

    related: tuple[tuple[str, str], ...] = ()
    """(kind, id) of the rows that this one is related to; the others know it without saying so."""

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Each part with its column, those of `negatives` too."""
        yield from self.columns.items()
        for column, parts in self.negatives.items():
            for part in parts:
                yield column, part


def columns_of(samples: Sequence[Sample]) -> dict[str, Modality]:
    """Every column, in order of appearance.

    Raises:
        ConfigError: one is of several modalities.
    """
    found: dict[str, Modality] = {}
    for sample in samples:
        for name, part in sample.columns.items():
            if found.setdefault(name, part.modality) is not part.modality:
                raise ConfigError(
                    f"the column {name!r} is {found[name]} in some rows and {part.modality} in row {sample.id}; "
                    "a column has one modality"
                )
    return found
