"""Indexing is killed without warning, six times; nothing is lost or doubled."""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.ends import running

from duretrieval.collection.collection import Collection
from duretrieval.errors import NotACollection

FILES = 800
"""So many that one decoder does not get through them in a commit, of 512 at most, and half a second."""


@pytest.mark.slow
def test_kill_9_during_indexing_loses_and_doubles_nothing(tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    rng = np.random.default_rng(0)
    for i in range(FILES):
        pixels = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((160, 120)).save(media / f"{i:04}.jpg")
    index = [sys.executable, "-m", "duretrieval", "index", str(media), "-c", str(tmp_path / "collection")]
    index += ["--workers", "1"]
    chance = random.Random(0)
    counts = []
    for commits in (0, 1, 0, 0, 1, 0):
        with running(index, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            wait_for_commits(run, tmp_path / "collection", commits)
            time.sleep(chance.uniform(0, 0.5))  # anywhere in the next one
        counts.append(stored(tmp_path / "collection"))
    assert counts == sorted(counts), f"items were lost between kills: {counts}"
    assert any(0 < count < FILES for count in counts), f"no kill came in the middle: {counts}"
    done = subprocess.run([*index, "--json"], capture_output=True, text=True, check=True)
    assert '"problems": 0' in done.stdout
    with Collection.open(tmp_path / "collection") as collection:
        items = list(collection.items())
        assert sorted(Path(item.source).name for item in items) == [f"{i:04}.jpg" for i in range(FILES)]
        assert all(len(item.parts) == 1 for item in items)
        assert collection.verify() == []


def wait_for_commits(run: subprocess.Popen[bytes], path: Path, commits: int) -> None:
    """Until the run has the right to write, and has committed so often; or has ended."""

    def versions() -> int:
        return len(list((path / "parts.lance" / "_versions").glob("*.manifest")))

    lock, before = path / ".parts.lance.lock", versions()
    while run.poll() is None and not (lock.exists() and versions() >= before + commits):
        time.sleep(0.01)


def stored(path: Path) -> int:
    """Items a reader finds right after the kill; each whole, by `verify`."""
    try:
        collection = Collection.open(path, create=False)
    except NotACollection:
        return 0  # killed before it was made
    with collection:
        assert [fault for fault in collection.verify() if "gone" not in fault.problem] == []
        return len(collection)


@pytest.mark.slow
def test_two_processes_read_while_one_writes(tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    for i in range(150):
        (media / f"{i:03}.txt").write_text(f"Note number {i} about the weather.\n\n" * 5)
    run = [sys.executable, "-m", "duretrieval"]
    first = [*run, "index", str(media / "000.txt"), "-c", str(tmp_path / "collection")]
    subprocess.run(first, check=True, capture_output=True)
    index = [*run, "index", str(media), "-c", str(tmp_path / "collection")]
    search = [*run, "search", "weather", "-k", "3", "--json", "-c", str(tmp_path / "collection")]
    searches = 0
    with running(index, stdout=subprocess.DEVNULL) as writer:
        while writer.poll() is None or not searches:
            searches += 1
            readers = [
                subprocess.Popen(search, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
            ]
            for reader in readers:
                found, complaint = reader.communicate()
                assert reader.returncode == 0, complaint
                assert found.count("\n") >= 1
    assert writer.returncode == 0
    with Collection.open(tmp_path / "collection") as collection:
        assert len(collection) == 150
