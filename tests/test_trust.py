"""Models and collections from elsewhere are data: opening them runs nothing of theirs, and asks nobody."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pytest
from typer.testing import CliRunner

from duretrieval import Modality, Part, plugins
from duretrieval.align.centre import Centre
from duretrieval.cli.app import app
from duretrieval.collection.collection import Collection
from duretrieval.encode.bag_of_words import BagOfWords
from duretrieval.errors import CollectionError, DuretrievalError, ModelError, ModelMismatch, Untrusted
from duretrieval.index.lance.store import LanceStore
from duretrieval.model import files
from duretrieval.model.card import fingerprint
from duretrieval.model.model import Model
from duretrieval.model.seal import Origin, seal
from duretrieval.whole import sha256

TEXTS = ("a dog barks", "a cat sleeps", "the bus is late")
ENCODER = BagOfWords.fit(TEXTS)
DIM = ENCODER.dim
EVIL = """
from pathlib import Path
import numpy as np
Path({ran!r}).touch()
class Part:
    dim = {dim}
    modalities = ("text",)
    @classmethod
    def load(cls, folder, **options): return cls()
    def __call__(self, vectors, *_): return vectors
    def encode(self, batch): return np.eye({dim}, dtype=np.float32)[[0] * len(batch)]
"""


def tiny(folder: Path, name: str = "tiny") -> Path:
    """A model folder of a few kilobytes: words, centred."""
    rows = ENCODER.encode([Part(Modality.TEXT, text) for text in TEXTS])
    aligners = {Modality.TEXT: Centre(rows.mean(axis=0) / 2)}
    Model(name, {Modality.TEXT: ENCODER}, dim=DIM, fingerprint="new", aligners=aligners).save(folder)
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    card = (folder / "model.toml").read_text(encoding="utf-8")
    assert old in card
    (folder / "model.toml").write_text(card.replace(old, new, 1), encoding="utf-8")


def collection(path: Path, model: Path, notes: Path) -> Path:
    """A collection of three texts."""
    notes.mkdir(exist_ok=True)
    for number, text in enumerate(TEXTS):
        (notes / f"{number}.txt").write_text(text)
    with Collection.open(path, model) as made:
        made.add(notes)
    return path


def duretrieval(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there after somebody else's code, `evil_part:Part`, ran."""
    place = tmp_path / "python"
    place.mkdir()
    (place / "evil_part.py").write_text(EVIL.format(ran=str(tmp_path / "ran"), dim=DIM))
    monkeypatch.syspath_prepend(place)
    monkeypatch.delitem(sys.modules, "evil_part", raising=False)
    return tmp_path / "ran"


CENTRE = 'use = "centre"'
NESTED = 'use = "chain"\noptions = { parts = [{ use = "sum", options = { weights = [1.0], parts = [%s] } }] }\n[extra]'
PLACES: dict[str, tuple[str, str, Callable[[Model], Any]]] = {
    "encoder": ('use = "bag-of-words"', 'use = "evil_part:Part"', lambda m: m.encode([Part(Modality.TEXT, "x")])),
    "aligner": (CENTRE, 'use = "evil_part:Part"', lambda m: m.encode([Part(Modality.TEXT, "x")])),
    "nested": ("[reading]", "[codes]\n" + NESTED % '{ use = "evil_part:Part" }' + "\n[reading]", lambda m: m.codes),
    "scorer": ("[reading]", '[scorer]\nuse = "evil_part:Part"\n[reading]', lambda m: m.scorer),
    "codes": ("[reading]", '[codes]\nuse = "evil_part:Part"\n[reading]', lambda m: m.codes),
    "weights": ("[reading]", '[weights]\nuse = "evil_part:Part"\n[reading]', lambda m: m.weights),
    "fusion": ("[reading]", '[fusion]\nuse = "evil_part:Part"\n[reading]', lambda m: m.fusion),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_path_in_a_model_is_refused_and_followed_only_where_it_is_trusted(
    place: str, tmp_path: Path, ran: Path
) -> None:
    folder = tiny(tmp_path / "m")
    old, new, use = PLACES[place]
    edit(folder, old, new)
    message = r"m/model\.toml asks for 'evil_part:Part', which is a path to Python code: .* --trust \(in Python: trust="
    with pytest.raises(Untrusted, match=message):
        use(Model.load(folder))
    assert not ran.exists()
    use(Model.load(folder, trust=True))
    assert ran.exists()


def test_trust_ends_with_the_model_it_was_given_for(tmp_path: Path, ran: Path) -> None:
    folder = tiny(tmp_path / "m")
    edit(folder, *PLACES["scorer"][:2])
    other = Model.load(folder)
    assert Model.load(folder, trust=True).scorer is not None
    with pytest.raises(Untrusted):
        _ = other.scorer
    assert (plugins.trusted(), plugins.stored_in()) == (False, None)
    assert plugins.find("scorers", "evil_part:Part") is not None  # from Python it is a path like any other


@pytest.mark.parametrize("command", [["search", "a dog"], ["verify", "--repair"], ["index", "notes"]])
def test_a_foreign_collection_runs_nothing(
    command: list[str], tmp_path: Path, ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As somebody may hand one over: `.duretrieval` with its model in it, in a folder that one works in."""
    collection(tmp_path / ".duretrieval", tiny(tmp_path / ".duretrieval" / "m"), tmp_path / "notes")
    edit(tmp_path / ".duretrieval" / "m", CENTRE, 'use = "evil_part:Part"')
    (tmp_path / "notes" / "new.txt").write_text("news")
    (tmp_path / "notes" / "0.txt").write_text("changed")
    forge(tmp_path / ".duretrieval", fingerprint=fingerprint(tmp_path / ".duretrieval" / "m"))
    monkeypatch.chdir(tmp_path)
    refused = duretrieval(*command)
    assert isinstance(refused.exception, Untrusted)
    assert not ran.exists()
    followed = duretrieval(*command, "--trust")
    assert followed.stderr.count("--trust: Python code that the model's or run's files name is run") == 1
    assert ran.exists()


@pytest.mark.parametrize("command", ["stats", "show", "remove"])
def test_what_needs_no_model_opens_none(command: str, tmp_path: Path) -> None:
    collection(tmp_path / "c", tiny(tmp_path / "m"), tmp_path / "notes")
    shutil.rmtree(tmp_path / "m")
    with Collection.open(tmp_path / "c", any_model=True) as found:
        id_ = next(found.items()).id
    assert duretrieval(command, *([] if command == "stats" else [id_]), "-c", tmp_path / "c").exit_code == 0


# ---- what the files of a model may be


@pytest.mark.parametrize("file", ["../secret", "{tmp}/secret", "link", "sub/../../secret", "a\\u0000b"])
@pytest.mark.parametrize("where", ["option", "nested", "listed", "background"])
def test_no_file_of_a_model_lies_outside(where: str, file: str, tmp_path: Path) -> None:
    folder = tiny(tmp_path / "m")
    shutil.copy(folder / "to-shared-text.safetensors", tmp_path / "secret")
    (folder / "link").symlink_to("../secret")
    file = file.format(tmp=tmp_path)
    if where == "option":
        edit(folder, 'file = "to-shared-text.safetensors"', f'file = "{file}"')
    elif where == "nested":
        entry = f'{{ use = "centre", options = {{ file = "{file}" }} }}'
        edit(folder, "[reading]", f"[codes]\n{NESTED % entry}\n[reading]")
    elif where == "background":
        edit(folder, f"dim = {DIM}", f'dim = {DIM}\nbackground = "{file}"')
    else:
        edit(folder, '[files."to-shared-text.safetensors"]', f'[files."{file}"]')
    message = r"m/model\.toml (names '.*', which (leads out of the folder|is no name of a file)|has no hash of)"
    with pytest.raises(ModelError, match=message):
        use_all(folder)


def use_all(folder: Path) -> None:
    """Everything of a model that reads a file."""
    model = Model.load(folder)
    _ = model.encode([Part(Modality.TEXT, "x")]), model.codes, model.background


def test_a_file_that_model_toml_does_not_list_is_not_read(tmp_path: Path) -> None:
    folder = tiny(tmp_path / "m")
    shutil.copy(folder / "to-shared-text.safetensors", folder / "other.safetensors")
    edit(folder, 'file = "to-shared-text.safetensors"', 'file = "other.safetensors"')
    with pytest.raises(ModelError, match=r"other\.safetensors is to be read, but model\.toml has no hash of it"):
        Model.load(folder).encode([Part(Modality.TEXT, "x")])


def test_a_card_without_hashes_is_refused(tmp_path: Path) -> None:
    folder = tiny(tmp_path / "m")
    edit(folder, "sha256 = ", "sha1 = ")
    with pytest.raises(ModelError, match=r"does not say of .* how large it is and its sha256; export the model again"):
        Model.load(folder)


def spoil(path: Path) -> None:
    """Another file of the same size and time."""
    state = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("file", ["to-shared-text.safetensors", "text.safetensors", "text.json"])
def test_a_changed_file_is_noticed_by_everything(file: str, tmp_path: Path) -> None:
    """Also in a process that has read it before."""
    collection(tmp_path / "c", tiny(tmp_path / "m"), tmp_path / "notes")
    assert duretrieval("verify", "-c", tmp_path / "c").exit_code == 0
    spoil(tmp_path / "m" / file)
    told = f"m/{file} is not the file model.toml was written for"
    with Collection.open(tmp_path / "c") as found, pytest.raises(ModelError, match=told):
        found.search("a dog")
    for command in ("verify", "doctor"):
        done = duretrieval(command, "-c", tmp_path / "c")
        assert done.exit_code == 1
        assert told in done.stdout


def test_a_file_that_settled_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, hashed = tiny(tmp_path / "m"), []
    monkeypatch.setattr(files, "SETTLED_NS", -1)

    def counted(path: Path) -> str:
        hashed.append(path.name)
        return sha256(path)

    monkeypatch.setattr(files, "sha256", counted)
    for _ in range(2):
        Model.load(folder).encode([Part(Modality.TEXT, "x")])
    assert sorted(hashed) == ["text.json", "text.safetensors", "to-shared-text.safetensors"]


def external(folder: Path, location: str) -> None:
    """A graph that adds weights from another file."""
    from onnx import TensorProto, helper

    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[DIM], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", "0"), ("length", str(4 * DIM))):
        weights.external_data.add(key=key, value=value)
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", DIM]) for name in ("vectors", "out")]
    node = helper.make_node("Add", ["vectors", "w"], ["out"])
    graph = helper.make_graph([node], "g", sides[:1], sides[1:], [weights])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "head.onnx").write_bytes(made.SerializeToString())


def with_graph(folder: Path, location: str) -> Path:
    """A model whose head is such a graph, and every file listed."""
    folder.mkdir()
    (folder / "weights.bin").write_bytes(np.ones(DIM, np.float32).tobytes())
    external(folder, location)
    card = {
        "name": "graph",
        "dim": DIM,
        "encoders": [{"use": "bag-of-words", "modalities": ["text"], "options": ENCODER.save(folder, "text")}],
        "aligners": [{"use": "onnx-head", "modalities": ["text"], "options": {"dim": DIM, "file": "head.onnx"}}],
    }
    names = [path.name for path in folder.iterdir()]
    seal(folder, card, {name: Origin("CC0-1.0", "a test") for name in names})
    return folder


def test_weights_beside_a_graph_are_checked_too(tmp_path: Path) -> None:
    parts = [Part(Modality.TEXT, "a dog")]
    folder = with_graph(tmp_path / "m", "weights.bin")
    assert Model.load(folder).encode(parts).shape == (1, DIM)
    spoil(folder / "weights.bin")
    with pytest.raises(ModelError, match=r"weights\.bin is not the file model\.toml was written for"):
        Model.load(folder).encode(parts)


def test_weights_beside_a_graph_are_saved_too(tmp_path: Path) -> None:
    parts = [Part(Modality.TEXT, "a dog")]
    opened = Model.load(with_graph(tmp_path / "m", "weights.bin"))
    opened.save(tmp_path / "saved")
    np.testing.assert_array_equal(Model.load(tmp_path / "saved").encode(parts), opened.encode(parts))


@pytest.mark.parametrize("location", ["../weights.bin", "{tmp}/weights.bin", "link"])
def test_a_graph_reads_nothing_outside_its_folder(location: str, tmp_path: Path) -> None:
    folder = with_graph(tmp_path / "m", location.format(tmp=tmp_path))
    (folder / "weights.bin").rename(tmp_path / "weights.bin")
    shutil.copy(tmp_path / "weights.bin", folder / "weights.bin")
    (folder / "link").symlink_to(tmp_path / "weights.bin")
    with pytest.raises(ModelError, match=r"head\.onnx cannot be opened as an ONNX graph"):
        Model.load(folder).encode([Part(Modality.TEXT, "a dog")])


# ---- the record of a collection


def forge(path: Path, **told: str) -> None:
    """Another record in a collection, as anybody can write one."""
    data = lance.dataset(f"{path}/parts.lance")
    schema = {key.decode(): value.decode() for key, value in data.schema.metadata.items()}
    with Collection.open(path, any_model=True) as found:
        known = found._store.metadata
    keys = {name: next(key for key, value in schema.items() if value == known[name]) for name in told}
    data.update_schema_metadata({keys[name]: value for name, value in told.items()})


def test_a_model_in_the_same_folder_moves_with_its_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    monkeypatch.chdir(tmp_path)
    collection(Path("here/c"), tiny(here / "models" / "m"), tmp_path / "notes")
    with Collection.open("here/c") as found:
        assert found._store.metadata["model"] == "../models/m"
        assert found.stats().model == str((here / "models" / "m").resolve())
    here.rename(tmp_path / "there")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with Collection.open(tmp_path / "there" / "c") as found:
        assert found.search("a dog")[0].item.fields["name"] == "0.txt"
        assert found.stats().model == str(tmp_path / "there" / "models" / "m")


def test_a_model_further_away_is_recorded_by_its_whole_path(tmp_path: Path) -> None:
    collection(tmp_path / "a" / "c", tiny(tmp_path / "b" / "m"), tmp_path / "notes")
    with Collection.open(tmp_path / "a" / "c") as found:
        assert found.stats().model == found._store.metadata["model"] == str(tmp_path / "b" / "m")
    (tmp_path / "a").rename(tmp_path / "d")  # as collections of earlier versions all do
    with Collection.open(tmp_path / "d" / "c") as found:
        assert len(found.search("a dog")) == 3


def test_a_model_that_is_gone_or_another_is_told_with_the_remedy(tmp_path: Path) -> None:
    collection(tmp_path / "c", tiny(tmp_path / "m"), tmp_path / "notes")
    (tmp_path / "m").rename(tmp_path / "moved")
    with pytest.raises(ModelError, match=r"the model of the collection at .*/c is not at .*m: .* --model FOLDER"):
        Collection.open(tmp_path / "c")
    done = duretrieval("search", "a dog", "-c", tmp_path / "c", "--model", tmp_path / "moved")
    assert done.exit_code == 0
    assert "0.txt" in done.stdout
    tiny(tmp_path / "m", name="another")
    with pytest.raises(
        ModelMismatch, match=r"made with model .* Open it with the first \(--model\), or encode it again"
    ):
        Collection.open(tmp_path / "c")


def test_a_model_that_a_record_points_to_is_not_used_unless_it_is_the_one(tmp_path: Path, ran: Path) -> None:
    """Neither is anything of it run: a fusion would be loaded at once."""
    collection(tmp_path / "c", tiny(tmp_path / "m"), tmp_path / "notes")
    edit(tiny(tmp_path / "other"), *PLACES["fusion"][:2])
    forge(tmp_path / "c", model=str(tmp_path / "other"))
    with pytest.raises(ModelMismatch), plugins.trusting():
        Collection.open(tmp_path / "c")
    assert not ran.exists()


@pytest.mark.parametrize(
    "name",
    ["\\\\server\\share\\m", "//server/share/m", "smb://server/m", "clip:\\\\server\\m", "clip:https://server/m"],
)
def test_a_record_that_points_into_the_network_is_refused(name: str, tmp_path: Path) -> None:
    collection(tmp_path / "c", tiny(tmp_path / "m"), tmp_path / "notes")
    forge(tmp_path / "c", model=name)
    with pytest.raises(ModelError, match=r"as its model, a place on the network that only you can say to look at"):
        Collection.open(tmp_path / "c")


@pytest.mark.slow
def test_a_record_that_names_a_hub_asks_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    asked: list[bool] = []

    def fetch(name: str, *, local_files_only: bool = False, **_: Any) -> str:
        asked.append(not local_files_only)
        raise LocalEntryNotFoundError("not here")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    collection(tmp_path / "c", tiny(tmp_path / "m"), tmp_path / "notes")
    forge(tmp_path / "c", model="clip:somebody/something")
    for open_ in (Collection.open, lambda path: Collection.open(path, any_model=True).model):
        with pytest.raises(
            ModelError, match="a hub is asked only for what you name yourself: give it once with --model"
        ):
            open_(tmp_path / "c")
    assert asked
    assert not any(asked)
    with pytest.raises(ModelError, match="could not be fetched"):
        Collection.open(tmp_path / "c", "clip:somebody/something")
    assert any(asked)


def test_a_collection_has_all_its_data_in_it(tmp_path: Path) -> None:
    collection(tmp_path / "c", tiny(tmp_path / "m"), tmp_path / "notes")
    data = lance.dataset(f"{tmp_path}/c/parts.lance")
    data.add_bases([lance.DatasetBasePath(path=str(tmp_path / "elsewhere"), name="other")])
    with pytest.raises(CollectionError, match=r"says that its data lies at .*elsewhere; a collection has all its data"):
        LanceStore.open(f"{tmp_path}/c/parts.lance")


# ---- the folder one works in


def test_nothing_in_the_current_folder_is_run(tmp_path: Path) -> None:
    """Decoding processes start by `python -c`, which looks for modules there first."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("a dog")
    for name in ("pickle", "struct", "socket", "numpy", "multiprocessing", "selectors", "tempfile", "signal"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name}')")
    script = Path(sys.executable).with_name("duretrieval")
    done = subprocess.run([script, "index", "notes"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "1 indexed" in done.stdout
    assert not (tmp_path / "ran").exists()


def test_every_refusal_is_an_error_of_ours() -> None:
    assert issubclass(Untrusted, DuretrievalError)
