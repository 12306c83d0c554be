"""A data set as items to index."""

from __future__ import annotations

from duretrieval.media.relations import Relation, of_field
from duretrieval.training.data.items import items_of
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part


def test_the_choices_of_a_row_are_one_item() -> None:
    red, bus, dog = (Part(Modality.TEXT, words) for words in ("red", "bus", "dog"))
    samples = [
        Sample("a#1", {"title": red, "text": bus}, row="a", label="car", related=(("series", "b"),)),
        Sample("a#2", {"title": red, "text": dog}, row="a", label="car", related=(("series", "b"),)),
        Sample("b", {"text": bus}, split="val"),
    ]
    a, b = items_of(samples, "/data/rows.jsonl")
    assert (a.id, a.source, a.parts) == ("a", "/data/rows.jsonl#a", (red, bus, dog))
    assert a.fields["label"] == "car"
    assert of_field("a", a.fields["related"]) == [Relation("a", "b", "series")]
    assert (b.parts, b.fields) == ((bus,), {"split": "val"})


def test_a_stamp_says_whether_an_item_changed() -> None:
    def stamp(words: str, label: str) -> str:
        (item,) = items_of([Sample("a", {"text": Part(Modality.TEXT, words)}, label=label)], "rows.jsonl")
        return item.stamp

    assert stamp("bus", "car") == stamp("bus", "car")
    assert len({stamp("bus", "car"), stamp("dog", "car"), stamp("bus", "toy")}) == 3
