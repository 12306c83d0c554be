"""Samples, a little different each time they are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.augment.composed import Augment as Augment
    from duretrieval.training.augment.composed import compose as compose
    from duretrieval.training.augment.light import Blur as Blur
    from duretrieval.training.augment.light import Colour as Colour
    from duretrieval.training.augment.light import Grey as Grey
    from duretrieval.training.augment.light import Noise as Noise
    from duretrieval.training.augment.place import Crop as Crop
    from duretrieval.training.augment.place import Flip as Flip
    from duretrieval.training.augment.place import Rotate as Rotate
    from duretrieval.training.augment.sound import FrequencyMask as FrequencyMask
    from duretrieval.training.augment.sound import Gain as Gain
    from duretrieval.training.augment.sound import Shift as Shift
    from duretrieval.training.augment.sound import Speed as Speed
    from duretrieval.training.augment.sound import TimeMask as TimeMask
    from duretrieval.training.augment.words import Synonyms as Synonyms
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "composed": "Augment compose",
            "light": "Blur Colour Grey Noise",
            "place": "Crop Flip Rotate",
            "sound": "FrequencyMask Gain Shift Speed TimeMask",
            "words": "Synonyms",
        },
    )
