"""Folders and published sets to samples, small, in the layouts in which they are published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.media.samples import write_picture, write_video, write_wave

from duretrieval.errors import ConfigError, EvaluationError
from duretrieval.training.data.captioned import read_audiocaps, read_clotho, read_karpathy, read_msrvtt
from duretrieval.training.data.class_folders import read_class_folders, words
from duretrieval.training.data.json_folder import read_json_folder
from duretrieval.training.data.nli import read_nli, read_triples
from duretrieval.training.data.read import split_name
from duretrieval.training.data.sample import Sample


def said(sample: Sample) -> dict[str, object]:
    """Columns, with paths by their names."""
    return {name: p.content.name if isinstance(p.content, Path) else p.content for name, p in sample.columns.items()}


class TestJsonFolder:
    def test_a_file_a_sample(self, tmp_path: Path) -> None:
        (tmp_path / "b").mkdir()
        (tmp_path / "a.json").write_text(json.dumps({"image": "1.jpg", "text": "a red bus", "label": "bus"}))
        (tmp_path / "b" / "c.json").write_text(
            json.dumps({"image": "2.jpg", "text": "雨"}, ensure_ascii=False), "utf-8"
        )
        first, second = read_json_folder(tmp_path).samples
        assert (first.id, first.label, said(first)) == ("a", "bus", {"image": "1.jpg", "text": "a red bus"})
        assert second.id == "b/c"
        assert second.columns["image"].content == tmp_path / "b" / "2.jpg"

    def test_what_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text("{")
        (tmp_path / "b.json").write_text("[1]")
        (tmp_path / "c.json").write_text("{}")
        read = read_json_folder(tmp_path)
        assert read.samples == ()
        assert [p.file.name for p in read.problems if p.file] == ["a.json", "b.json", "c.json"]
        assert read.problems[0].reason.startswith("it is not JSON")
        assert read.problems[1].reason == "it is not an object in {} but a list; give each sample a file of its own"
        assert read.problems[2].reason.startswith("the row names no file and holds no text")

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"there is no \.json file in it"):
            read_json_folder(tmp_path)
        with pytest.raises(ConfigError, match="is not a folder; a file of many rows is read by the reader 'manifest'"):
            read_json_folder(tmp_path / "m.jsonl")


class TestClassFolders:
    def test_a_folder_a_class(self, tmp_path: Path) -> None:
        for label in ("a_red-bus", "rain"):
            (tmp_path / label).mkdir()
        write_picture(tmp_path / "a_red-bus" / "1.png")
        write_wave(tmp_path / "rain" / "1.wav", seconds=1)
        write_video(tmp_path / "rain" / "2.mp4", seconds=1)
        (tmp_path / "rain" / "3.txt").write_text("It pours.")
        (tmp_path / "rain" / "4.png").write_bytes(b"")
        (tmp_path / "readme.md").write_text("hello")
        read = read_class_folders(tmp_path)
        assert [said(sample) for sample in read.samples] == [
            {"image": "1.png", "text": "a red bus"},
            {"audio": "1.wav", "text": "rain"},
            {"video": "2.mp4", "text": "rain"},
            {"text": "3.txt", "title": "rain"},
        ]
        first = read.samples[0]
        assert (first.id, first.label, first.key, first.split) == ("a_red-bus/1.png", "a_red-bus", "a_red-bus", None)
        assert [(p.file.name, p.reason) for p in read.problems if p.file] == [
            ("readme.md", "it is in no folder of a class"),
            ("4.png", "it has no bytes"),
        ]

    def test_splits_are_recognised(self, tmp_path: Path) -> None:
        for place in ("train/cat", "train/dog/brown", "valid/cat", "test/dog"):
            (tmp_path / place).mkdir(parents=True)
            write_picture(tmp_path / place / "1.png")
        samples = read_class_folders(tmp_path).samples
        assert [(s.split, s.label, s.id) for s in samples] == [
            ("test", "dog", "test/dog/1.png"),
            ("train", "cat", "train/cat/1.png"),
            ("train", "dog", "train/dog/brown/1.png"),
            ("val", "cat", "valid/cat/1.png"),
        ]

    def test_a_class_called_train_is_a_class(self, tmp_path: Path) -> None:
        for place in ("train", "boat"):
            (tmp_path / place).mkdir()
            write_picture(tmp_path / place / "1.png")
        assert [(s.split, s.label) for s in read_class_folders(tmp_path).samples] == [(None, "boat"), (None, "train")]

    def test_words(self) -> None:
        assert words("a_red-bus") == "a red bus"
        assert words("trafficLight") == "traffic light"
        assert words("BMW__X5") == "BMW X5"
        assert words("红色_公共汽车") == "红色 公共汽车"

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="there are no folders of classes in it, such as"):
            read_class_folders(tmp_path)
        with pytest.raises(ConfigError, match="is not a folder"):
            read_class_folders(tmp_path / "absent")


SNLI = [
    ("entailment", "A person is outdoors.", "p1#r1e"),
    ("contradiction", "He sleeps at home.", "p1#r1c"),
    ("neutral", "He waits for friends.", "p1#r1n"),
    ("-", "He is tall.", "p1#r2n"),
]


def snli(path: Path) -> Path:
    rows = [
        {"gold_label": label, "sentence1": "A man stands on a street.", "sentence2": text, "pairID": identity}
        for label, text, identity in SNLI
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


class TestInference:
    def test_pairs_of_sentences(self, tmp_path: Path) -> None:
        read = read_nli(snli(tmp_path / "snli_1.0_dev.jsonl"), classes=True)
        assert [(s.id, s.label, s.split, s.score) for s in read.samples] == [
            ("p1#r1e", "entailment", "val", None),
            ("p1#r1c", "contradiction", "val", 0),
            ("p1#r1n", "neutral", "val", 0),
        ]
        assert said(read.samples[0]) == {"premise": "A man stands on a street.", "hypothesis": "A person is outdoors."}
        assert {s.group for s in read.samples} == {"a man stands on a street"}
        assert [p.reason for p in read.problems] == [
            "1 of 4 rows have no label that the annotators agreed on ('-'); they are left out"
        ]

    @pytest.mark.parametrize(("neutral", "negatives"), [("leave-out", 1), ("negative", 2), ("positive", 1)])
    def test_what_is_entailed_is_a_pair_and_what_is_not_its_negative(
        self, tmp_path: Path, neutral: str, negatives: int
    ) -> None:
        found = read_nli(snli(tmp_path / "train.jsonl"), neutral=neutral).samples  # type: ignore[arg-type]
        assert [s.id for s in found] == (["p1#r1e", "p1#r1n"] if neutral == "positive" else ["p1#r1e"])
        for sample in found:
            assert set(sample.columns) == {"premise", "hypothesis"}
            assert (sample.split, sample.key, sample.score) == ("train", "a man stands on a street", None)
            texts = [part.content for part in sample.negatives["hypothesis"]]
            assert texts[0] == "He sleeps at home."
            assert len(texts) == negatives

    def test_triples_of_a_premise(self, tmp_path: Path) -> None:
        (triple,) = read_nli(snli(tmp_path / "train.jsonl"), triples=True).samples
        assert said(triple) == {"anchor": "A man stands on a street.", "positive": "A person is outdoors."}
        assert [part.content for part in triple.negatives["positive"]] == ["He sleeps at home."]
        assert (triple.split, triple.key) == ("train", "a man stands on a street")

    def test_premises_that_entail_nothing_are_counted(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        rows = [{"premise": "a", "hypothesis": "b", "label": "c"}, {"premise": "c", "hypothesis": "d", "label": "e"}]
        path.write_text("\n".join(map(json.dumps, rows)))
        read = read_nli(path)
        assert [s.id for s in read.samples] == ["a.jsonl#2"]
        assert [p.reason for p in read.problems] == ["1 premises are left out, which lack an entailed hypothesis"]
        assert not read_nli(path, triples=True).samples

    def test_with_pictures(self, tmp_path: Path) -> None:
        path = tmp_path / "snli_ve_test.jsonl"
        row = {"gold_label": "entailment", "Flickr30K_ID": "47055", "sentence1": "A man.", "sentence2": "He waits."}
        wrong = {**row, "gold_label": "contradiction", "sentence2": "He runs.", "pairID": "47055.jpg#2r1c"}
        path.write_text("\n".join(map(json.dumps, ({**row, "pairID": "47055.jpg#2r1n"}, wrong))))
        (sample,) = read_nli(path, images=tmp_path / "images").samples
        assert [part.content for part in sample.negatives["text"]] == ["He runs."]
        assert sample.columns["image"].content == tmp_path / "images" / "47055.jpg"
        assert said(sample) == {"image": "47055.jpg", "text": "He waits."}
        assert (sample.label, sample.group, sample.split) == ("entailment", "47055", "test")

    def test_tabs_with_quotes_in_the_text(self, tmp_path: Path) -> None:
        """MultiNLI's TSV does not quote, and sentences begin with quotation marks."""
        path = tmp_path / "multinli_1.0_train.txt"
        path.write_text(
            'gold_label\tpairID\tsentence1\tsentence2\nneutral\t1e\t"Yes, he said.\tHe spoke.\n\ne\t2\ta\tb\n'
        )
        first, second = read_nli(path, classes=True).samples
        assert said(first) == {"premise": '"Yes, he said.', "hypothesis": "He spoke."}
        assert second.label == "entailment"

    @pytest.mark.parametrize(("number", "name"), [(0, "entailment"), (1, "neutral"), (2, "contradiction")])
    def test_numbered_labels(self, tmp_path: Path, number: int, name: str) -> None:
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps({"premise": "a", "hypothesis": "b", "label": number}))
        (sample,) = read_nli(path, classes=True).samples
        assert (sample.label, sample.id) == (name, "a.jsonl#1")

    def test_anli(self, tmp_path: Path) -> None:
        path = tmp_path / "dev.jsonl"
        path.write_text(json.dumps({"uid": "u1", "context": "a", "hypothesis": "b", "label": "c", "reason": "x"}))
        (sample,) = read_nli(path, classes=True).samples
        assert (sample.id, sample.label) == ("u1", "contradiction")

    def test_problems(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        rows = [
            {"premise": "a", "hypothesis": "b", "label": "maybe"},
            {"premise": "a", "label": "e"},
            {"premise": " ", "hypothesis": "b", "label": "e"},
            {"premise": "a", "hypothesis": "b", "label": -1},
        ]
        path.write_text("\n".join(map(json.dumps, rows)))
        read = read_nli(path)
        assert read.samples == ()
        assert [(p.line, p.reason) for p in read.problems] == [
            (1, "the label is 'maybe'; it must be entailment, neutral, contradiction, their first letters or 0, 1, 2"),
            (2, "it has no column for a hypothesis; its columns are: premise, label"),
            (3, "the premise is empty"),
            (None, "1 of 4 rows have no label that the annotators agreed on ('-'); they are left out"),
        ]

    def test_pictures_and_triples(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="give `images` or `triples`, not both"):
            read_nli(tmp_path / "a", images=tmp_path, triples=True)
        with pytest.raises(ConfigError, match="give `classes` or `triples`, not both"):
            read_nli(tmp_path / "a", classes=True, triples=True)
        with pytest.raises(ConfigError, match="neutral is 'no'; it must be one of leave-out, negative, positive"):
            read_nli(tmp_path / "a", neutral="no")  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match=r"a\.jsonl' cannot be opened: no such file"):
            read_nli(tmp_path / "a.jsonl")

    def test_triples_by_column(self, tmp_path: Path) -> None:
        path = tmp_path / "t.tsv"
        path.write_text("anchor\tpositive\tnegative\na cat\ta kitten\ta car\nrain\tdrizzle\t\n")
        first, second = read_triples(path).samples
        assert said(first) == {"anchor": "a cat", "positive": "a kitten"}
        assert [part.content for part in first.negatives["positive"]] == ["a car"]
        assert (set(second.columns), second.negatives) == ({"anchor", "positive"}, {})

    def test_several_negatives(self, tmp_path: Path) -> None:
        path = tmp_path / "t.jsonl"
        row = {"anchor": "a cat", "positive": "a kitten", "negative_1": "a car", "negative_2": ["a bus", "a van"]}
        path.write_text(json.dumps(row))
        (sample,) = read_triples(path).samples
        assert [part.content for part in sample.negatives["positive"]] == ["a car", "a bus", "a van"]


class TestCaptionSets:
    def test_karpathy(self, tmp_path: Path) -> None:
        def image(n: int, split: str, *captions: str) -> dict[str, object]:
            sentences = [{"raw": text, "sentid": 10 * n + i, "imgid": n} for i, text in enumerate(captions)]
            where = {"filepath": "val2014", "filename": f"{n}.jpg", "imgid": n, "cocoid": 100 + n}
            return {**where, "split": split, "sentences": sentences}

        images = [image(0, "test", "a man", "a helmet"), image(1, "restval", "a girl"), image(2, "val", "rain")]
        path = tmp_path / "dataset_coco.json"
        path.write_text(json.dumps({"images": images, "dataset": "coco"}))
        samples = read_karpathy(path, tmp_path / "coco").samples
        assert [(s.id, s.split, s.key, s.columns["text"].content) for s in samples] == [
            ("0", "test", "100", "a man"),
            ("1", "test", "100", "a helmet"),
            ("10", "train", "101", "a girl"),
            ("20", "val", "102", "rain"),
        ]
        assert samples[0].columns["image"].content == tmp_path / "coco" / "val2014" / "0.jpg"

    def test_karpathy_of_another_layout(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        path.write_text("{}")
        with pytest.raises(EvaluationError, match=r"a.json is not a dataset_\*.json of Karpathy's splits"):
            read_karpathy(path, tmp_path)

    def test_msrvtt(self, tmp_path: Path) -> None:
        videos = [{"video_id": "video0", "split": "train"}, {"video_id": "video7", "split": "validate"}]
        sentences = [
            {"video_id": "video7", "caption": "a ship", "sen_id": 5},
            {"video_id": "video0", "caption": "a car", "sen_id": 0},
        ]
        path = tmp_path / "MSRVTT_data.json"
        path.write_text(json.dumps({"videos": videos, "sentences": sentences}))
        samples = read_msrvtt(path, tmp_path).samples
        assert [(s.id, s.split, s.key, said(s)) for s in samples] == [
            ("0", "train", "video0", {"video": "video0.mp4", "text": "a car"}),
            ("5", "val", "video7", {"video": "video7.mp4", "text": "a ship"}),
        ]
        table = tmp_path / "MSRVTT_JSFUSION_test.csv"
        table.write_text("key,vid_key,video_id,sentence\nret0,msr7010,video7010,a ship\n")
        (sample,) = read_msrvtt(table, tmp_path).samples
        assert (sample.id, sample.split, said(sample)) == ("ret0", "test", {"video": "video7010.mp4", "text": "a ship"})

    def test_audiocaps(self, tmp_path: Path) -> None:
        path = tmp_path / "val.csv"
        path.write_text("audiocap_id,youtube_id,start_time,caption\n1,abc,170,a dog\n2,def,0,rain\n3,abc,170,barking\n")
        (tmp_path / "abc_170.flac").touch()
        read = read_audiocaps(path, tmp_path, suffix=".flac")
        assert [(s.id, s.key, s.split, said(s)) for s in read.samples] == [
            ("1", "abc_170", "val", {"audio": "abc_170.flac", "text": "a dog"}),
            ("3", "abc_170", "val", {"audio": "abc_170.flac", "text": "barking"}),
        ]
        assert [p.reason for p in read.problems] == [f"1 of 2 clips are not in {tmp_path}; they are left out"]
        with pytest.raises(ConfigError, match="is not a folder; give the one that the clips are in"):
            read_audiocaps(path, tmp_path / "absent")

    def test_clotho(self, tmp_path: Path) -> None:
        path = tmp_path / "clotho_captions_development.csv"
        heading = ",".join(["file_name", *(f"caption_{n}" for n in range(1, 6))])
        path.write_text(f"{heading}\nrain.wav,a,b,c,d,e\n")
        samples = read_clotho(path, tmp_path).samples
        assert [s.columns["text"].content for s in samples] == list("abcde")
        assert {(s.key, s.split) for s in samples} == {("rain.wav", "train")}


@pytest.mark.parametrize(
    ("name", "split"),
    [("Training", "train"), ("dev", "val"), ("restval", "train"), ("evaluation", "test"), ("x", None)],
)
def test_names_of_splits(name: str, split: str | None) -> None:
    assert split_name(name) == split
