"""A file that does harm at another of its windows, in the middle of a run, costs its row and not the run."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from tests.media import faults
from tests.media.samples import tone, write_video, write_wave
from tests.training.runs.test_resume import Stop, assert_same
from tests.training.small import recipe
from torch import Tensor, nn

from duretrieval.media import Limits, container, decoder, window
from duretrieval.media.pool import DecoderPool
from duretrieval.model.model import Model
from duretrieval.training.data import decoders
from duretrieval.training.data.batches import Column, Rows
from duretrieval.training.data.examples import Examples
from duretrieval.training.data.left_out import LeftOut
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit import history
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Part, Reading

TEXT, AUDIO = Modality.TEXT, Modality.AUDIO
READ = Reading(window_s=1.0, sample_rate=8000)
LIMITS = Limits(decode_timeout_s=3, memory_bytes=2**30)


class Loudness(nn.Module):
    """A sound by what it is in 8 bands of time; kept small, so that reading is all there is to it."""

    dim = 8
    modalities = frozenset({AUDIO})
    reading: ClassVar[dict[str, Any]] = {"window_s": 1.0, "sample_rate": 8000}

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(8))

    def prepare(self, parts: Sequence[Part], /) -> dict[str, Tensor]:
        bands = [[float(np.abs(b).mean()) for b in np.array_split(np.asarray(p.content), 8)] for p in parts]
        return {"bands": torch.tensor(bands)}

    def forward(self, bands: Tensor) -> Tensor:
        return bands * self.scale + 0.01


LEARNING = recipe(
    encoders={"text": {"use": "builtin"}, "audio": {"use": f"{__name__}:Loudness", "train": ["*"]}},
    views=[["text"], ["audio"]],
    fit={"epochs": 3, "batch": 8, "check_steps": 2, "workers": 2},
)
EXPORTED = recipe(
    encoders={"text": {"use": "builtin"}, "audio": {"use": "cnn6", "widths": [4, 4, 8, 8], "dim": 8, "train": ["*"]}},
    views=[["text"], ["audio"]],
    fit={"epochs": 1, "batch": 8, "workers": 2},
)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Sixteen sounds of 6 s; the name of a file is what it does to its decoder, in half of its windows."""
    folder = tmp_path_factory.mktemp("sounds")
    found = []
    for i in range(20):
        path = write_wave(folder / f"{i}.wav", samples=tone(6, 8000, [200.0 + 100 * i]), rate=8000)
        columns = {"text": Part(TEXT, f"tone number {i}"), "audio": Part(AUDIO, path)}
        found.append(Sample(str(i), columns, split="train" if i < 16 else "val"))
    return found


def harmful(sounds: list[Sample], harm: str, folder: Path) -> list[Sample]:
    """The same with the third one doing harm."""
    path = folder / f"{harm}.wav"
    path.write_bytes(sounds[3].columns["audio"].content.read_bytes())  # type: ignore[union-attr]
    bad = Sample("bad", {**sounds[3].columns, "audio": Part(AUDIO, path)}, split="train")
    return [*sounds[:3], bad, *sounds[4:]]


@pytest.fixture
def harming(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoders whose files do as they are called, but not where `probe` looked before the run."""
    defaults = DecoderPool.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "decode", faults.elsewhere)


def run(samples: list[Sample], folder: Path, wanted: Recipe = LEARNING, **more: Any) -> tuple[Any, list[str]]:
    said: list[str] = []
    more = {"limits": LIMITS, "cache": folder.parent / "cache", "exporting": wanted is EXPORTED, **more}
    return train(wanted, samples, folder, tell=said.append, **more), said


@pytest.mark.usefixtures("harming")
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("crash", r"it crashed its decoder \(SIGSEGV\)"),
        ("hang", "decoding took more than 3 s; raise `decode_timeout_s`"),
        ("swell", "takes more memory"),
        ("pickle", "its decoder was taken over or is broken: it answered"),
        ("nan", "its decoder was taken over or is broken: it answered a sound of shape .* not finite"),
        ("long", r"its decoder was taken over or is broken: it answered a sound of shape \(800000,\)"),
        ("nothing", "it does not hold a sound"),
    ],
)
def test_it_costs_its_row_and_not_the_run(harm: str, reason: str, sounds: list[Sample], tmp_path: Path) -> None:
    outcome, said = run(harmful(sounds, harm, tmp_path), tmp_path / "run")
    (sentence,) = said  # once, though it is drawn in three passes
    assert sentence.startswith("left out for the rest of the run: bad, audio: ")
    assert re.search(reason, sentence), sentence
    assert outcome.problems == 1
    (written,) = (tmp_path / "run" / "problems.txt").read_text().splitlines()
    assert written.endswith(" (left out in the middle of the run)")
    assert json.loads((tmp_path / "run" / "result.json").read_text())["problems"] == 1
    losses = [row["loss"] for row in history.read(tmp_path / "run") if "loss" in row]
    assert len(losses) == 6
    assert np.isfinite(losses).all()


@pytest.mark.usefixtures("harming")
def test_an_export_passes_over_what_is_left_out(sounds: list[Sample], tmp_path: Path) -> None:
    """It reads the middle windows again, which do no harm; the row stays out."""
    samples = harmful(sounds, "crash", tmp_path)
    outcome, said = run(samples, tmp_path / "run", EXPORTED)
    assert len(said) == 1
    written = (tmp_path / "run" / "problems.txt").read_text()
    assert Model.load(outcome.model).modalities >= {TEXT, AUDIO}
    assert written.count("\n") == outcome.problems == 1


@pytest.mark.usefixtures("harming")
def test_a_run_that_goes_on_leaves_out_the_same(sounds: list[Sample], tmp_path: Path) -> None:
    """Also what was read in a pass that is not repeated; and an export of it is no run's end."""
    samples = harmful(sounds, "crash", tmp_path)
    run(samples, tmp_path / "whole")
    with pytest.raises(RuntimeError, match="lights"):
        run(samples, tmp_path / "half", callbacks=[Stop(5)])
    outcome, said = run(samples, tmp_path / "half", resume=True)
    assert said == []  # it was said before the lights went out
    assert outcome.problems == 1
    assert_same(tmp_path / "whole", tmp_path / "half")
    wanted = (tmp_path / "whole" / "problems.txt").read_text()
    assert (tmp_path / "half" / "problems.txt").read_text() == wanted
    assert (tmp_path / "half" / "result.json").exists()


@pytest.mark.usefixtures("harming")
def test_a_step_of_nothing_but_bad_files_is_a_step(sounds: list[Sample], tmp_path: Path) -> None:
    """All training rows name one stretch of one file: it is asked once."""
    path = tmp_path / "crash.wav"
    path.write_bytes(sounds[0].columns["audio"].content.read_bytes())  # type: ignore[union-attr]
    bad = [Sample(s.id, {**s.columns, "audio": Part(AUDIO, path)}, split="train") for s in sounds[:16]]
    apart = replace(LEARNING, data=replace(LEARNING.data, positives=("key",)))  # else one file is one thing
    outcome, said = run([*bad, *sounds[16:]], tmp_path / "run", apart)
    assert len(said) == 1
    assert outcome.problems == 1
    assert np.isfinite([row["loss"] for row in history.read(tmp_path / "run") if "loss" in row]).all()


@pytest.mark.parametrize("devices", [1, 2])
def test_all_devices_leave_out_what_one_of_them_met(devices: int, sounds: list[Sample], tmp_path: Path) -> None:
    """Four rows of films of 12 s whose sound is over after 7: the middle is heard, many another window is not."""
    path = write_video(tmp_path / "early.mkv", seconds=12, samples=tone(7, 48_000))
    columns = [{"text": s.columns["text"], "audio": Part(AUDIO, path, start_s=0.01 * i)} for i, s in enumerate(sounds)]
    early = [Sample(f"early-{i}", columns[i], split="train") for i in range(4)]
    wanted = replace(LEARNING, fit=replace(LEARNING.fit, devices=devices, accelerator="cpu"))
    outcome, _ = run([*early, *sounds[4:]], tmp_path / "run", wanted)
    written = (tmp_path / "run" / "problems.txt").read_text().splitlines()
    assert sorted(line.partition(",")[0] for line in written) == [f"early-{i}" for i in range(4)]
    assert all("no sound can be decoded between" in line for line in written)
    assert outcome.problems == 4


def test_nothing_is_decoded_in_the_process_that_trains(
    sounds: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a step, nor a check, nor an export opens a file with what reads media."""
    opened = Mock(side_effect=AssertionError("decoded here"))
    monkeypatch.setattr(container, "opened", opened)
    monkeypatch.setattr(window, "opened", opened)
    monkeypatch.setattr(decoder, "kind_of", opened)
    outcome, said = run(sounds, tmp_path / "run", EXPORTED)
    assert said == []
    assert outcome.problems == 0
    assert outcome.model.is_dir()
    opened.assert_not_called()
    with pytest.raises(AssertionError, match="decoded here"):
        decoder.decode(sounds[0].columns["audio"].content, Reading(), Limits())  # type: ignore[arg-type]


def test_decoders_end_with_the_run(sounds: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with one that is broken off while files are read ahead."""
    pools: list[DecoderPool] = []
    before = set(threading.enumerate())  # of other tests
    monkeypatch.setattr(decoders, "DecoderPool", lambda *args: pools.append(DecoderPool(*args)) or pools[-1])
    with pytest.raises(RuntimeError, match="lights"):
        run(sounds, tmp_path / "run", callbacks=[Stop(1)])
    (pool,) = pools
    assert pool.workers == 2
    assert pool._hired == set()
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "decoder"]


def test_many_rows_are_read_at_once_and_come_in_order(sounds: list[Sample], monkeypatch: pytest.MonkeyPatch) -> None:
    """Several decoders answer for one batch, and the next is read meanwhile."""
    asked: list[str] = []
    real = DecoderPool.submit

    def submit(self: DecoderPool, path: Any, start: Any = None) -> Any:
        asked.append(Path(path).stem)
        return real(self, path, start)

    monkeypatch.setattr(DecoderPool, "submit", submit)
    net: Any = Loudness()
    there = np.ones(20, dtype=bool)
    examples = Examples([Sample(s.id, {"audio": s.columns["audio"]}) for s in sounds], READ, training=True)
    rows = Rows({"audio": Column(AUDIO, there, net=net)}, np.arange(20), np.full(20, -1), examples)
    batches = rows.batches([[5, 3, 1], [2, 0], [7]])
    first = next(batches)
    deadline = time.monotonic() + 60
    while len(asked) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(asked) == {"5", "3", "1", "2", "0"}
    found = [first, *batches]
    assert [batch.rows.tolist() for batch in found] == [[5, 3, 1], [2, 0], [7]]
    for batch in found:
        torch.testing.assert_close(batch.inputs["audio"]["bands"], rows[batch.rows.tolist()].inputs["audio"]["bands"])


def test_half_a_character_in_a_name_is_kept_in_a_checkpoint(tmp_path: Path) -> None:
    left, part = LeftOut(lambda said: None), Part(AUDIO, Path("a\udcff.wav"), start_s=1.0)
    left.add(Sample("1", {"audio": part}), "audio", ValueError("no"))
    checkpoint: dict[str, Any] = {}
    left.keep(checkpoint)
    torch.save(checkpoint, tmp_path / "c")
    other = LeftOut()
    other.recall(torch.load(tmp_path / "c", weights_only=True))
    assert part in other
    assert Part(AUDIO, Path("a\udcff.wav"), start_s=2.0) not in other
    other.recall({})
    assert len(other.reasons) == 1


def test_the_log_is_told_where_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    LeftOut().add(Sample("7", {"audio": Part(AUDIO, Path("a.wav"))}), "audio", ValueError("it is empty"))
    assert caplog.messages == ["left out for the rest of the run: 7, audio: a.wav: it is empty"]
