"""The report in a real browser: drawn where it should be, quiet, and asking nobody for anything."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.evaluation.report.browser import Browser, executable
from tests.evaluation.report.reports import HEALTH, N, evaluated

from duretrieval.evaluation.comparison import compare
from duretrieval.evaluation.report import write_report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(executable() is None, reason="no chromium is installed; apt-get install chromium"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    evaluation, closeups = evaluated()
    compared = compare(evaluation, evaluated(0.35)[0], resamples=500)
    folder = tmp_path_factory.mktemp("report")
    return write_report(folder, evaluation, closeups=closeups, health=HEALTH, compared=compared, against="before")


@pytest.fixture
def browser(tmp_path: Path, page: Path) -> Iterator[Browser]:
    with Browser(tmp_path / "profile") as browser:
        browser.open(page)
        yield browser


def share_unlike(picture: Image.Image, box: tuple[float, float, float, float]) -> float:
    """Share of the pixels in a box that differ visibly from the box's commonest colour."""
    pixels = np.asarray(picture.crop(tuple(round(v) for v in box))).reshape(-1, 3).astype(int)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    return float((np.abs(pixels - colours[counts.argmax()]).max(axis=1) > 24).mean())


def share_of(picture: Image.Image, box: tuple[float, float, float, float], colour: tuple[int, int, int]) -> float:
    pixels = np.asarray(picture.crop(tuple(round(v) for v in box))).astype(int)
    return float((np.abs(pixels - colour).max(axis=2) < 12).mean())


def test_curve_and_matrix_are_drawn_and_nothing_is_asked_for(browser: Browser, page: Path) -> None:
    picture = browser.picture()
    accent = (31, 111, 178)
    curve = browser.place("#text-image .recall path.curve")
    assert curve[2] - curve[0] > 200
    assert share_of(picture, curve, accent) > 0.01
    band = browser.place("#text-image .recall path.band")
    assert share_unlike(picture, band) > 0.05
    assert share_of(picture, browser.place("#text-image .ranks rect"), accent) > 0.9
    assert share_unlike(picture, browser.place("#text-image .scores svg")) > 0.1
    cell = browser.place(".matrix td[style]")
    value = float(browser.evaluate("document.querySelector('.matrix td[style] b').textContent")) / 100
    expected = tuple(round(v * value + w * (1 - value)) for v, w in zip(accent, (247, 247, 245), strict=True))
    found = picture.getpixel((round(cell[0]) + 6, round(cell[1]) + 6))
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) < 24  # mixed in another colour space
    assert share_unlike(picture, browser.place("#text-audio .sound")) > 0.2
    assert browser.complaints == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [page.as_uri()]


def test_what_is_hostile_is_shown_and_not_run(browser: Browser) -> None:
    assert browser.evaluate("document.scripts.length") == 0
    assert '<script>alert("1")</script> & "quotes"' in browser.evaluate("document.querySelector('h1').innerText")


def test_the_other_language_is_a_click_away(browser: Browser) -> None:
    assert browser.evaluate("document.querySelector('#text-image h2').innerText") == "text → image"
    browser.evaluate("document.querySelector('label[for=zh]').click()")
    assert browser.evaluate("document.querySelector('#text-image h2').innerText") == "文本 → 图像"
    shown = browser.evaluate("[...document.querySelectorAll('main .en')].filter(e => e.getClientRects().length).length")
    assert shown == 0


def test_it_fits_a_phone_and_the_dark(tmp_path: Path, page: Path) -> None:
    with Browser(tmp_path / "profile", width=360, height=740, dark=True) as browser:
        browser.open(page)
        assert browser.evaluate("document.documentElement.scrollWidth") <= 360
        assert browser.evaluate("parseFloat(getComputedStyle(document.querySelector('.exhibit')).fontSize)") >= 12
        background = browser.picture().getpixel((3, 300))
        assert max(background) < 60
        assert share_unlike(browser.picture(), browser.place("#image-text .recall path.curve")) > 0.01


def test_every_number_of_the_matrix_is_there(browser: Browser) -> None:
    evaluation, _ = evaluated()
    shown = browser.evaluate("[...document.querySelectorAll('.matrix td b')].map(b => b.innerText)")
    assert sorted(shown) == sorted(f"{100 * pair.score('hit@10').value:.1f}" for pair in evaluation.pairs)
    assert browser.evaluate("document.querySelector('.figures td').innerText") == str(N)
