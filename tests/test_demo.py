"""The demo, on the media it fetches: what it shows is what a newcomer was promised."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MEDIA = ROOT / ".data" / "demo-media"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.registry,
    pytest.mark.skipif(not MEDIA.is_dir(), reason="needs the media that `make data` fetches"),
]


def duretrieval(*arguments: str) -> list[str]:
    """Names of the hits, or the lines of what another command says."""
    command = [sys.executable, "-m", "duretrieval", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "collection"
    done = duretrieval("index", str(MEDIA), str(ROOT / "examples" / "notes"), "-c", str(path), "--json")
    assert json.loads(done[-1])["problems"] == 0
    return path


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (["a cup of coffee", "--in", "image"], "coffee.png"),
        (["a rooster crowing", "--in", "audio"], "rooster.mp3"),
        (["riding a bicycle down the street", "--in", "video"], "bikes.mp4"),
        (["chemical analysis of wine", "--in", "text"], "wine_data.rst"),
        (["--image", f"{MEDIA}/pictures/chelsea.png", "--in", "text"], "cats.md"),
        (["--audio", f"{MEDIA}/sounds/horse.mp3", "--in", "image"], "horse.png"),
        (["--audio", f"{MEDIA}/sounds/rooster.mp3", "--in", "text"], "farm.md"),
        (["宇航员穿着太空服", "--in", "text"], "space.md"),
        (["狗叫声", "--in", "audio"], "dog.mp3"),
        (["火箭", "--in", "image"], "rocket.jpg"),
        (["咖啡", "--in", "text"], "茶与咖啡.md"),
        (["a cat"], "chelsea.png"),
        (["--video", f"{MEDIA}/films/bikes.mp4", "--in", "video"], "bikes.mp4"),
    ],
)
def test_the_first_hit(collection: Path, query: list[str], expected: str) -> None:
    hits = [json.loads(line) for line in duretrieval("search", *query, "-c", str(collection), "-k", "3", "--json")]
    assert hits[0]["fields"]["name"] == expected


def test_less_of_something(collection: Path) -> None:
    search = ["search", "2:an animal", "--in", "image,text", "-c", str(collection), "-k", "40", "--json"]
    with_cat, without = (
        [json.loads(line)["fields"]["name"] for line in duretrieval(*search, *less)]
        for less in ([], ["--not", "a cat"])
    )
    assert without.index("chelsea.png") > with_cat.index("chelsea.png")
    assert without.index("cats.md") > with_cat.index("cats.md")
