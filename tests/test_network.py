"""No command connects to the internet, nor does a library that one imports; only a hub's name that is typed may.

The kernel is asked (`strace`), since what reports to a maker need not be Python: ONNX Runtime's telemetry is not.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("strace"), reason="strace, which sees what native code does, is not installed"),
]
HERE = re.compile(r'inet_addr\("127\.|"::1"')
SCRIPT = Path(sys.executable).with_name("duretrieval")
RECIPE = """
name = "tiny"
dim = 8
views = [["text"], ["image"]]
encoders = { use = "builtin" }
heads = { use = "linear" }
[data]
near_duplicates = false
[fit]
epochs = 1
batch = 8
accelerator = "cpu"
[tune]
trials = 1
[tune.space]
"fit.lr" = [1e-3, 1e-2]
"""


def traced(folder: Path, command: list[str | Path], *, fails: bool = False, keys: str = "") -> None:
    """Run it in the folder; no process of it may have sent anything further than to this machine."""
    log = folder / "strace.log"
    tracing = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", log]
    names = ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", "HF_HUB_OFFLINE")
    env = {key: value for key, value in os.environ.items() if key not in names}
    env |= {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "cache")}
    ours, theirs = os.openpty()  # `judge` reads the keys of a terminal alone, and forgets those pressed before it asks
    with (folder / "said").open("w+") as said:
        running = subprocess.Popen([*tracing, *command], cwd=folder, env=env, stdin=theirs, stdout=said, stderr=said)
        while running.poll() is None:
            os.write(ours, keys.encode())
            time.sleep(0.3)
    os.close(ours)
    os.close(theirs)
    assert (running.returncode != 0) is fails, (folder / "said").read_text()
    assert not list(folder.rglob("Microsoft")), "ONNX Runtime's telemetry has begun: it keeps its device id there"
    told = [
        line for line in log.read_text(errors="replace").splitlines() if "AF_INET" in line and not HERE.search(line)
    ]
    assert not told, told[:5]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Notes and pictures, a manifest of both, and a recipe."""
    (tmp_path / "home").mkdir()
    (tmp_path / "things").mkdir()
    rows = []
    for number in range(30):
        Image.new("RGB", (16, 16), (number * 8, 255 - number * 8, 40)).save(tmp_path / "things" / f"{number}.png")
        rows.append({"id": str(number), "text": f"shade number {number}", "image": f"things/{number}.png"})
    (tmp_path / "things" / "a.txt").write_text("a dog barks")
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


def test_searching_and_its_kin(place: Path) -> None:
    traced(place, [SCRIPT, "index", "things"])
    for command in (["search", "dog"], ["stats"], ["verify"], ["doctor"], ["recipes"], ["show", "nothing"]):
        traced(place, [SCRIPT, *command], fails=command[0] == "show")
    traced(place, [SCRIPT, "migrate", "--model", "builtin"])
    traced(place, [SCRIPT, "evaluate", ".duretrieval", "--queries", "3"])
    traced(place, [SCRIPT, "evaluate", "builtin", "--data", "rows.jsonl", "--report", "report"])
    traced(place, [SCRIPT, "judge", ".duretrieval", "dog"], keys="q")
    traced(place, [SCRIPT, "remove", "--where", "ext = 'txt'"])


def test_training_and_its_kin(place: Path) -> None:
    traced(place, [SCRIPT, "check", "rows.jsonl"])
    traced(
        place, [SCRIPT, "train", "recipe.toml", "--data", "rows.jsonl", "--track", "wandb", "--track", "tensorboard"]
    )
    traced(place, [SCRIPT, "export", "runs/tiny", "model"])
    traced(place, [SCRIPT, "tune", "recipe.toml", "--data", "rows.jsonl", "--out", "tuned"])


OTHERS = "onnxruntime", "transformers", "sentence_transformers", "pytorch_lightning", "optuna", "gensim", "wandb"
AFTER = """
import sys
for name in sys.argv[1:]:
    __import__(name)
from pathlib import Path
from duretrieval.training.recipe.toml import read_recipe
from duretrieval.training.runs.run import export_run, train
train(read_recipe(Path("recipe.toml"), ["tune="]), Path("rows.jsonl"), Path("run"))
export_run(Path("run"), Path("exported"))
from duretrieval.collection.collection import Collection
with Collection.open("c", "exported") as c:
    c.add("things")
    c.search("dog")
"""


def test_a_program_that_imports_the_package_first(place: Path) -> None:
    """Whatever it imports next, and whichever of them imports the runtime."""
    (place / "script.py").write_text("import duretrieval\n" + AFTER)
    traced(place, [sys.executable, "script.py", *OTHERS])


def test_a_program_that_imports_others_first(place: Path) -> None:
    """Those that do not import the runtime before they use it; what does has begun to report (docs say so)."""
    (place / "script.py").write_text(AFTER)
    traced(place, [sys.executable, "script.py", "torch", "transformers", "optuna", "gensim", "wandb"])


def test_a_program_that_says_so_itself_imports_in_any_order(place: Path) -> None:
    (place / "script.py").write_text(AFTER)
    traced(place, ["env", "ORT_DISABLE_TELEMETRY=1", sys.executable, "script.py", *OTHERS])
