"""What a model may hold: one table, which `Model`'s constructor, `load` and `save` read.

A new kind of part is a row here, and an argument and an attribute of `Model`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duretrieval import plugins
from duretrieval.errors import DuretrievalError, ModelError
from duretrieval.fuse import background as backgrounds
from duretrieval.model.card import modality_named
from duretrieval.model.files import check, check_for
from duretrieval.types import Modality


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a model for a part, or for a part of every modality."""

    key: str
    """Its name in model.toml, and among the arguments of `Model`."""
    kind: str
    """The kind that its parts are found under by name (`plugins`); "": it is a file and no part."""
    each: bool = False
    """Whether there is one for every modality; modalities may share one."""
    files: str = ""
    """What the names of its files begin with."""
    made: str = "dim"
    """An attribute that what belongs here has, and a function that is to make it has not; "": it is always such one."""
    check: Callable[[str, int, Iterable[Modality], Any], None] | None = None
    """(the model's name and dim, what it encodes, the part): raises ModelError where they do not go together."""


def _goes_with(name: str, dim: int, encoded: Iterable[Modality], fusion: Any) -> None:
    if fusion.dim != dim:
        raise ModelError(
            f"model {name!r} has {dim} dimensions and its fusion {fusion.dim}, but wholes and parts lie in one space; "
            f"train a fusion of dim {dim}"
        )
    if unknown := sorted(set(encoded) - set(fusion.modalities)):
        raise ModelError(
            f"model {name!r} encodes {', '.join(unknown)}, which its fusion of {', '.join(fusion.modalities)} does not "
            "take; leave it out of the encoders, or train the fusion with it"
        )


def _weighs(name: str, dim: int, encoded: Iterable[Modality], weights: Any) -> None:
    if unknown := sorted(set(encoded) - set(weights.modalities)):
        raise ModelError(
            f"model {name!r} encodes {', '.join(unknown)}, which its weights of {', '.join(weights.modalities)} do not "
            "weigh; leave it out of the encoders, or train the weights with it"
        )


SLOTS = (
    Slot("background", "", made="keys"),
    Slot("fusion", "fusions", files="fusion", check=_goes_with),
    Slot("scorer", "scorers", files="scorer", made=""),
    Slot("weights", "weights", files="weights", made="modalities", check=_weighs),
    Slot("codes", "aligners", files="codes"),
    Slot("encoders", "encoders", each=True, made="encode"),
    Slot("aligners", "aligners", each=True, files="to-shared-"),
)


class Once:
    """A part, or what makes it when it is first asked for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: list[Any] = []
        self._lock = threading.Lock()

    def __call__(self) -> Any:
        """The part, the same one every time."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
        return self._made[0]

    @classmethod
    def of(cls, slot: Slot, given: Any) -> Once:
        """What the constructor of `Model` was given: the part, or a function that makes it."""
        if isinstance(given, cls):
            return given
        return cls((lambda: given) if slot.made and hasattr(given, slot.made) else given)


Held = Mapping[str, Mapping[Modality | None, Once]]
"""Key of a slot -> modality -> what is there; the modality is None where there is one for all."""


def held(given: Mapping[str, Any]) -> Held:
    """The arguments of `Model`, slot by slot."""
    found: dict[str, dict[Modality | None, Once]] = {}
    for slot in SLOTS:
        parts = given.get(slot.key)
        by_modality = (parts or {}) if slot.each else {} if parts is None else {None: parts}
        made: dict[int, Once] = {}  # modalities that share a part share what makes it
        found[slot.key] = {m: made.setdefault(id(part), Once.of(slot, part)) for m, part in by_modality.items()}
    return found


def opened(folder: Path, card: Mapping[str, Any]) -> dict[str, Any]:
    """What model.toml says is in each slot, as arguments of `Model`; nothing is read before it is asked for.

    Raises:
        ModelError: there is no such modality, or something else stands there.
    """
    found: dict[str, Any] = {}
    trust = plugins.trusted()
    for slot in (slot for slot in SLOTS if slot.key in card):
        for entry in card[slot.key] if slot.each else [card[slot.key]]:
            _check_entry(folder, slot, entry)
            once = _once(folder, slot, entry, card["files"], trust)
            if slot.each:
                of_each = {modality_named(folder, name): once for name in entry["modalities"]}
                found[slot.key] = found.get(slot.key, {}) | of_each
            else:
                found[slot.key] = once
    return found


def _check_entry(folder: Path, slot: Slot, entry: Any) -> None:
    if slot.kind:
        table = entry if isinstance(entry, Mapping) else {}
        right = isinstance(table.get("use"), str) and isinstance(table.get("options", {}), Mapping)
        right = right and (not slot.each or isinstance(table.get("modalities"), list))
    else:
        right = isinstance(entry, str)
    if not right:
        what = "a table with `use` and `options`" if slot.kind else "the name of a file"
        raise ModelError(f"{folder / 'model.toml'}: {slot.key} holds {entry!r:.100}, where {what} belongs")


def saved(folder: Path, parts: Held) -> dict[str, Any]:
    """Write what is in every slot into a folder; what model.toml says of each.

    Raises:
        ModelError: a part has no `save`, or a file it needs is gone.
        ConfigError: the class of a part cannot be found by name.
    """
    card: dict[str, Any] = {}
    for slot in SLOTS:
        there: dict[int, tuple[Any, list[str]]] = {}
        for modality, once in sorted(parts[slot.key].items(), key=lambda held: _place(held[0])):
            there.setdefault(id(once()), (once(), []))[1].append(modality.value if modality else "")
        entries = [(names, part) for part, names in there.values()]
        if slot.each:
            card[slot.key] = [
                {"modalities": names, **_saved(folder, slot, slot.files + "-".join(names), part)}
                for names, part in entries
            ]
        elif entries:
            _, part = entries[0]
            card[slot.key] = _saved(folder, slot, slot.files, part) if slot.kind else _saved_file(folder, part)
    return {key: entry for key, entry in card.items() if entry is not None}


def _place(modality: Modality | None) -> int:
    return -1 if modality is None else list(Modality).index(modality)


def _saved(folder: Path, slot: Slot, name: str, part: Any) -> dict[str, Any]:
    """Save a part into files that begin with `name`; its entry in model.toml."""
    if not hasattr(part, "save"):
        raise ModelError(f"{type(part).__name__}, to be {name}, has no save(folder, name); give it one")
    return {"use": plugins.name_of(slot.kind, part), "options": part.save(folder, name)}


def _saved_file(folder: Path, background: Any) -> str | None:
    return backgrounds.save(folder, background) if background else None


def _once(folder: Path, slot: Slot, entry: Any, files: Mapping[str, Any], trust: bool) -> Once:
    """What reads an entry of model.toml when it is first asked for: checked, and by names alone unless trusted."""

    def make() -> Any:
        with plugins.stored(folder / "model.toml"), plugins.trusting(trust):
            if not slot.kind:
                if entry not in files:
                    raise ModelError(f"{folder / 'model.toml'} has no hash of {entry}; export the model again")
                check(folder, entry, files[entry])
                return backgrounds.load(folder / entry)
            part, options = plugins.find(slot.kind, entry["use"]), entry.get("options", {})
            check_for(part, folder, options, files, ours=entry["use"] in plugins.BUILT_IN[slot.kind])
            try:
                return part.load(folder, **options)
            except (TypeError, ValueError, KeyError) as error:
                if isinstance(error, DuretrievalError):
                    raise
                raise ModelError(
                    f"{folder / 'model.toml'}: {entry['use']!r} cannot be made of its options: {error}"
                ) from error

    return Once(make)
