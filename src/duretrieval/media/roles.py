"""What the columns of a manifest are: one table of names, and what is said of others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

from duretrieval.errors import ConfigError
from duretrieval.media.cells import BLANK, clean, normal
from duretrieval.media.tables import headings
from duretrieval.plugins import suggest
from duretrieval.types import MEDIA, Modality

Role = Literal[
    "id", "name", "text", "image", "video", "audio", "file", "vector",
    "label", "key", "group", "split", "start", "end", "score", "negative", "related", "field", "ignore",
]  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)
NAMES: Mapping[str, Role] = {
    "id": "id",
    "name": "name",
    **dict.fromkeys(("text", "texts", "title", "caption", "captions", "description", "query"), "text"),
    **dict.fromkeys(("image", "images"), "image"),
    **dict.fromkeys(("video", "videos"), "video"),
    **dict.fromkeys(("audio", "audios"), "audio"),
    **dict.fromkeys(("file", "files"), "file"),
    **dict.fromkeys(("label", "class"), "label"),
    **{f"{modality}_vector": "vector" for modality in MEDIA},
    "key": "key",
    "group": "group",
    "split": "split",
    **dict.fromkeys(("start", "start_s"), "start"),
    **dict.fromkeys(("end", "end_s"), "end"),
    **dict.fromkeys(("negative", "negatives"), "negative"),
    "related": "related",
}
"""What a column is when nothing else is said, by its name as `cells.normal` has it; every other one is a field."""
FILES: Mapping[str, Modality | None] = {
    "image": Modality.IMAGE,
    "video": Modality.VIDEO,
    "audio": Modality.AUDIO,
    "file": None,
}
"""What the files of a column hold; None: each says so by its content."""
FACTS: tuple[Role, ...] = ("label", "key", "group", "split", "start", "end", "score")
"""What training asks of a row; in a collection they are fields."""
_SEVERAL = ("text", *FILES, "vector", "negative", "related", "field", "ignore")
_MORE = ("vector", "negative", "score", "related")
"""Of which something may be said after a colon."""
_NUMBERED = re.compile(r"(negatives?)[_ -]?\d+")
"""negative_1, negative_2: how tables for sentence encoders write several."""


class Roles:
    """The role of every column, by its name.

    columns: what columns are that are not called as in `NAMES`, or are something else here.  "negative:caption" is what
    could stand in the column `caption` and does not belong to the row, "score:5" a score from 0 to 5, "vector:video" a
    vector of a film, "related:series" ids of rows that are related by that kind.

    Raises:
        ConfigError: it is no table, or a role does not exist.
    """

    def __init__(self, columns: Mapping[str, str] | None = None) -> None:
        if not isinstance(columns, Mapping | None):
            raise ConfigError(f"columns is {columns!r}; it must be a table, such as columns = {{ name = 'text' }}")
        self._said: dict[str, Role] = {}
        self._more: dict[str, str] = {}
        for column, said in (columns or {}).items():
            role, _, more = str(said).partition(":")
            if role not in ROLES or (more and role not in _MORE):
                raise ConfigError(
                    f"column '{column}' cannot be {said!r}.{suggest(role, list(ROLES))} "
                    f"The roles are: {', '.join(ROLES)}"
                )
            if role == "vector" and more not in MEDIA:
                raise ConfigError(
                    f"column '{column}' cannot be {said!r}: say of what its vectors are, with one of "
                    + ", ".join(f"vector:{modality}" for modality in MEDIA)
                )
            self._said[normal(column)] = role
            if more:
                self._more[normal(column)] = more
        self._columns = {normal(column): column for column in columns or {}}
        self._taken = {role for role in self._said.values() if role not in _SEVERAL}
        self._known: dict[str, tuple[str, Role]] = {}

    def __call__(self, column: str) -> tuple[str, Role]:
        """What a column is called where rows are used, and what it is.

        A name of `NAMES` is called as it is there, however it is written.  Where a column is said to be the id (the
        label ...), none is by its name alone.
        """
        if column not in self._known:
            name = normal(column)
            role = self._said.get(name) or NAMES.get(_NUMBERED.sub(r"\1", name), "field")
            if name not in self._said and role in self._taken:
                role = "field"
            self._known[column] = (name if name in NAMES else clean(column).strip(BLANK), role)
        return self._known[column]

    def more(self, column: str) -> str:
        """What follows the role of a column: "text" of "negative:text", "5" of "score:5"; else nothing.

        Of a vector, what it is of: "video", of a column `video_vector` too.
        """
        name = normal(column)
        return self._more.get(name, name.removesuffix("_vector") if self(column)[1] == "vector" else "")

    def check(self, there: Iterable[str], where: str) -> None:
        """Hold what was said against the columns there are.

        Raises:
            ConfigError: no column is called so.
        """
        have = list(dict.fromkeys(there))
        known = {normal(column) for column in have}
        if strange := [column for name, column in self._columns.items() if name not in known]:
            raise ConfigError(
                f"{where} has no column '{strange[0]}'.{suggest(strange[0], have)} Its columns are: "
                f"{', '.join(have) or 'none'}"
            )

    def check_files(self, paths: Iterable[Path]) -> None:
        """The same of manifests: each column is one of any of them; nothing is read where nothing was said.

        Raises:
            ConfigError: as `check`, or one of them is no manifest.
        """
        if not self._columns:
            return
        paths = list(paths)
        there = [column for path in paths for column in headings(path, self._columns)]
        self.check(there, " and ".join(map(str, paths)))
