"""The demo: index a folder of mixed media and ask for things in every way there is, printing each command.

python scripts/demo.py MEDIA COLLECTION
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path

NOTES = Path(__file__).parents[1] / "examples" / "notes"


def main(media: Path, collection: Path) -> None:
    def run(title: str, *arguments: str) -> None:
        print(f"\n=== {title}\n$ {shlex.join(['duretrieval', *arguments])}", flush=True)
        subprocess.run([sys.executable, "-m", "duretrieval", *arguments, "-c", str(collection)], check=True)

    start = time.monotonic()
    run("index everything", "index", str(media), str(NOTES))
    run("words -> pictures", "search", "a cup of coffee", "--in", "image", "-k", "3")
    run("words -> sounds", "search", "a rooster crowing", "--in", "audio", "-k", "3")
    run("words -> moments of a film", "search", "riding a bicycle down the street", "--in", "video", "-k", "3")
    run("words -> texts", "search", "chemical analysis of wine", "--in", "text", "-k", "3")
    run("picture -> words", "search", "--image", str(media / "pictures/chelsea.png"), "--in", "text", "-k", "3")
    run("sound -> pictures", "search", "--audio", str(media / "sounds/horse.mp3"), "--in", "image", "-k", "3")
    run("sound -> words", "search", "--audio", str(media / "sounds/rooster.mp3"), "--in", "text", "-k", "2")
    run("Chinese words -> Chinese and English texts", "search", "宇航员穿着太空服", "--in", "text", "-k", "3")
    run("Chinese: a rocket", "search", "火箭发射", "-k", "3")
    run("Chinese: a dog barking", "search", "狗叫声", "--in", "audio", "-k", "3")
    run(
        "weighted, with a negative term", "search", "2:an animal", "--text", "0.5:outdoors", "--not", "a cat", "-k", "4"
    )
    run("everything at once, in one list", "search", "a cat", "-k", "5")
    run("what is there", "stats")
    print(
        f"\nDone in {time.monotonic() - start:.0f} s. Try your own: .venv/bin/duretrieval search -c {collection} '...'"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
