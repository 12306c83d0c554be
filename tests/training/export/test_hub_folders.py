"""A run goes back to the libraries it came from, and their vectors are its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from sentence_transformers import SentenceTransformer
from tests.shell import in_process
from tests.training.joint import tiny_joint
from tests.training.joint.test_joint_recipe import samples
from tests.training.nets.text.tiny import TEXTS, saved

from duretrieval import Modality, Model, Part
from duretrieval.errors import ConfigError, ModelError, UnknownPart
from duretrieval.training import Sample, export_hub, to_recipe, train

pytestmark = pytest.mark.slow  # each trains a run

CLOSE = 1e-5
WORDS = ["a red bus", "rain on a tin roof", "a blue bird", "two dogs", "snow", "a tall tree", "yesterday", "the sea"]


def texts() -> list[Sample]:
    made = []
    for i in range(32):
        word = WORDS[i % 8]
        columns = {"text": Part(Modality.TEXT, f"{word} {i}"), "text2": Part(Modality.TEXT, f"{word}, again")}
        made.append(Sample(str(i), columns, key=word, split="train" if i < 16 else "val" if i < 24 else "test"))
    return made


def trained(table: dict[str, Any], rows: list[Sample], folder: Path) -> Path:
    fit = {"epochs": 1, "batch": 8, "accelerator": "cpu", "lr": 1e-2}
    data = {"near_duplicates": False}
    recipe = to_recipe({"name": "mine", "dim": 16, "fit": fit, "data": data, "loss": {"use": "infonce"}, **table})
    train(recipe, rows, folder)
    return folder


def text_run(encoder: dict[str, Any], folder: Path, **more: Any) -> Path:
    return trained({"encoders": {"text": encoder}, "views": [["text"], ["text2"]], **more}, texts(), folder)


def engine(run: Path, texts: list[str]) -> np.ndarray:
    return Model.load(run / "model").encode([Part(Modality.TEXT, text) for text in texts])


@pytest.mark.parametrize(
    ("kind", "pooling", "head"),
    [
        ("bert", "mean", {"use": "identity"}),
        ("roberta", "cls", {"use": "linear"}),
        ("mpnet", "max", {"use": "mlp", "hidden": 12}),
        ("qwen3", "last", {"use": "mlp", "hidden": 12, "depth": 3, "norm": False}),
        ("t5", "mean", {"use": "mlp", "hidden": 12, "depth": 2, "residual": False}),
    ],
)
def test_a_transformer_becomes_a_folder_of_sentence_transformers(
    tmp_path: Path, kind: str, pooling: str, head: dict[str, Any]
) -> None:
    base = saved(kind, tmp_path)
    encoder = {"use": "transformer", "model": base, "pooling": pooling, "lora": 2, "lr": 1e-2, "prefix": "query: "}
    run = text_run(encoder, tmp_path / "run", heads=head)
    found = export_hub(run, tmp_path / "out", "sentence-transformers", data=texts())
    asked = [text for text in TEXTS if text]
    theirs = SentenceTransformer(str(tmp_path / "out"), device="cpu").encode(asked)
    assert np.abs(theirs - engine(run, asked)).max() < CLOSE
    assert (found.modalities, found.dim) == ((Modality.TEXT,), 16)
    assert found.differences[Modality.TEXT] < CLOSE
    assert found.opens is not None
    again = Model.load(found.opens).encode([Part(Modality.TEXT, text) for text in asked])
    assert np.abs(again - theirs).max() < CLOSE
    untrained = SentenceTransformer(base, device="cpu").encode(asked, normalize_embeddings=True)
    assert np.abs(untrained - theirs).max() > 1e-3, "what it learned went along"


def test_a_transformer_goes_back_as_it_came(tmp_path: Path) -> None:
    """Its pooler, which the run does not use, is there still."""
    encoder = {"use": "transformer", "model": saved("bert", tmp_path), "train": ["*"], "pooling": "cls"}
    run = text_run(encoder, tmp_path / "run", heads={"use": "identity"})
    found = export_hub(run, tmp_path / "out", "transformers", data=texts())
    model = transformers.AutoModel.from_pretrained(tmp_path / "out")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    with torch.inference_mode():
        hidden = model(**tokenizer(TEXTS[:2], return_tensors="pt", padding=True)).last_hidden_state[:, 0]
    theirs = torch.nn.functional.normalize(hidden, dim=1).numpy()
    assert np.abs(theirs - engine(run, TEXTS[:2])).max() < CLOSE
    before = transformers.AutoModel.from_pretrained(encoder["model"])
    assert torch.equal(model.pooler.dense.weight, before.pooler.dense.weight)
    assert not torch.equal(model.encoder.layer[1].output.dense.weight, before.encoder.layer[1].output.dense.weight)
    assert found.opens is None


def test_vectors_that_may_be_cut_may_be_cut_there_too(tmp_path: Path) -> None:
    encoder = {"use": "transformer", "model": saved("bert", tmp_path)}
    loss = {"use": "infonce", "matryoshka": [8, 4]}
    run = text_run(encoder, tmp_path / "run", heads={"use": "linear"}, loss=loss)
    export_hub(run, tmp_path / "out", "sentence-transformers", data=texts())
    short = SentenceTransformer(str(tmp_path / "out"), device="cpu", truncate_dim=4)
    theirs = short.encode(["a red bus"], normalize_embeddings=True)
    ours = Model.load(run / "model", dim=4).encode([Part(Modality.TEXT, "a red bus")])
    assert np.abs(theirs - ours).max() < CLOSE
    assert "Vectors may be cut to their first 8, 4 numbers." in (tmp_path / "out" / "README.md").read_text()


def test_a_closed_form_and_a_turn_go_along(tmp_path: Path) -> None:
    """Ridge carries the texts into the space of the pictures; deep CCA turns both."""
    rows = samples(tmp_path)
    text = {"use": "transformer", "model": saved("bert", tmp_path)}
    image = {"use": "clip", "model": str(tiny_joint.clip(tmp_path / "clip"))}
    table = {"encoders": {"text": text, "image": image}, "views": [["text"], ["image"]]}
    for name, more in {
        "ridge": {"align": {"use": "ridge", "onto": "image"}},
        "cca": {"loss": {"use": "deep-cca"}, "heads": {"use": "linear"}, "dim": 8},
    }.items():
        run = trained({**table, **more}, rows, tmp_path / name)
        folder = tmp_path / f"{name}-out"
        export_hub(run, folder, "sentence-transformers", only="text", data=rows)
        theirs = SentenceTransformer(str(folder), device="cpu").encode(TEXTS[:2])
        assert np.abs(theirs - engine(run, TEXTS[:2])).max() < CLOSE


@pytest.mark.parametrize("kind", list(tiny_joint.MAKERS))
def test_a_joint_model_goes_back_in_its_own_layout(kind: str, tmp_path: Path) -> None:
    base = tiny_joint.MAKERS[kind](tmp_path / "base")
    model = Model.load(f"{kind}:{base}")
    encoder = {"use": kind, "model": str(base)}
    if kind == "clap":  # the sounds stay as they are
        run = text_run({**encoder, "lora": 2, "lr": 1e-2}, tmp_path / "run", heads={"use": "identity"}, dim=model.dim)
        rows = texts()
    else:
        rows = samples(tmp_path)
        table = {
            "encoders": {"text": {**encoder, "lora": 2, "lr": 1e-2}, "image": {**encoder, "train": ["last 1"]}},
            "views": [["text"], ["image"]],
            "heads": {"use": "identity"},
            "dim": model.dim,
        }
        run = trained(table, rows, tmp_path / "run")
    found = export_hub(run, tmp_path / "out", "transformers", data=rows)
    assert found.opens == f"{kind}:{tmp_path / 'out'}"
    again, ours = Model.load(found.opens), Model.load(run / "model")
    assert again.modalities == model.modalities
    assert again.reading == model.reading
    asked = {Modality.TEXT: [Part(Modality.TEXT, text) for text in tiny_joint.TEXTS]}
    if kind != "clap":
        asked[Modality.IMAGE] = [Part(Modality.IMAGE, picture) for picture in tiny_joint.pictures()]
    for parts in asked.values():
        assert np.abs(again.encode(parts) - ours.encode(parts)).max() < CLOSE
        assert np.abs(again.encode(parts) - model.encode(parts)).max() > 1e-3, "what it learned went along"
    if kind == "clap":
        sounds = [Part(Modality.AUDIO, sound) for sound in tiny_joint.sounds()]
        assert np.array_equal(again.encode(sounds), model.encode(sounds))
    if kind == "clip":
        plain = transformers.CLIPModel.from_pretrained(tmp_path / "out")
        processor = transformers.AutoProcessor.from_pretrained(tmp_path / "out")
        with torch.inference_mode():
            rows_ = plain.get_text_features(**processor(text=["a red bus"], return_tensors="pt")).pooler_output
        theirs = torch.nn.functional.normalize(rows_, dim=1).numpy()
        assert np.abs(theirs - engine(run, ["a red bus"])).max() < CLOSE


def test_a_model_of_sentence_transformers_goes_back_with_its_head(tmp_path: Path) -> None:
    encoder = {"use": "sentence-transformers", "model": str(tiny_joint.sentence(tmp_path, prompt="query: "))}
    run = text_run({**encoder, "train": ["*"], "lr": 1e-3}, tmp_path / "run", heads={"use": "linear"}, dim=8)
    export_hub(run, tmp_path / "out", "sentence-transformers", data=texts())
    theirs = SentenceTransformer(str(tmp_path / "out"), device="cpu")
    assert theirs.default_prompt_name == "passage"
    assert np.abs(theirs.encode(["a red bus", "query"]) - engine(run, ["a red bus", "query"])).max() < CLOSE


def test_a_joint_model_of_sentence_transformers_goes_back_with_both_towers(tmp_path: Path) -> None:
    encoder = {"use": "sentence-transformers", "model": str(tiny_joint.sentence_clip(tmp_path / "st"))}
    rows = samples(tmp_path)
    both = {"encoders": {"text": {**encoder, "lora": 2}, "image": {**encoder, "train": ["last 1"]}}}
    run = trained({**both, "views": [["text"], ["image"]], "heads": {"use": "identity"}}, rows, tmp_path / "run")
    export_hub(run, tmp_path / "out", "sentence-transformers", data=rows)
    again, ours = Model.load(f"st:{tmp_path / 'out'}"), Model.load(run / "model")
    pictures = [Part(Modality.IMAGE, picture) for picture in tiny_joint.pictures()]
    assert np.abs(again.encode(pictures) - ours.encode(pictures)).max() < CLOSE
    assert np.abs(again.encode([Part(Modality.TEXT, "bus")]) - engine(run, ["bus"])).max() < CLOSE
    moved = trained({**both, "views": [["text"], ["image"]], "heads": {"use": "linear"}}, rows, tmp_path / "moved")
    with pytest.raises(
        ConfigError, match=r"head of text is 'linear'.*behind all that it reads; train with .* identity"
    ):
        export_hub(moved, tmp_path / "no", "sentence-transformers", data=rows)
    assert not (tmp_path / "no").exists()


def test_the_card_says_what_is_known_and_no_more(tmp_path: Path) -> None:
    encoder = {"use": "transformer", "model": saved("bert", tmp_path), "pooling": "mean"}
    run = text_run(encoder, tmp_path / "run", heads={"use": "linear"})
    export_hub(run, tmp_path / "out", "sentence-transformers", data=texts(), name="words")
    card = (tmp_path / "out" / "README.md").read_text()
    known = json.loads((run / "run.json").read_text())
    figures = json.loads((run / "result.json").read_text())["test"]
    assert "# words" in card
    assert f"Digest of the data: `{known['digest']}`" in card
    assert "16 training rows" in card
    assert "on its test rows" in card
    for key, value in [(key, value) for key, value in figures.items() if "/" in key]:
        assert f"| {key} | {value:.3f} |" in card
    assert "base_model" not in card, "a folder of this machine is no id on a hub"
    for file in (tmp_path / "out").rglob("*"):
        if file.suffix in {".json", ".md"}:
            assert str(tmp_path) not in file.read_text(), "nor does its path say anything to anybody else"


def test_what_has_no_place_is_named_with_what_to_do(tmp_path: Path) -> None:
    bert = {"use": "transformer", "model": saved("bert", tmp_path)}
    run = text_run(bert, tmp_path / "run", heads={"use": "linear"})

    def refused(run: Path, layout: str, match: str, kind: type[Exception] = ConfigError, **more: Any) -> None:
        rows = more.pop("data", texts())
        with pytest.raises(kind, match=match):
            export_hub(run, tmp_path / "out", layout, data=rows, **more)  # type: ignore[arg-type]
        assert not (tmp_path / "out").exists()

    refused(
        run, "transformers", r"head of text is 'linear', and a folder of transformers ends in the encoder; give --as"
    )
    refused(run, "onnx", r"no layout 'onnx'.*There are: sentence-transformers, transformers", UnknownPart)
    refused(run, "transformers", r"this run has no 'image' to write alone; it has text", only="image")
    deep = text_run(bert, tmp_path / "deep", heads={"use": "mlp", "depth": 2, "hidden": 8})
    refused(deep, "sentence-transformers", r"head of text is 'mlp' of several layers with norm and residual, which")
    residual = text_run(bert, tmp_path / "residual", heads={"use": "residual", "hidden": 8})
    refused(
        residual, "sentence-transformers", r"head of text is 'residual', which modules .* cannot say exactly; train"
    )
    attention = text_run({**bert, "pooling": "attention", "train": ["*"]}, tmp_path / "attention")
    refused(attention, "sentence-transformers", r"pooling of text is 'attention', .* train with one of these, or leave")
    narrow = text_run({**bert, "dim": 8, "train": ["*"]}, tmp_path / "narrow", heads={"use": "identity"}, dim=8)
    refused(narrow, "transformers", r"encoder of text ends in a projection \(dim\).*give --as sentence-transformers")
    words = text_run({"use": "bag-of-words", "dim": 8}, tmp_path / "words", heads={"use": "linear"})
    refused(words, "sentence-transformers", r"encoder of text is 'bag-of-words', which is no model of transformers")


def test_a_model_that_the_library_reads_otherwise_is_not_written(tmp_path: Path) -> None:
    """Of BART a net takes the encoder, and sentence-transformers what the decoder makes of it."""
    saved("bert", tmp_path)
    words = transformers.AutoTokenizer.from_pretrained(tmp_path / "bert")
    torch.manual_seed(0)
    layers = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    special = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "decoder_start_token_id": 2}
    sizes = {"vocab_size": len(words), "d_model": 16, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24}
    config = transformers.BartConfig(**sizes, **layers, **special, max_position_embeddings=64)
    transformers.BartModel(config).save_pretrained(tmp_path / "bart")
    words.save_pretrained(tmp_path / "bart")
    encoder = {"use": "transformer", "model": str(tmp_path / "bart")}
    run = text_run(encoder, tmp_path / "run", heads={"use": "identity"})
    with pytest.raises(ModelError, match=r"text vectors of sentence-transformers differ from the run's .*; leave --as"):
        export_hub(run, tmp_path / "out", "sentence-transformers", data=texts())
    assert not (tmp_path / "out").exists()


def test_two_models_are_two_folders(tmp_path: Path) -> None:
    rows = samples(tmp_path)
    text = {"use": "transformer", "model": saved("bert", tmp_path)}
    image = {"use": "clip", "model": str(tiny_joint.clip(tmp_path / "clip"))}
    table = {"encoders": {"text": text, "image": image}, "views": [["text"], ["image"]], "heads": {"use": "linear"}}
    run = trained(table, rows, tmp_path / "run")
    with pytest.raises(ConfigError, match=r"'transformer' of .* and that of image is 'clip'.*--only text"):
        export_hub(run, tmp_path / "out", "sentence-transformers", data=rows)
    with pytest.raises(ConfigError, match=r"encoder of image is 'clip', which goes back by --as transformers"):
        export_hub(run, tmp_path / "out", "sentence-transformers", only="image", data=rows)
    fused = trained(
        {**table, "views": [["text", "image"], ["text2"]], "fusion": {"use": "gated"}},
        [replace_text(row) for row in rows],
        tmp_path / "fused",
    )
    with pytest.raises(ConfigError, match=r"the fusion of this run is 'gated'.*give --only text"):
        export_hub(fused, tmp_path / "out", "sentence-transformers", data=[replace_text(row) for row in rows])


def test_one_encoder_of_a_run_that_fuses_or_scores(tmp_path: Path) -> None:
    text = {"use": "transformer", "model": saved("bert", tmp_path)}
    run = text_run(text, tmp_path / "run", heads={"use": "linear"}, score={"use": "pair-scorer"})
    with pytest.raises(ConfigError, match=r"the score of this run is 'pair-scorer', .* holds none; give --only"):
        export_hub(run, tmp_path / "out", "sentence-transformers", data=texts())
    export_hub(run, tmp_path / "out", "sentence-transformers", data=texts(), only="text")
    theirs = SentenceTransformer(str(tmp_path / "out"), device="cpu").encode(["a red bus"])
    assert np.abs(theirs - engine(run, ["a red bus"])).max() < CLOSE
    cosine = text_run(text, tmp_path / "cosine", heads={"use": "linear"}, score={"use": "cosine"})
    assert export_hub(cosine, tmp_path / "more", "sentence-transformers", data=texts()).dim == 16


def replace_text(row: Sample) -> Sample:
    return replace(row, columns={**row.columns, "text2": Part(Modality.TEXT, f"again {row.id}")})


def test_from_the_command_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"id": row.id, "key": row.key, "split": row.split} for row in texts()]
    rows = [row | {n: p.content for n, p in s.columns.items()} for row, s in zip(rows, texts(), strict=True)]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    saved("bert", tmp_path)
    Path("recipe.toml").write_text(
        'name = "mine"\ndim = 16\nviews = [["text"], ["text2"]]\nheads = {use = "linear"}\nfit = {epochs = 1}\n'
        'encoders = {text = {use = "transformer", model = "bert"}}\n'
    )
    run = in_process(capfd, monkeypatch)
    cache = ("--cache", "cache")
    trained = run("train", "recipe.toml", "--data", "rows.jsonl", "--out", "run", "--column", "text2=text", *cache)
    assert trained.code == 0, trained.err
    done = run("export", "run", "out", *cache, "--as", "sentence-transformers", "--only", "text")
    assert done.code == 0, done.err
    assert "A folder of sentence-transformers (text; 16 dimensions): out" in done.out
    assert "Next: duretrieval index FOLDER --model st:out" in done.out
    theirs = SentenceTransformer("out", device="cpu").encode(["a red bus"])
    assert np.abs(theirs - engine(Path("run"), ["a red bus"])).max() < CLOSE
    said = run("export", "run", "more", "--only", "text").err
    assert "--only is for --as, which writes one modality of a run; leave it out" in said
    said = run("export", "run", "more", "--with", "run", "--as", "transformers").err
    assert "--as is for one run, and the average of several is a model of the engine; leave it out" in said
    said = run("export", "clip:a/b", "more", "--as", "transformers").err
    assert "--as is for the folder of a run, and clip:a/b is the name of a model; leave it out" in said
    assert "out is in use; give a folder that is empty" in run("export", "run", "out", "--as", "transformers").err
