"""A small evaluation with something of everything to show."""

from __future__ import annotations

import numpy as np

from duretrieval.evaluation.health.agreement import Agreement
from duretrieval.evaluation.health.health import Health, Latency
from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.report import Closeup, Exhibit, Material, look, of_text
from duretrieval.evaluation.result import Evaluation, Provenance
from duretrieval.evaluation.scoring import score_matrix
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.types import Modality

N = 60
HOSTILE = '<script>alert("1")</script> & "quotes"'
NAMES = ("hit@1", "hit@5", "hit@10", "rr", "median-rank")


def exhibit(modality: str, i: int) -> Exhibit:
    picture = np.full((84, 112, 3), (40 * i % 255, 90, 200), np.uint8)
    wave = np.abs(np.sin(np.arange(64, dtype=np.float32) / 5 + i))
    match modality:
        case "text":
            return of_text(f"{HOSTILE} 一辆红色的自行车 {i}")
        case "image":
            return Exhibit(f"{HOSTILE} {i}.jpg", pictures=(picture,))
        case _:
            return Exhibit(f"sound {i}.wav", wave=wave)


def evaluated(noise: float = 0.5) -> tuple[Evaluation, list[Closeup]]:
    wanted = relevant([[i] for i in range(N)])
    pairs, closeups = [], []
    for seed, (a, b) in enumerate([("text", "image"), ("image", "text"), ("text", "audio")]):
        scores = np.eye(N) + noise * np.random.default_rng(seed).normal(size=(N, N))
        queries = [f"q{i}" for i in range(N)]
        pair = score_matrix(
            scores,
            wanted,
            measures(NAMES),
            Modality(a),
            Modality(b),
            queries=queries,
            bootstrap=Bootstrap(resamples=200),
        )
        pairs.append(pair)
        show = [lambda i, modality=modality: exhibit(modality, i) for modality in (a, b)]
        closeups.append(look(Material(pair.name, scores, wanted, *show)))
    source = Provenance("f1e2", "da7a", f"duretrieval evaluate {HOSTILE}", "0.1.0")
    return Evaluation(f"toy {HOSTILE}", tuple(pairs), {"rsum": 312.5}, provenance=source), closeups


HEALTH = Health(
    1200,
    5400,
    13,
    False,
    None,
    10,
    (
        Agreement(None, 1.0, "any-query", 1.0, 0.96, 1.0, 100),
        Agreement("kind = 'image'", 0.3, "outside", 0.87, 0.8, 0.9, 100),
    ),
    (Latency("text-search", 100, 12.3, 20.1, 31.0), Latency("vector-search", 100, 1.3, 2.1, 3.1)),
)
