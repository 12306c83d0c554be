"""Protocols against the evaluation loops of the field, re-implemented here as they were published."""

import math
from dataclasses import replace

import numpy as np
import pytest

from duretrieval.errors import ShapeError
from duretrieval.evaluation.labels.captions import gather
from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.metrics.blocks import Compared
from duretrieval.evaluation.protocols import (
    AUDIOCAPS,
    CLOTHO,
    COCO_1K,
    COCO_5K,
    ECCV_CAPTION,
    FLICKR8K,
    FLICKR30K_1K,
    MSRVTT_1KA,
    NUS_WIDE,
    PROTOCOLS,
    WIKIPEDIA,
    CaptionProtocol,
)
from duretrieval.evaluation.result import Evaluation
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.similarity import unit
from duretrieval.types import Modality

FAST = Bootstrap(resamples=20)


def paired(n: int, captions: int = 5, noise: float = 1.5, seed: int = 0) -> np.ndarray:
    """Similarities (n, n * captions) of a model that half works."""
    rng = np.random.default_rng(seed)
    items = rng.normal(size=(n, 16))
    texts = np.repeat(items, captions, axis=0) + noise * rng.normal(size=(n * captions, 16))
    return unit(items.astype(np.float32)) @ unit(texts.astype(np.float32)).T


def loop(similarity: np.ndarray, captions: int) -> tuple[list[float], list[float]]:
    """VSE++ i2t and t2i: for each query, sort, look up where the right ones are; R@1, 5, 10, MedR, MeanR."""
    n = len(similarity)

    def report(ranks: np.ndarray) -> list[float]:
        return [*(float(np.mean(ranks < k)) for k in (1, 5, 10)), math.floor(np.median(ranks)) + 1, ranks.mean() + 1]

    i2t, t2i = np.zeros(n), np.zeros(n * captions)
    for i in range(n):
        order = np.argsort(similarity[i])[::-1]
        i2t[i] = min(np.flatnonzero(order == c)[0] for c in range(captions * i, captions * (i + 1)))
    for c in range(n * captions):
        t2i[c] = np.flatnonzero(np.argsort(similarity[:, c])[::-1] == c // captions)[0]
    return report(i2t), report(t2i)


def figures(evaluation: Evaluation, pair: str) -> list[float]:
    scores = [evaluation.pair(pair).score(name) for name in ("hit@1", "hit@5", "hit@10", "median-rank", "mean-rank")]
    return [math.floor(score.value) if score.measure == "median-rank" else score.value for score in scores]


@pytest.mark.parametrize("protocol", [FLICKR30K_1K, FLICKR8K, MSRVTT_1KA], ids=lambda p: p.name)
def test_published_numbers(protocol: CaptionProtocol) -> None:
    similarity = paired(1000, protocol.captions)
    evaluation = protocol(similarity, bootstrap=FAST)
    i2t, t2i = loop(similarity, protocol.captions)
    assert figures(evaluation, f"{protocol.modality}-text") == pytest.approx(i2t, abs=1e-12)
    assert figures(evaluation, f"text-{protocol.modality}") == pytest.approx(t2i, abs=1e-12)
    assert evaluation.totals["rsum"] == pytest.approx(100 * sum(i2t[:3] + t2i[:3]))
    for pair in evaluation.pairs:
        for score in pair.scores:
            assert score.low <= score.value <= score.high
            assert score.n == len(pair.queries) == len(score.values)


def test_five_folds_are_the_mean_of_five_evaluations() -> None:
    small = replace(COCO_1K, items=100)
    similarity = paired(100)
    evaluation = small(similarity, bootstrap=FAST)
    parts = [loop(similarity[20 * f : 20 * f + 20, 100 * f : 100 * f + 100], 5) for f in range(5)]
    for way, name in enumerate(("image-text", "text-image")):
        means = np.mean([part[way] for part in parts], axis=0)
        got = [evaluation.pair(name).score(m).value for m in ("hit@1", "hit@5", "hit@10", "mean-rank")]
        assert got == pytest.approx(means[[0, 1, 2, 4]], abs=1e-12)
    assert evaluation.pair("text-image").gallery_size == 20
    assert evaluation.pair("image-text").gallery_size == 100
    whole = replace(COCO_5K, items=100)(similarity, bootstrap=FAST)
    assert whole.pair("text-image").score("hit@1").value < evaluation.pair("text-image").score("hit@1").value


def test_folds_find_captions_wherever_they_are() -> None:
    similarity, shuffle = paired(20), np.random.default_rng(0).permutation(100)
    rows = [(f"{i}.jpg", str(i), []) for i in range(20)]
    captions = replace(
        gather("s", Modality.IMAGE, rows),
        texts=tuple(map(str, shuffle)),
        text_ids=tuple(map(str, shuffle)),
        item=tuple((shuffle // 5).tolist()),
    )
    protocol = replace(COCO_1K, items=20)
    plain = protocol(similarity, bootstrap=FAST)
    shuffled = protocol(similarity[:, shuffle], captions, bootstrap=FAST)
    for pair in plain.pairs:
        other = shuffled.pair(pair.name)
        assert [s.value for s in other.scores] == pytest.approx([s.value for s in pair.scores])
        by_id = dict(zip(other.queries, other.score("mean-rank").values, strict=True))
        assert [by_id[q] for q in pair.queries] == pair.score("mean-rank").values.tolist()


def test_from_embeddings_without_a_matrix() -> None:
    rng = np.random.default_rng(0)
    items = unit(rng.normal(size=(40, 8)).astype(np.float32))
    texts = unit((np.repeat(items, 5, axis=0) + 0.4 * rng.normal(size=(200, 8))).astype(np.float32))
    for protocol in (replace(COCO_5K, items=40), replace(COCO_1K, items=40)):
        a = protocol(Compared(items, texts), bootstrap=FAST)
        b = protocol(items @ texts.T, bootstrap=FAST)
        assert figures(a, "image-text") == figures(b, "image-text")


def test_audio_protocols_add_map_at_10() -> None:
    evaluation = CLOTHO(paired(1045), bootstrap=FAST)
    score = evaluation.pair("text-audio").score("ap@10")
    first = evaluation.pair("text-audio").score("mean-rank").values
    np.testing.assert_allclose(score.values, np.where(first <= 10, 1 / first, 0))  # one right clip a caption
    assert AUDIOCAPS(paired(37), bootstrap=FAST).pair("audio-text").queries == tuple(map(str, range(37)))


def slow_eccv(order: list[int], positives: set[int]) -> tuple[float, float, float]:
    """mAP@R, R-precision and R@1 of one ranked list, by their definitions."""
    r = len(positives)
    precisions = [len(set(order[:i]) & positives) / i if order[i - 1] in positives else 0.0 for i in range(1, r + 1)]
    return float(np.mean(precisions)), len(set(order[:r]) & positives) / r, float(order[0] in positives)


def test_several_positives() -> None:
    rng = np.random.default_rng(0)
    similarity = paired(30)
    texts_of_item = [
        set(rng.choice(150, rng.integers(1, 20), replace=False).tolist()) if i % 2 else set() for i in range(30)
    ]
    items_of_text = [
        set(rng.choice(30, rng.integers(1, 9), replace=False).tolist()) if c % 3 else set() for c in range(150)
    ]
    evaluation = ECCV_CAPTION(similarity, relevant(texts_of_item), relevant(items_of_text), bootstrap=FAST)
    for name, scores, positives in (
        ("image-text", similarity, texts_of_item),
        ("text-image", similarity.T, items_of_text),
    ):
        expected = np.array(
            [slow_eccv(np.argsort(-row).tolist(), right) for row, right in zip(scores, positives, strict=True) if right]
        )
        pair = evaluation.pair(name)
        assert [pair.score(m).value for m in ("ap@r", "r-precision", "hit@1")] == pytest.approx(expected.mean(axis=0))
        assert pair.score("ap@r").n == len(expected)


def test_class_labels() -> None:
    rng = np.random.default_rng(0)
    similarity, a, b = rng.normal(size=(30, 40)), rng.integers(0, 4, 30), rng.integers(0, 4, 40)

    def slow(scores: np.ndarray, right: np.ndarray) -> float:
        values = []
        for row, yes in zip(scores, right, strict=True):
            places = np.flatnonzero(yes[np.argsort(-row)]) + 1
            values.append(np.mean(np.arange(1, len(places) + 1) / places))
        return float(np.mean(values))

    one_way = WIKIPEDIA(similarity, a, b, bootstrap=FAST)
    back = WIKIPEDIA(similarity.T, b, a, Modality.TEXT, Modality.IMAGE, bootstrap=FAST)
    assert one_way.pair("image-text").score("ap").value == pytest.approx(slow(similarity, a[:, None] == b))
    assert back.pair("text-image").score("ap").value == pytest.approx(slow(similarity.T, b[:, None] == a))
    la, lb = rng.integers(0, 2, (30, 5)), rng.integers(0, 2, (40, 5))
    la[:, 0] = lb[:, 0] = 1
    many = NUS_WIDE(similarity, la, lb, bootstrap=FAST)
    assert many.pair("image-text").score("ap").value == pytest.approx(slow(similarity, la @ lb.T > 0))


def test_every_protocol_says_where_it_comes_from() -> None:
    for name, protocol in PROTOCOLS.items():
        assert name == protocol.name
        assert any(year in protocol.source for year in map(str, range(2000, 2030))), name


def test_every_refusal_says_what_to_do() -> None:
    with pytest.raises(
        ShapeError, match=r"flickr30k-1k is measured on 1000 items with 5 captions each, a matrix of shape "
    ):
        FLICKR30K_1K(paired(10))
    with pytest.raises(ShapeError, match="rows for items and columns for captions"):
        FLICKR30K_1K(paired(1000).T)
    with pytest.raises(ShapeError, match=r"got \(5,\)"):
        AUDIOCAPS(np.zeros(5))
    with pytest.raises(ShapeError, match="7 items do not make 5 equal folds"):
        replace(COCO_1K, items=None)(paired(7))
    captions = gather("c", Modality.AUDIO, [("a", "a", [("1", "x")]), ("b", "b", [("2", "y"), ("3", "z")])])
    with pytest.raises(ShapeError, match="with 2 items and 3 captions"):
        AUDIOCAPS(np.zeros((2, 10)), captions)
    assert AUDIOCAPS(np.eye(2, 3), captions, bootstrap=FAST).pair("text-audio").queries == ("1", "2", "3")
    with pytest.raises(ShapeError, match=r"wikipedia: scores of shape .* need a row of labels"):
        WIKIPEDIA(np.zeros((2, 3)), [1, 2], [1, 2])
