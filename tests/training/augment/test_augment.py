"""Augmentation: what may change, what must not, and that a generator decides all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duretrieval.errors import ConfigError, MissingExtra
from duretrieval.language.synonyms import OURS, synonyms
from duretrieval.training.augment import light, moving, place, sound, words
from duretrieval.training.augment.composed import STEPS, Augment, compose
from duretrieval.types import Modality, Part

TEXT, IMAGE, VIDEO, AUDIO = Modality.TEXT, Modality.IMAGE, Modality.VIDEO, Modality.AUDIO
SIX = ["one", "two", "three", "four", "five", "six"]
WORDS = "The quick man walks his dog near a big house, and smiles."


def part(modality: Modality, seed: int = 0) -> Part:
    """Content of each kind; six frames of a texture that moves."""
    rng = np.random.default_rng(seed)
    if modality is TEXT:
        return Part(TEXT, WORDS)
    if modality is AUDIO:
        return Part(AUDIO, (0.3 * np.sin(np.arange(4000) * 0.2) + 0.01 * rng.normal(size=4000)).astype(np.float32))
    texture = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    pixels = np.stack([np.roll(texture, 3 * n, axis=1) for n in range(6)])
    return Part(VIDEO, pixels) if modality is VIDEO else Part(IMAGE, pixels[0])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def same(a: Any, b: Any) -> bool:
    return bool(a == b) if isinstance(a, str) else bool(np.array_equal(a, b))


every = pytest.mark.parametrize(("modality", "name"), [(m, name) for m, steps in STEPS.items() for name in steps])


@every
def test_every_step_keeps_kind_shape_and_source(modality: Modality, name: str) -> None:
    step, given_ = STEPS[modality][name](), part(modality)
    before = given_.content if isinstance(given_.content, str) else np.array(given_.content)
    for seed in range(5):
        out = step(given_, rng(seed))
        assert out.modality is modality
        assert same(given_.content, before)  # what was given is not touched
        if not isinstance(before, str):
            assert out.content.shape == before.shape
            assert out.content.dtype == before.dtype


@every
def test_every_step_changes_something_and_only_by_its_generator(modality: Modality, name: str) -> None:
    step, given_ = STEPS[modality][name](), part(modality)
    outs = [step(given_, rng(seed)).content for seed in range(30)]
    assert not all(same(out, given_.content) for out in outs)
    assert all(same(step(given_, rng(seed)).content, out) for seed, out in enumerate(outs))


@every
def test_what_is_not_decoded_is_left_alone(modality: Modality, name: str) -> None:
    """Files not yet read, and features (t, d) in place of pixels or sound."""
    step = STEPS[modality][name]()
    for content in (Path("a.png"), np.ones((3, 4), np.float32), None):
        given_ = Part(modality, content)
        assert step(given_, rng()) is given_


@pytest.mark.parametrize("name", ["crop", "flip", "rotate", "colour", "grey", "blur"])
def test_a_film_changes_alike_in_every_frame(name: str) -> None:
    step = STEPS[VIDEO][name]()
    frame = part(IMAGE).content
    for seed in range(4):
        out = step(Part(VIDEO, np.stack([frame] * 3)), rng(seed)).content
        still = step(Part(IMAGE, frame), rng(seed)).content
        assert all(same(shown, still) for shown in out)


class TestPictures:
    def test_a_mirror_twice_is_the_picture(self) -> None:
        flip, given_ = place.Flip(1), part(IMAGE)
        once = flip(given_, rng())
        assert same(once.content, given_.content[:, ::-1])
        assert same(flip(once, rng()).content, given_.content)

    def test_a_crop_shows_a_part_of_it(self) -> None:
        """In a ramp from left to right, what is cut begins later and ends earlier."""
        ramp = np.repeat(np.tile(np.linspace(0, 255, 64), (64, 1))[..., None], 3, axis=2).astype(np.uint8)
        for seed in range(10):
            out = place.Crop(0.3)(Part(IMAGE, ramp), rng(seed)).content.astype(int)
            assert out[:, -2].mean() - out[:, 1].mean() < 245
            assert (np.diff(out[32, :, 0]) >= 0).all()

    def test_cropping_nothing_changes_nothing_much(self) -> None:
        out = place.Crop(1.0)(part(IMAGE), rng()).content
        assert same(out, part(IMAGE).content)

    def test_a_turn(self) -> None:
        given_ = Part(IMAGE, np.zeros((9, 9, 3), np.uint8))
        out = place.Rotate(180)(given_, rng(0)).content
        assert out[4, 4].max() == 0  # the middle stays
        assert out.max() == 255  # the corners that come in are white

    def test_grey_has_no_colour(self) -> None:
        out = light.Grey(1)(part(IMAGE), rng()).content
        assert same(out[..., 0], out[..., 1])
        assert same(out[..., 1], out[..., 2])

    def test_no_strength_changes_no_colour(self) -> None:
        assert same(light.Colour(0)(part(IMAGE), rng()).content, part(IMAGE).content)

    def test_hues_turn(self) -> None:
        red = Part(IMAGE, np.full((4, 4, 3), (200, 20, 20), np.uint8))
        channels = {int(light.Colour(1)(red, rng(seed)).content[0, 0].argmax()) for seed in range(20)}
        assert channels > {0}

    def test_blur_is_smoother(self) -> None:
        noisy = Part(IMAGE, rng().integers(0, 256, (32, 32, 3), dtype=np.uint8))
        out = light.Blur(1, 0.2)(noisy, rng()).content
        assert out.std() < 0.5 * noisy.content.std()

    def test_noise_is_as_strong_as_said(self) -> None:
        flat = Part(IMAGE, np.full((64, 64, 3), 128, np.uint8))
        deviations = [light.Noise(0.1)(flat, rng(seed)).content.std() / 255 for seed in range(20)]
        assert max(deviations) == pytest.approx(0.1, abs=0.02)
        assert min(deviations) < 0.02


class TestFilms:
    numbered = Part(VIDEO, np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8))

    def test_a_clip_is_a_stretch_in_order(self) -> None:
        for seed in range(20):
            shown = moving.Clip(0.3)(self.numbered, rng(seed)).content[:, 0, 0, 0].astype(int)
            assert len(shown) == 10
            assert (np.diff(shown) >= 0).all()
            assert 2 <= shown[-1] - shown[0] <= 9
        assert same(moving.Clip(1)(self.numbered, rng()).content, self.numbered.content)

    def test_lost_frames_are_held(self) -> None:
        shown = moving.Drop(0.5)(self.numbered, rng()).content[:, 0, 0, 0].astype(int)
        assert shown[0] == 0
        assert ((shown == np.arange(10)) | (shown == np.r_[0, shown[:-1]])).all()
        assert (moving.Drop(1)(self.numbered, rng()).content == 0).all()
        assert same(moving.Drop(0)(self.numbered, rng()).content, self.numbered.content)


class TestSounds:
    @pytest.mark.parametrize("db", [0, 10, 30])
    def test_noise_at_a_ratio(self, db: float) -> None:
        tone = Part(AUDIO, (0.1 * np.sin(np.arange(40_000) * 0.1)).astype(np.float32))
        noise = sound.Noise(db, db)(tone, rng()).content - tone.content
        ratio = 10 * np.log10(np.mean(tone.content**2) / np.mean(noise**2))
        assert ratio == pytest.approx(db, abs=0.1)

    def test_silence_stays_silent(self) -> None:
        silent = Part(AUDIO, np.zeros(100, np.float32))
        assert same(sound.Noise()(silent, rng()).content, silent.content)

    @pytest.mark.parametrize("seed", range(6))
    def test_a_shift_moves_and_leaves_silence(self, seed: int) -> None:
        ramp = Part(AUDIO, np.linspace(0.1, 1, 100).astype(np.float32))
        out = sound.Shift(0.5)(ramp, rng(seed)).content
        heard = out[out > 0]
        begin = int(np.flatnonzero(ramp.content == heard[0])[0])
        assert same(heard, ramp.content[begin : begin + len(heard)])
        assert 50 <= len(heard) <= 100

    def test_gain_in_decibels(self) -> None:
        given_ = part(AUDIO)
        factors = [
            np.abs(sound.Gain(6)(given_, rng(s)).content).max() / np.abs(given_.content).max() for s in range(40)
        ]
        assert 0.5 <= min(factors) < 0.6
        assert 1.7 < max(factors) <= 2.0

    def test_nothing_is_beyond_full_scale(self) -> None:
        loud = Part(AUDIO, np.ones(50, np.float32))
        assert np.abs(sound.Gain(20)(loud, rng(1)).content).max() <= 1
        assert np.abs(sound.Noise(0, 0)(loud, rng()).content).max() <= 1

    def test_faster_is_higher(self) -> None:
        tone = Part(AUDIO, np.sin(2 * np.pi * 500 * np.arange(8000) / 8000).astype(np.float32))

        def pitch(samples: np.ndarray) -> float:
            return float(np.abs(np.fft.rfft(samples)).argmax())

        heard = [pitch(sound.Speed(0.2)(tone, rng(seed)).content) for seed in range(20)]
        assert 395 < min(heard) < 440
        assert 560 < max(heard) < 605
        assert same(sound.Speed(0)(tone, rng()).content, tone.content)

    def test_a_hole_in_time(self) -> None:
        ones = Part(AUDIO, np.ones(1000, np.float32))
        lengths = []
        for seed in range(40):
            heard = sound.TimeMask(0.3)(ones, rng(seed)).content
            assert set(heard.tolist()) <= {0, 1}
            assert np.ptp(np.flatnonzero(heard == 0)) == (heard == 0).sum() - 1  # in one piece
            lengths.append((heard == 0).sum())
        assert 250 < max(lengths) <= 300
        assert min(lengths) < 50

    def test_a_band_without_sound(self) -> None:
        noise = Part(AUDIO, (0.1 * rng(5).normal(size=4000)).astype(np.float32))
        out = np.abs(np.fft.rfft(sound.FrequencyMask(0.3)(noise, rng(1)).content))
        gone = out < 1e-3
        assert 0 < gone.sum() <= 0.3 * len(out) + 1
        assert np.ptp(np.flatnonzero(gone)) == gone.sum() - 1  # in one piece


class TestTexts:
    def test_tokens_join_to_the_text(self) -> None:
        assert words.tokens_of("Don't run, 小红跑得快!") == [
            "Don't",
            " ",
            "run",
            ",",
            " ",
            "小红",
            "跑得快",
            "!",
        ]

    @settings(max_examples=100, deadline=None)
    @given(text=st.text(max_size=40))
    def test_tokens_of_any_text_join_to_it(self, text: str) -> None:
        assert "".join(words.tokens_of(text)) == text

    @settings(max_examples=50, deadline=None)
    @given(text=st.text(min_size=1, max_size=30), seed=st.integers(0, 9))
    def test_a_text_never_becomes_empty(self, text: str, seed: int) -> None:
        for step in (words.Synonyms(1), words.Drop(1), words.Swap(1)):
            assert step(Part(TEXT, text), rng(seed)).content

    def test_synonyms_of_the_users_own(self, tmp_path: Path) -> None:
        file = tmp_path / "mine.txt"
        file.write_text("# mine\nbus, coach # big ones\n猫，猫咪\n", encoding="utf-8")
        step = words.Synonyms(1, str(file))
        assert step(Part(TEXT, "Bus or bus? 一只猫"), rng()).content == "Coach or coach? 一只猫咪"
        assert words.Synonyms(0, str(file))(Part(TEXT, "a bus"), rng()).content == "a bus"

    def test_our_synonyms_in_both_languages(self) -> None:
        assert words.Synonyms(1)(Part(TEXT, "a Bicycle"), rng()).content == "a Bike"
        assert words.Synonyms(1)(Part(TEXT, "他在跑步"), rng(0)).content in ("他在奔跑", "他在跑")
        known = synonyms()
        assert len(known) > 500
        assert all(word not in others for word, others in known.items())
        assert all(path.read_text(encoding="utf-8").startswith("#") for path in OURS)

    def test_dropped_words_leave_no_holes(self) -> None:
        out = words.Drop(0.5)(Part(TEXT, " ".join(SIX)), rng(0)).content
        left = out.split(" ")
        assert left == [word for word in SIX if word in left]
        assert 0 < len(left) < 6
        assert words.Drop(1)(Part(TEXT, "one two"), rng()).content in ("one", "two")

    def test_swapped_words_are_the_same_words(self) -> None:
        out = words.Swap(0.5)(Part(TEXT, WORDS), rng(3)).content
        assert out != WORDS
        assert sorted(filter(str.isalpha, words.tokens_of(out))) == sorted(filter(str.isalpha, words.tokens_of(WORDS)))
        assert out.endswith(".")

    def test_a_dictionary_that_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"the synonyms '.*absent\.txt' cannot be read"):
            words.Synonyms(file=str(tmp_path / "absent.txt"))
        (tmp_path / "a.txt").write_text("alone\n")
        with pytest.raises(ConfigError, match="hold no group of two words; write one a line: car, automobile, auto"):
            words.Synonyms(file=str(tmp_path / "a.txt"))

    def test_chinese_without_a_segmenter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "rjieba", None)
        with pytest.raises(MissingExtra, match=r"need rjieba: pip install 'duretrieval\[chinese\]'"):
            words.tokens_of("一只猫")


class TestSettings:
    def test_steps_in_the_order_written(self) -> None:
        augment = compose(
            {
                "image": {"flip": True, "crop": 0.5, "colour": {"strength": 0.1}, "noise": False},
                "text": {"synonyms": {"share": 0.3}},
            }
        )
        assert augment == Augment(
            {IMAGE: (place.Flip(), place.Crop(0.5), light.Colour(0.1)), TEXT: (words.Synonyms(0.3),)}
        )

    def test_each_modality_has_its_own(self) -> None:
        augment = compose({"image": {"flip": 1}, "video": {"drop": 1}})
        assert same(augment(part(IMAGE), rng()).content, part(IMAGE).content[:, ::-1])
        film = augment(part(VIDEO), rng()).content
        assert same(film, np.stack([part(VIDEO).content[0]] * 6))
        assert augment(part(TEXT), rng()) == part(TEXT)

    @pytest.mark.parametrize(
        ("wanted", "message"),
        [
            ({"picture": {}}, r"nothing is augmented that is called 'picture'\. There are: text, image, video, audio"),
            ({"image": {"crops": 0.5}}, r"augment.image has no 'crops'\. Did you mean 'crop'\? There are: crop, flip"),
            ({"image": {"blur": {"chanse": 1}}}, r"augment.image.blur has no 'chanse'\. Did you mean 'chance'\?"),
            ({"image": True}, r"augment.image is True; write a table such as { crop = true }"),
            ({"image": {"crop": 2}}, "crop.share is 2; it must be between 0.01 and 1"),
            ({"audio": {"noise": {"least_db": 50}}}, "noise.least_db is 50; it must be between -100 and 40"),
            ({"text": {"drop": "much"}}, "drop.share is 'much'; it must be between 0 and 1"),
            ({"video": {"clip": -1}}, "clip.share is -1; it must be between 0.01 and 1"),
        ],
    )
    def test_what_cannot_be_used(self, wanted: Any, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            compose(wanted)
