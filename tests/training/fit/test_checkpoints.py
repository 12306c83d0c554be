"""Checkpoints and runs are data: what somebody put into one is not run, and says so."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.small import recipe

from duretrieval import plugins
from duretrieval.errors import ConfigError, ModelError, Untrusted
from duretrieval.model.model import Model
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit.checkpoints import WholeFiles, read_checkpoint, stopped
from duretrieval.training.nets.text.word2vec import Word2Vec
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.runs.reopened import export_run, reopen
from duretrieval.training.runs.run import load
from duretrieval.training.runs.trained import train
from duretrieval.training.tuning.search import JOURNAL, tune
from duretrieval.training.tuning.trial import Search

REFUSED = r"ckpt is no checkpoint that can be read as data alone: .* Train again; or, if it is your own"


def small() -> Recipe:
    return recipe(fit={"epochs": 1})


@pytest.fixture(scope="module")
def finished(data: list[Sample], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    train(small(), data, folder, cache=cache, exporting=False)
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, ran: Path) -> None:
        self.ran = ran

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.ran),)


def by_torch(path: Path, held: Any) -> None:
    torch.save(held, path)


def of_old_torch(path: Path, held: Any) -> None:
    torch.save(held, path, _use_new_zipfile_serialization=False)


def by_hand(path: Path, held: Any) -> None:
    path.write_bytes(pickle.dumps(held))


@pytest.mark.parametrize("write", [by_torch, of_old_torch, by_hand])
@pytest.mark.parametrize("way", ["resume", "export", "stopped"])
def test_a_checkpoint_that_would_run_something_is_refused(
    way: str, write: Callable[[Path, Any], None], run: Path, data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    held = torch.load(run / "last.ckpt", weights_only=True)
    for name in ("last.ckpt", "best.ckpt"):
        write(run / name, {**held, "more": Evil(tmp_path / "ran")})
    ways: dict[str, Callable[[], Any]] = {
        "resume": lambda: train(small(), data, run, resume=True, cache=cache, exporting=False),
        "export": lambda: load(reopen(run, data=data, cache=cache), run / "best.ckpt"),
        "stopped": lambda: stopped(run / "last.ckpt", 3),
    }
    with pytest.raises(ConfigError, match=REFUSED):
        ways[way]()
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_of_an_earlier_version_says_what_to_do(run: Path, tmp_path: Path) -> None:
    """It held the mined rows as a NumPy array."""
    held = torch.load(run / "last.ckpt", weights_only=True)
    torch.save({**held, "mined": np.zeros((3, 2), np.int64)}, tmp_path / "old.ckpt")
    with pytest.raises(ConfigError, match=REFUSED):
        read_checkpoint(tmp_path / "old.ckpt")
    (tmp_path / "half.ckpt").write_bytes((run / "last.ckpt").read_bytes()[:500])
    with pytest.raises(ConfigError, match="it is damaged, or of a version that pickled objects"):
        read_checkpoint(tmp_path / "half.ckpt")


def test_what_is_no_data_is_not_written(tmp_path: Path) -> None:
    for value in (np.zeros(2), Path("x"), {1, 2}):
        message = rf"cannot be kept as data: \['callbacks'\]\['mine'\]\[0\] is a {type(value).__name__}\. A part or a"
        with pytest.raises(ConfigError, match=message):
            WholeFiles().save_checkpoint({"callbacks": {"mine": [value]}}, tmp_path / "a.ckpt")
    assert list(tmp_path.iterdir()) == []


# ---- a run's recipe


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "evil_net.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'ran')!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "evil_net", raising=False)
    return tmp_path / "ran"


PATH = {"use": "evil_net:Thing", "options": {}}
CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "head": lambda t: t["heads"]["text"].update(use=PATH["use"]),
    "loss": lambda t: t["losses"][0].update(use=PATH["use"]),
    "sampler": lambda t: t["fit"]["sampler"].update(use=PATH["use"]),
    "encoder": lambda t: t["encoders"].update(text=PATH),
    "reader": lambda t: t["data"].update(reader=PATH["use"]),
    "score": lambda t: t.update(score=PATH),
    "codes": lambda t: t.update(codes=PATH),
}


@pytest.mark.parametrize("place", CHANGES)
def test_a_recipe_in_a_run_names_no_code(place: str, run: Path, ran: Path, cache: Path, tmp_path: Path) -> None:
    table = json.loads((run / "recipe.json").read_text())
    CHANGES[place](table)
    (run / "recipe.json").write_text(json.dumps(table))
    (tmp_path / "rows.jsonl").write_text("{}\n")
    with pytest.raises(Untrusted, match=r"run/recipe\.json asks for 'evil_net:Thing', which is a path to Python code"):
        export_run(run, tmp_path / "model", data=tmp_path / "rows.jsonl", cache=cache)
    assert not ran.exists()
    with pytest.raises(ConfigError, match="module 'evil_net' has no 'Thing'"):
        export_run(run, tmp_path / "model", data=tmp_path / "rows.jsonl", cache=cache, trust=True)
    assert ran.exists()


def test_a_recipe_in_a_run_asks_no_hub(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers is told to look into its cache alone."""
    import transformers

    from duretrieval.training.nets.text.transformer import transformer

    told: list[dict[str, Any]] = []

    def from_pretrained(name: str, **options: Any) -> Any:
        told.append(options)
        raise OSError("not here")

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", from_pretrained)
    with plugins.stored(run / "recipe.json"), pytest.raises(ModelError):
        transformer("somebody/something")
    with pytest.raises(ModelError):
        transformer("somebody/something")
    assert [options["local_files_only"] for options in told] == [True, False]
    assert {options["trust_remote_code"] for options in told} == {False}


def test_a_journal_names_nothing_that_the_search_does_not(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    table: dict[str, Any] = {
        "dim": 8,
        "views": [["text"], ["image"]],
        "data": {"near_duplicates": False},
        "fit": {"epochs": 1, "batch": 16, "accelerator": "cpu"},
    }
    search = Search({"loss.use": ("infonce",)}, trials=1)
    tune(table, search, data, tmp_path / "t", cache=cache)
    journal = tmp_path / "t" / JOURNAL
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        if "distribution" in line:
            line["distribution"] = line["distribution"].replace('"infonce"', '"evil_net:Thing"')
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    shutil.rmtree(tmp_path / "t" / "best")
    with pytest.raises(
        ConfigError, match=r"trial 0 tried loss\.use = 'evil_net:Thing', which is outside \[tune\.space\]"
    ):
        tune(table, search, data, tmp_path / "t", cache=cache)


# ---- pickles of others


def test_word_vectors_that_would_run_something_are_refused(tmp_path: Path) -> None:
    """In the file, and in one that it says lies beside it."""
    from gensim.models import Word2Vec as Gensim

    model = Gensim([["a", "b", "c"]] * 10, vector_size=4, min_count=1)
    model.save(str(tmp_path / "good"))
    assert len(Word2Vec.load(tmp_path / "good").vectors) == 3
    model.wv.more = Evil(tmp_path / "ran")
    model.save(str(tmp_path / "bad"))
    del model.wv.more
    setattr(model.wv, "__scipys", ["matrix"])
    (tmp_path / "beside").write_bytes(pickle.dumps(model.wv))
    (tmp_path / "beside.matrix.npy").write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    for name in ("bad", "beside"):
        with pytest.raises(ModelError, match=f"{name} cannot be read as word vectors: it asks for posix.mkdir, which"):
            Word2Vec.load(tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_a_folder_of_sentence_transformers_names_no_code(tmp_path: Path, ran: Path) -> None:
    """Its modules.json may name any class; only those of the library are made."""
    (tmp_path / "st").mkdir()
    (tmp_path / "st" / "modules.json").write_text(
        json.dumps([{"idx": 0, "name": "0", "path": "", "type": "evil_net.Thing"}])
    )
    (tmp_path / "st" / "evil_net.py").write_text((tmp_path / "evil_net.py").read_text())
    (tmp_path / "st" / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"st:.* cannot be loaded"):
        Model.load(f"st:{tmp_path / 'st'}")
    assert not ran.exists()
