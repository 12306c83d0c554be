"""Files of several pictures: animations are films, pages are pictures, other views of a photograph are nothing new."""

from pathlib import Path

import media_files
import pytest
from media_files import BLUE, GREEN, RED
from PIL import Image
from reading import LIMITS, READING, colours

from duretrieval.errors import LimitExceeded
from duretrieval.media.decode import decode
from duretrieval.media.limits import Limits
from duretrieval.types import Modality


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".webp", ".avif"])
def test_an_animation_is_a_film(suffix: str, tmp_path: Path) -> None:
    path = media_files.write_animation(tmp_path / f"a{suffix}", (RED, GREEN, BLUE), step_s=2.5)
    chunk = decode(path, READING, LIMITS)
    assert chunk.fields == {"kind": "video", "width": 64, "height": 48, "seconds": 7.5}
    assert [(part.modality, part.start_s, part.end_s) for part in chunk.parts] == [
        (Modality.VIDEO, 0, 5),
        (Modality.VIDEO, 5, 7.5),
    ]
    assert [colours(part) for part in chunk.parts] == [["red", "green"], ["blue"]]


def test_many_frames_are_sampled(tmp_path: Path) -> None:
    path = media_files.write_gif(tmp_path / "a.gif", [(i, 0, 255 - i) for i in range(0, 250, 5)], step_s=0.1)
    [part] = decode(path, READING, LIMITS).parts
    reds = part.content[:, 16, 16, 0].astype(int)
    assert len(reds) == READING.frames_per_window
    assert sorted(reds) == reds.tolist()
    assert (reds[0] < 10, reds[-1] > 230) == (True, True)


def test_a_still_that_stays_is_one_window(tmp_path: Path) -> None:
    """Six minutes of two stills are not 72 windows."""
    chunk = decode(media_files.write_gif(tmp_path / "a.gif", (RED, GREEN), step_s=182), READING, LIMITS)
    assert [(part.start_s, part.end_s, colours(part)) for part in chunk.parts] == [
        (0, 180, ["red"]),
        (180, 185, ["red", "green"]),
        (185, 360, ["green"]),
        (360, 364, ["green"]),
    ]


def test_pages_of_a_tiff(tmp_path: Path) -> None:
    chunk = decode(media_files.write_tiff(tmp_path / "a.tiff"), READING, LIMITS)
    assert [(part.page, colours(part)) for part in chunk.parts] == [(1, ["red"]), (2, ["green"]), (3, ["blue"])]
    assert (chunk.fields["pages"], chunk.next) == (3, None)


def test_many_pages_come_in_chunks(tmp_path: Path) -> None:
    path = media_files.write_tiff(tmp_path / "a.tiff", (RED, BLUE) * 60)
    first = decode(path, READING, LIMITS)
    rest = decode(path, READING, LIMITS, first.next)
    assert [part.page for part in (*first.parts, *rest.parts)] == list(range(1, 121))
    assert rest.next is None
    with pytest.raises(LimitExceeded, match=r"it has 120 pages; the limit is 100 \(Limits.max_pages\)"):
        decode(path, READING, Limits(max_pages=100))


def test_other_views_of_a_photograph_are_no_film(tmp_path: Path) -> None:
    """Many cameras put a second picture (a preview, another eye, a gain map) behind the first."""
    first, second = Image.new("RGB", (64, 48), RED), Image.new("RGB", (64, 48), BLUE)
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[second])
    chunk = decode(tmp_path / "a.jpg", READING, LIMITS)
    assert [(part.modality, colours(part)) for part in chunk.parts] == [(Modality.IMAGE, ["red"])]
    assert chunk.fields["kind"] == "image"
