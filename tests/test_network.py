"""No command connects to the internet, nor does a library that one imports; only a hub's name that is typed may.

The kernel is asked (`strace`), since what reports to a maker need not be Python: ONNX Runtime's telemetry is not.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from tests.ends import running

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


TYPED = """
import shlex, sys
from duretrieval.cli import main
for command in sys.argv[1:]:
    sys.argv[1:] = shlex.split(command)
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            sys.exit(f"{command} ended with {ended.code}")
"""


def typed(folder: Path, *commands: str) -> None:
    """`traced`, commands one after another in one process: what they import is imported once."""
    traced(folder, [sys.executable, "-c", TYPED, *commands])


def traced(folder: Path, command: list[str | Path], *, fails: bool = False, keys: str = "") -> None:
    """Run it in the folder; no process of it may have sent anything further than to this machine."""
    log = folder / "strace.log"
    tracing = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", log]
    names = ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", "HF_HUB_OFFLINE")
    env = {key: value for key, value in os.environ.items() if key not in names}
    env |= {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "cache")}
    ours, theirs = os.openpty()  # `judge` reads the keys of a terminal alone, and forgets those pressed before it asks
    with (folder / "said").open("w+") as said:
        streams = {"stdin": theirs, "stdout": said, "stderr": said}
        with running([*tracing, *command], cwd=folder, env=env, **streams) as process:
            while process.poll() is None:
                os.write(ours, keys.encode())
                time.sleep(0.05)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode != 0) is fails, (folder / "said").read_text()
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
    typed(place, "search dog", "stats", "verify", "doctor", "recipes", "migrate --model builtin")
    typed(place, "evaluate .duretrieval --queries 3", "evaluate builtin --data rows.jsonl --report report")
    traced(place, [SCRIPT, "judge", ".duretrieval", "dog"], keys="q")
    traced(place, [SCRIPT, "show", "nothing"], fails=True)
    typed(place, "remove --where \"ext = 'txt'\"")


def test_training_and_its_kin(place: Path) -> None:
    typed(
        place,
        "check rows.jsonl",
        "train recipe.toml --data rows.jsonl --track wandb --track tensorboard",
        "export runs/tiny model",
        "tune recipe.toml --data rows.jsonl --out tuned",
    )


OTHERS = "onnxruntime", "transformers", "sentence_transformers", "pytorch_lightning", "optuna", "gensim", "wandb"
IMPORT = """
import sys
for name in sys.argv[1:]:
    __import__(name)
"""
TRAIN = """
from pathlib import Path
from duretrieval.training.recipe.toml import read_recipe
from duretrieval.training.runs.reopened import export_run
from duretrieval.training.runs.trained import train
train(read_recipe(Path("recipe.toml"), ["tune="]), Path("rows.jsonl"), Path("run"))
export_run(Path("run"), Path("exported"))
"""
SEARCH = """
from duretrieval.collection.collection import Collection
with Collection.open("c", {model!r}) as c:
    c.add("things")
    c.search("dog")
"""


def test_a_program_that_imports_the_package_first(place: Path) -> None:
    """Whatever it imports next, and whichever of them imports the runtime."""
    (place / "script.py").write_text("import duretrieval\n" + IMPORT + TRAIN + SEARCH.format(model="exported"))
    traced(place, [sys.executable, "script.py", *OTHERS])


def test_a_program_that_imports_others_first(place: Path) -> None:
    """Those that do not import the runtime before they use it; what does has begun to report (docs say so)."""
    (place / "script.py").write_text(IMPORT + SEARCH.format(model="builtin"))
    traced(place, [sys.executable, "script.py", "torch", "transformers", "optuna", "gensim", "wandb"])


def test_a_program_that_says_so_itself_imports_in_any_order(place: Path) -> None:
    """Whoever imports the runtime, it reads the variable as it is imported."""
    (place / "script.py").write_text(IMPORT + SEARCH.format(model="builtin"))
    traced(place, ["env", "ORT_DISABLE_TELEMETRY=1", sys.executable, "script.py", "onnxruntime"])
