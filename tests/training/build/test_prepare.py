"""What encoders that learn read of the files, again and again: what can be read, and no more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from tests.training.nets.text.tiny import saved
from tests.training.small import recipe
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.build.prepare import Prepared, prepare
from duretrieval.training.data.sample import Sample
from duretrieval.training.runs.run import assemble, read
from duretrieval.training.runs.trained import begin
from duretrieval.types import Modality, Part


class Means(nn.Module):
    """The mean colour of a picture."""

    dim = 3
    modalities = frozenset({Modality.IMAGE})
    reading: ClassVar[dict[str, Any]] = {"image_side": 32}

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def prepare(self, parts: Sequence[Part], /) -> dict[str, Tensor]:
        return {"colours": torch.stack([torch.tensor(part.content).float().mean(dim=(0, 1)) for part in parts])}

    def forward(self, colours: Tensor) -> Tensor:
        return colours * self.scale


def prepared(samples: Sequence[Sample], cache: Path) -> Prepared:
    return prepare(recipe(encoders={"image": {"use": f"{__name__}:Means", "train": ["*"]}}), samples, cache=cache)


def test_a_file_that_cannot_be_read_is_a_problem_and_not_the_end_of_an_epoch(
    data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    bad = {1: tmp_path / "cut.png", 3: tmp_path / "none.png"}
    changed = [
        replace(s, columns={**s.columns, "image": Part(Modality.IMAGE, bad[i])}) if i in bad else s
        for i, s in enumerate(data)
    ]
    made = prepared(changed, cache)
    assert len(made.problems) == 2
    assert made.problems[0].startswith(f"{data[1].id}, image: {bad[1]}: ")
    assert "no such file" in made.problems[1]
    batch = made.rows["train"][[0, 1, 2, 3, 4]]
    assert batch.present["image"].tolist() == ["image" in s.columns and i not in bad for i, s in enumerate(data[:5])]
    assert len(batch.inputs["image"]["colours"]) == int(batch.present["image"].sum())


def test_other_columns_are_not_read(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """Neither the texts of a frozen encoder nor a column of no view; a bad file there disturbs nobody."""
    other = Part(Modality.IMAGE, tmp_path / "none.png")
    made = prepared([replace(s, columns={**s.columns, "thumbnail": other}) for s in data], cache)
    assert made.problems == []
    examples = made.rows["train"].examples
    assert examples is not None
    assert {name for sample in examples.samples for name in sample.columns} == {"image"}
    assert len(made.rows["train"][[0, 1, 2]].inputs["image"]["colours"]) > 0


def test_rows_that_were_not_even_read_count_among_the_problems(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    run = assemble(recipe(), (data, ["rows.csv:7: row 7 has 3 cells"]), tmp_path / "run", cache=cache)
    assert run.problems == ["rows.csv:7: row 7 has 3 cells"]
    begin(run, data, resume=False)
    assert (tmp_path / "run" / "problems.txt").read_text() == "rows.csv:7: row 7 has 3 cells\n"


def test_too_few_rows_are_said_before_an_encoder_is_fetched(data: list[Sample], cache: Path) -> None:
    made = recipe(encoders={"image": {"use": "vision", "model": "nowhere/none"}})
    with pytest.raises(ConfigError, match="of 5 usable rows, 5 are for training and 0 for validation; each needs at"):
        prepare(made, data[:5], cache=cache)


def test_columns_of_a_manifest_are_a_table(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,image\na,b.png\n")
    with pytest.raises(ConfigError, match=r"columns is 3; it must be a table, such as columns = "):
        read(recipe(data={"columns": 3}), tmp_path / "rows.csv")


def test_another_tokenizer_beside_the_same_weights_makes_other_rows(
    data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    """Rows of a frozen encoder are kept for the next run, and not for one that reads words otherwise."""
    folder = Path(saved("bert", tmp_path))
    made = recipe(encoders={"text": {"use": "transformer", "model": str(folder)}})
    before = prepare(made, data[:60], cache=cache)
    file = folder / "tokenizer.json"
    held = json.loads(file.read_text(encoding="utf-8"))
    held["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    file.write_text(json.dumps(held), encoding="utf-8")
    after = prepare(made, data[:60], cache=cache)
    assert before.encoders.identities[Modality.TEXT] != after.encoders.identities[Modality.TEXT]
    assert before.encoders.identities[Modality.IMAGE] == after.encoders.identities[Modality.IMAGE]
