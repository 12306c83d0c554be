"""The field's label files, small, in the layouts in which they are published, down to their quirks."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from duretrieval.errors import EvaluationError
from duretrieval.evaluation.labels.captions import Captions, gather
from duretrieval.evaluation.labels.readers import (
    read_audiocaps,
    read_clotho,
    read_karpathy,
    read_msrvtt,
    read_msrvtt_1ka,
    read_msrvtt_ids,
    read_positives,
)
from duretrieval.types import Modality

COCO = {
    "images": [
        {
            "filepath": "val2014",
            "sentids": [770337, 771687, 772707],
            "filename": "COCO_val2014_000000391895.jpg",
            "imgid": 0,
            "split": "test",
            "sentences": [
                {
                    "tokens": ["a", "man"],
                    "raw": "A man with a red helmet on a small moped. ",
                    "imgid": 0,
                    "sentid": 770337,
                },
                {"tokens": ["man"], "raw": "Man riding a motor bike.", "imgid": 0, "sentid": 771687},
                {"tokens": ["a"], "raw": "A man riding on the back.", "imgid": 0, "sentid": 772707},
            ],
            "cocoid": 391895,
        },
        {
            "filepath": "val2014",
            "sentids": [681330],
            "filename": "COCO_val2014_000000060623.jpg",
            "imgid": 1,
            "split": "restval",
            "sentences": [{"tokens": ["a"], "raw": "A young girl.", "imgid": 1, "sentid": 681330}],
            "cocoid": 60623,
        },
        {
            "filepath": "val2014",
            "sentids": [100, 101],
            "filename": "COCO_val2014_000000483108.jpg",
            "imgid": 2,
            "split": "test",
            "sentences": [
                {"tokens": ["a"], "raw": "A man on a bicycle.", "imgid": 2, "sentid": 100},
                {"tokens": ["a"], "raw": "A train.", "imgid": 2, "sentid": 101},
            ],
            "cocoid": 483108,
        },
    ],
    "dataset": "coco",
}
FLICKR = {
    "images": [
        {
            "sentids": [0, 1],
            "imgid": 0,
            "sentences": [
                {"tokens": ["two"], "raw": "Two young guys.", "imgid": 0, "sentid": 0},
                {"tokens": ["two"], "raw": "两个人。", "imgid": 0, "sentid": 1},
            ],
            "split": "test",
            "filename": "1000092795.jpg",
        }
    ],
    "dataset": "flickr30k",
}
MSRVTT = {
    "info": {
        "contributor": "x",
        "data_created": "2016-04-14 14:30:20",
        "version": "1.0",
        "description": "",
        "year": "2016",
    },
    "videos": [
        {
            "category": 9,
            "url": "",
            "video_id": "video0",
            "start time": 137.72,
            "end time": 149.44,
            "split": "train",
            "id": 0,
        },
        {
            "category": 16,
            "url": "",
            "video_id": "video7010",
            "start time": 1.0,
            "end time": 9.0,
            "split": "test",
            "id": 7010,
        },
    ],
    "sentences": [
        {"caption": "a cartoon animals runs", "video_id": "video7010", "sen_id": 140200},
        {"caption": "a car is shown", "video_id": "video0", "sen_id": 0},
        {"caption": "a ship", "video_id": "video7010", "sen_id": 140201},
    ],
}


def put(tmp_path: Path, name: str, content: object) -> Path:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_karpathy_coco(tmp_path: Path) -> None:
    path = put(tmp_path, "dataset_coco.json", COCO)
    assert read_karpathy(path) == Captions(
        name="coco test",
        modality=Modality.IMAGE,
        items=("val2014/COCO_val2014_000000391895.jpg", "val2014/COCO_val2014_000000483108.jpg"),
        item_ids=("391895", "483108"),
        texts=(
            "A man with a red helmet on a small moped. ",
            "Man riding a motor bike.",
            "A man riding on the back.",
            "A man on a bicycle.",
            "A train.",
        ),
        text_ids=("770337", "771687", "772707", "100", "101"),
        item=(0, 0, 0, 1, 1),
    )
    assert read_karpathy(path, "restval").items == ("val2014/COCO_val2014_000000060623.jpg",)
    assert read_karpathy(path, captions=2).text_ids == ("770337", "771687", "100", "101")
    assert list(Counter(read_karpathy(path).item).values()) == [3, 2]


def test_karpathy_flickr_has_neither_folder_nor_coco_ids(tmp_path: Path) -> None:
    found = read_karpathy(put(tmp_path, "dataset_flickr30k.json", FLICKR))
    assert (found.items, found.item_ids, found.texts[1]) == (("1000092795.jpg",), ("0",), "两个人。")


def test_msrvtt(tmp_path: Path) -> None:
    path = put(tmp_path, "MSRVTT_data.json", MSRVTT)
    test = read_msrvtt(path, split="test")
    assert (test.items, test.texts) == (("video7010.mp4",), ("a cartoon animals runs", "a ship"))
    assert test.modality is Modality.VIDEO
    assert read_msrvtt(path).item_ids == ("video0", "video7010")
    names = read_msrvtt_ids(put(tmp_path, "MSRVTT_train.9k.csv", "video_id\nvideo7010\nvideo0\n"))
    assert read_msrvtt(path, videos=names).text_ids == ("140200", "140201", "0")


def test_msrvtt_1k_a(tmp_path: Path) -> None:
    text = (
        "key,vid_key,video_id,sentence\n"
        "ret0,msr9770,video9770,a person is connecting something to system\n"
        'ret1,msr9771,video9771,"a man, singing"\n'
    )
    found = read_msrvtt_1ka(put(tmp_path, "MSRVTT_JSFUSION_test.csv", text))
    assert found.items == ("video9770.mp4", "video9771.mp4")
    assert found.texts[1] == "a man, singing"
    assert found.text_ids == ("ret0", "ret1")
    assert found.item == (0, 1)


AUDIOCAPS = (
    "audiocap_id,youtube_id,start_time,caption\n"
    "103549,7fmOlUlwoNg,20,Constant rattling noise and sharp vibrations\n"
    "103548,7fmOlUlwoNg,20,A rocket flies by\n"
    "103541,6BJ455B1aAs,0,A rocket, flying\n"
    "103550,7fmOlUlwoNg,20,Humming\n"
)


def test_audiocaps_clips_need_not_be_in_a_row(tmp_path: Path) -> None:
    path = put(tmp_path, "test.csv", AUDIOCAPS.replace("A rocket, flying", '"A rocket, flying"'))
    found = read_audiocaps(path)
    assert found.items == ("7fmOlUlwoNg_20", "6BJ455B1aAs_0")
    assert found.text_ids == ("103549", "103548", "103550", "103541")
    assert found.item == (0, 0, 0, 1)
    assert read_audiocaps(path, have={"6BJ455B1aAs_0"}).texts == ("A rocket, flying",)
    with pytest.raises(EvaluationError, match=r"none of its 2 clips .* named like '7fmOlUlwoNg_20'"):
        read_audiocaps(path, have={"else"})


def test_clotho(tmp_path: Path) -> None:
    text = (
        "\ufefffile_name,caption_1,caption_2,caption_3,caption_4,caption_5\r\n"
        'Santa Motor.wav,"A machine whines, and squeals",two,three,four,five\r\n'
        "01 A pug.wav,one,two,three,four,five\r\n"
    )
    found = read_clotho(put(tmp_path, "clotho_captions_evaluation.csv", text))
    assert found.items == ("Santa Motor.wav", "01 A pug.wav")
    assert found.texts[0] == "A machine whines, and squeals"
    assert found.text_ids[9] == "01 A pug.wav#5"
    assert list(Counter(found.item).values()) == [5, 5]
    assert found.modality is Modality.AUDIO


def test_positives(tmp_path: Path) -> None:
    captions = read_karpathy(put(tmp_path, "dataset_coco.json", COCO))
    path = put(tmp_path, "eccv_caption_to_image.json", {"770337": [391895, 483108], "101": [483108]})
    found = read_positives(path, captions.text_ids, captions.item_ids)
    assert found.item.tolist() == [0, 1, 1]
    assert np.diff(found.start).tolist() == [2, 0, 0, 0, 1]
    with pytest.raises(EvaluationError, match="judges query '770337', which is not among the 2 given"):
        read_positives(path, captions.item_ids, captions.text_ids)
    with pytest.raises(EvaluationError, match=r"names '391895' for query '770337', .* read the whole split"):
        read_positives(path, captions.text_ids, ["483108"])
    with pytest.raises(EvaluationError, match="not a file of positives"):
        read_positives(put(tmp_path, "list.json", [1]), [], [])


def test_what_is_wrong_is_named_with_its_place(tmp_path: Path) -> None:
    coco = put(tmp_path, "coco.json", COCO)
    with pytest.raises(EvaluationError, match=r"coco.json has no split 'dev'; it has restval, test"):
        read_karpathy(coco, "dev")
    with pytest.raises(EvaluationError, match=r"483108.jpg has 2 captions, fewer than the 3 asked for"):
        read_karpathy(coco, captions=3)
    with pytest.raises(EvaluationError, match=r"broken.json:2: not JSON"):
        read_karpathy(put(tmp_path, "broken.json", '{"images":\n oops}'))
    with pytest.raises(EvaluationError, match=r"not a dataset_\*.json of Karpathy's splits \(KeyError: 'images'\)"):
        read_karpathy(put(tmp_path, "other.json", MSRVTT))
    with pytest.raises(EvaluationError, match=r"not a file of MSR-VTT \(KeyError: 'videos'\)"):
        read_msrvtt(coco)
    msrvtt = put(tmp_path, "msrvtt.json", MSRVTT)
    with pytest.raises(EvaluationError, match="has no split 'validate'; it has test, train"):
        read_msrvtt(msrvtt, split="validate")
    with pytest.raises(EvaluationError, match="has no film 'video1'"):
        read_msrvtt(msrvtt, videos=["video1"])
    with pytest.raises(EvaluationError, match=r"a.csv:1: no column vid_key, sentence; this layout has key, vid_key"):
        read_msrvtt_1ka(put(tmp_path, "a.csv", "key,video_id\nx,y\n"))
    with pytest.raises(EvaluationError, match=r"b.csv:3: the row ends before start_time"):
        read_audiocaps(put(tmp_path, "b.csv", "audiocap_id,youtube_id,start_time,caption\n1,a,2,c\n1,a\n"))
    with pytest.raises(EvaluationError, match=r"c.csv:2: start_time is 'now'; it must be seconds"):
        read_audiocaps(put(tmp_path, "c.csv", "audiocap_id,youtube_id,start_time,caption\n1,a,now,c\n"))
    with pytest.raises(EvaluationError, match=r"d.csv:1: no column file_name"):
        read_clotho(put(tmp_path, "d.csv", ""))
    (tmp_path / "e.csv").write_bytes(b"video_id\n\xff\xfe\n")
    with pytest.raises(EvaluationError, match=r"e.csv:\d+: not CSV in UTF-8"):
        read_msrvtt_ids(tmp_path / "e.csv")
    with pytest.raises(EvaluationError, match="s has no items; is it the right split"):
        gather("s", Modality.IMAGE, [])
    with pytest.raises(EvaluationError, match="s: two items have the id '1'"):
        gather("s", Modality.IMAGE, [("a", "1", []), ("b", "1", [])])
    with pytest.raises(EvaluationError, match="s: two captions have the id '7'"):
        gather("s", Modality.IMAGE, [("a", "1", [("7", "x"), ("7", "y")])])
