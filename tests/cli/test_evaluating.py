"""`evaluate` and `judge` as a person or a build types them."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from duretrieval.cli import judging
from duretrieval.cli.app import app
from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError, EvaluationError
from duretrieval.evaluation.runs import write_judgements, write_run

N = 40


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs over forty queries: `good` finds each at once, `bad` finds half of them last."""
    ids = [f"d{i}" for i in range(N)]
    write_judgements(tmp_path / "qrels", {f"q{i}": {ids[i]: 1.0} for i in range(N)})
    good = {f"q{i}": {item: 1.0 if item == ids[i] else 0.5 for item in ids} for i in range(N)}
    write_run(tmp_path / "good.txt", good)
    write_run(
        tmp_path / "bad.txt",
        {q: {d: -s if i % 2 else s for d, s in m.items()} for i, (q, m) in enumerate(good.items())},
    )
    return tmp_path


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    media = folder / "media"
    media.mkdir()
    for name, text in {"cats": "A cat purrs.", "dogs": "A dog barks.", "wine": "Wine is made of grapes."}.items():
        (media / f"{name}.txt").write_text(text)
    with Collection.open(folder / "c") as c:
        c.add(media)
    return folder / "c"


def test_a_run_is_printed_with_intervals(runs: Path) -> None:
    result = run("evaluate", runs / "good.txt", "--judgements", runs / "qrels", "--pair", "text-image")
    assert result.exit_code == 0
    assert re.search(r"text-image\s+hit@1\s+100.0\s+91.2–100.0", result.stdout)


def test_json_is_a_line_a_figure(runs: Path) -> None:
    result = run(
        "evaluate", runs / "bad.txt", "--judgements", runs / "qrels", "--metric", "hit@1", "--metric", "rr", "--json"
    )
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["measure"] for row in rows] == ["hit@1", "rr"]
    assert rows[0] == {**rows[0], "kind": "figure", "pair": "any-any", "queries": N, "gallery": N, "value": 0.5}


def test_the_gate_stops_for_a_real_loss_only(runs: Path) -> None:
    judged = ("--judgements", runs / "qrels")
    assert run("evaluate", runs / "good.txt", *judged, "--report", runs / "before").exit_code == 0
    same = run("evaluate", runs / "good.txt", *judged, "--against", runs / "before", "--gate")
    assert same.exit_code == 0
    assert "worse" not in same.stdout
    worse = run(
        "evaluate",
        runs / "bad.txt",
        *judged,
        "--against",
        runs / "before/result.json",
        "--gate",
        "--report",
        runs / "after",
    )
    assert worse.exit_code == 1
    assert "gate: " in worse.stderr
    assert re.search(r"hit@1\s+100.0\s+50.0\s+-50.0 .*worse", worse.stdout)
    page = (runs / "after/report.html").read_text(encoding="utf-8")
    assert "▼ worse" in page
    rows = [
        json.loads(line)
        for line in run(
            "evaluate", runs / "after/result.json", "--against", runs / "before", "--json"
        ).stdout.splitlines()
    ]
    assert any(row["kind"] == "difference" and row["significant"] and not row["better"] for row in rows)


def test_a_collection_shows_its_health(collection: Path, tmp_path: Path) -> None:
    result = run("evaluate", collection, "--queries", "5", "--report", tmp_path / "out", "--lang", "zh")
    assert result.exit_code == 0
    assert "3 items, 0 with a problem (0.0 %); 3 parts, every vector is compared" in result.stdout
    assert "words to hits" in result.stdout
    html = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in html
    assert json.loads((tmp_path / "out/health.json").read_text())["items"] == 3


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--gate",), "--gate needs --against"),
        (("--lang", "fr"), "there are en and zh"),
        (("--pair", "text"), "write two of text, image"),
    ],
)
def test_a_wrong_command_line(runs: Path, arguments: tuple[str, ...], complaint: str) -> None:
    result = run("evaluate", runs / "good.txt", "--judgements", runs / "qrels", *arguments)
    assert result.exit_code == 2
    assert complaint in " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())


def test_an_earlier_result_that_is_not_there(runs: Path) -> None:
    with pytest.raises(EvaluationError, match=r"there is no result at .*nowhere; --report DIR writes DIR/result.json"):
        run("evaluate", runs / "good.txt", "--judgements", runs / "qrels", "--against", runs / "nowhere")


def test_judging_with_every_key(collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "at_a_terminal", lambda: True)
    out = tmp_path / "j.jsonl"
    (tmp_path / "queries.txt").write_text("barking\n\n", encoding="utf-8")
    arguments = ["judge", str(collection), "a purring cat", "--queries", str(tmp_path / "queries.txt"), "-o", str(out)]
    result = CliRunner().invoke(app, arguments, input="ynunxsyq")
    assert result.exit_code == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["query"], row["gain"]) for row in rows] == [("a purring cat", 1), ("a purring cat", 0), ("barking", 1)]
    assert "3 judgements in" in result.stdout
    assert "A cat purrs." in result.stdout
    measured = run("evaluate", collection, "--data", out, "--queries", "3")
    assert re.search(r"text-text\s+hit@1\s+100.0", measured.stdout)
    assert "judged@10" in measured.stdout


def test_nothing_to_judge_by(collection: Path, tmp_path: Path) -> None:
    assert run("judge", collection).exit_code == 2
    with pytest.raises(EvaluationError, match=r"the queries in .*gone.txt cannot be read"):
        run("judge", collection, "--queries", tmp_path / "gone.txt")


def test_judging_at_a_terminal_loses_nothing_to_ctrl_c(collection: Path, tmp_path: Path) -> None:
    out = tmp_path / "j.jsonl"
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "duretrieval", "judge", str(collection), "a purring cat", "-o", str(out)]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm"})
    os.close(slave)
    try:
        read_until(master, b"right?")
        press(master, b"y")
        read_until(master, b"right?")
        assert len(out.read_text().splitlines()) == 1
        press(master, b"\x03")
        shown = read_until(master, b"Measure with")
        assert b"1 judgements in" in shown
        assert process.wait(30) == 0
    finally:
        process.kill()
        os.close(master)


def press(master: int, key: bytes) -> None:
    """Once the program reads keys, not lines: what came before is thrown away, as terminals do."""
    end = time.monotonic() + 60
    while termios.tcgetattr(master)[3] & termios.ICANON and time.monotonic() < end:
        time.sleep(0.01)
    os.write(master, key)


def read_until(master: int, wanted: bytes) -> bytes:
    seen = b""
    end = time.monotonic() + 60
    while wanted not in seen and time.monotonic() < end:
        if select.select([master], [], [], 1)[0]:
            seen += os.read(master, 4096)
    assert wanted in seen, seen
    return seen


def test_columns_of_any_name(tmp_path: Path) -> None:
    """A manifest whose columns are called otherwise is indexed and measured with --column."""
    for colour in ("red", "blue"):
        Image.new("RGB", (40, 40), colour).save(tmp_path / f"{colour}.png")
    manifest = tmp_path / "配对.csv"
    manifest.write_text("文字,图片\n红色,red.png\n蓝色,blue.png\n", encoding="utf-8")
    named = ("--column", "文字=text", "--column", "图片=image")
    with pytest.raises(EvaluationError, match=r"say what others are with --column NAME=text or NAME=file"):
        run("evaluate", "builtin", "--data", manifest)
    result = run("evaluate", "builtin", "--data", manifest, *named, "--json")
    pairs = {json.loads(line)["pair"] for line in result.stdout.splitlines()}
    assert pairs == {"text-image", "image-text"}
    assert run("index", "--manifest", manifest, *named, "-c", tmp_path / "c").exit_code == 0
    with Collection.open(tmp_path / "c") as collection:
        assert collection.stats().modalities == {"text": 2, "image": 2}


def test_columns_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("文字\nx\n", encoding="utf-8")
    for typed in ("文字", "=text"):
        result = run("evaluate", "builtin", "--data", tmp_path / "a.csv", "--column", typed)
        assert result.exit_code == 2
        assert "write NAME=ROLE" in result.stderr
    with pytest.raises(ConfigError, match=r"column '文字' cannot be 'words'\. The roles are: id, name, text, image"):
        run("evaluate", "builtin", "--data", tmp_path / "a.csv", "--column", "文字=words")
    result = run("index", tmp_path / "a.csv", "--column", "文字=text", "-c", tmp_path / "c")
    assert result.exit_code == 2
    assert "columns of a manifest" in result.stderr
