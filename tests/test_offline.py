"""Searching needs neither a network nor torch, and importing the package costs next to nothing."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
from PIL import Image

BLOCKED = """
import socket, sys

class Blocked(socket.socket):
    def connect(self, address):
        raise OSError(f"this test allows no connection, and something wants {address}")
    connect_ex = sendto = connect

def refuse(*args, **kwargs):
    raise OSError(f"this test allows no look-up, and something wants {args}")

socket.socket = Blocked
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse
for name in ("torch", "transformers", "sentence_transformers", "tensorflow"):
    sys.modules[name] = None
"""


def run(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_index_and_search_with_every_socket_blocked_and_torch_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("The dog barks at the postman.")
    code = (
        BLOCKED
        + """
from pathlib import Path
from duretrieval.collection.collection import Collection

if __name__ == "__main__":
    with Collection.open(Path(sys.argv[1]) / "collection") as collection:
        assert collection.add(Path(sys.argv[1]) / "note.txt").problems == {}
        print(collection.search("狗叫")[0].item.fields["name"])
    assert not [name for name in ("torch", "transformers") if sys.modules.get(name)]
"""
    )
    assert run(code, str(tmp_path)) == "note.txt\n"


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("onnxruntime", "lance", "pyarrow", "PIL", "av", "tokenizers", "typer", "rich", "pypdfium2", "torch")
    code = f"""
    import sys
    import duretrieval
    print([name for name in {heavy!r} if name in sys.modules])
    """
    assert run(code) == "[]\n"


def test_a_text_search_reads_no_media_library() -> None:
    code = """
    import sys
    from duretrieval.collection.collection import Collection
    from duretrieval.model.model import Model
    from duretrieval.types import Modality, Part
    Model.load("builtin").encode([Part(Modality.TEXT, "a dog")])
    print([name for name in ("av", "PIL", "pypdfium2", "soundfile", "docx") if name in sys.modules])
    """
    assert run(code) == "[]\n"


def test_reading_a_recipe_and_checking_its_rows_needs_no_torch(tmp_path: Path) -> None:
    """Not even for its names in the windows: torch takes seconds."""
    rows = [f'{{"id": "{n}", "caption": "word {n}", "image": "{n}.png"}}' for n in range(20)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    for n in range(20):
        Image.fromarray(np.random.default_rng(n).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(
            tmp_path / f"{n}.png"
        )
    code = (
        BLOCKED
        + """
from duretrieval import training
from duretrieval.cli.app import app
from duretrieval.training import contracts, samplers

if __name__ == "__main__":
    assert len([training.read_recipe(ready.path) for ready in training.ready()]) >= 6
    assert samplers.Order(8, 4, 0).steps == 2 and training.Net and training.Score and contracts.FusionNet
    manifest = sys.argv[1] + "/rows.jsonl"
    assert not training.audit(manifest, training.Data(), 0).problems
    app(["check", manifest, "--recipe", "pairs"])
"""
    )
    assert "Every row can be used" in run(code, str(tmp_path))


def test_all_is_what_is_there() -> None:
    import duretrieval

    assert sorted(duretrieval.__all__) == duretrieval.__all__
    assert all(hasattr(duretrieval, name) for name in duretrieval.__all__)
