"""Augmentation from settings, as a recipe has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from duretrieval.errors import ConfigError
from duretrieval.plugins import suggest
from duretrieval.training.augment import light, moving, place, sound, words
from duretrieval.types import Modality, Part

Step = Callable[[Part, np.random.Generator], Part]
"""One change; it leaves a part of another kind, or without content, as it is."""

_PICTURES: dict[str, type[Any]] = {
    "crop": place.Crop,
    "flip": place.Flip,
    "rotate": place.Rotate,
    "colour": light.Colour,
    "grey": light.Grey,
    "blur": light.Blur,
    "noise": light.Noise,
}
STEPS: Mapping[Modality, Mapping[str, type[Any]]] = {
    Modality.TEXT: {"synonyms": words.Synonyms, "drop": words.Drop, "swap": words.Swap},
    Modality.IMAGE: _PICTURES,
    Modality.VIDEO: {**_PICTURES, "clip": moving.Clip, "drop": moving.Drop},
    Modality.AUDIO: {
        "noise": sound.Noise,
        "shift": sound.Shift,
        "gain": sound.Gain,
        "speed": sound.Speed,
        "time_mask": sound.TimeMask,
        "frequency_mask": sound.FrequencyMask,
    },
}


@dataclass(frozen=True, slots=True)
class Augment:
    """Steps for parts of each modality, one after the other; a modality without steps is left alone."""

    steps: Mapping[Modality, tuple[Step, ...]]

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part after its modality's steps."""
        for step in self.steps.get(part.modality, ()):
            part = step(part, rng)
        return part


def compose(settings: Mapping[str, Mapping[str, Any]]) -> Augment:
    """Steps by name, in the order written: {"image": {"crop": 0.6, "flip": True, "colour": {"strength": 0.3}}}.

    A step is true (its usual settings), a number (its first setting), a table of its settings, or false (left out).

    Raises:
        ConfigError: no such modality, step or setting, or a value that cannot be used; the message lists what there is.
    """
    steps = {}
    for said, wanted in settings.items():
        known = [modality.value for modality in STEPS]
        if said not in known:
            raise ConfigError(f"nothing is augmented that is called {said!r}.{suggest(said, known)}{_there(known)}")
        if not isinstance(wanted, Mapping):
            raise ConfigError(f"augment.{said} is {wanted!r}; write a table such as {{ {_example(said)} }}")
        modality = Modality(said)
        steps[modality] = tuple(_step(modality, name, value) for name, value in wanted.items() if value is not False)
    return Augment(steps)


def _step(modality: Modality, name: str, value: Any) -> Step:
    known = list(STEPS[modality])
    if name not in known:
        raise ConfigError(f"augment.{modality.value} has no {name!r}.{suggest(name, known)}{_there(known)}")
    make = STEPS[modality][name]
    settings = [field.name for field in fields(make)]
    if value is True:
        step: Step = make()
    elif isinstance(value, Mapping):
        if strange := [key for key in value if key not in settings]:
            where = f"augment.{modality.value}.{name}"
            raise ConfigError(f"{where} has no {strange[0]!r}.{suggest(strange[0], settings)}{_there(settings)}")
        step = make(**value)
    else:
        step = make(value)
    return step


def _there(known: list[str]) -> str:
    return f" There are: {', '.join(known)}"


def _example(modality: str) -> str:
    return f"{next(iter(STEPS[Modality(modality)]))} = true"
