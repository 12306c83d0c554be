"""How the field measures on its data sets: named objects, from a matrix of similarities to an `Evaluation`.

    evaluation = FLICKR30K_1K(similarities)                   # (1000, 5000), pictures by captions in file order
    evaluation.pair("text-image").score("hit@1").value        # what the papers print as text-to-image R@1

The numbers are shares; papers print percent. `median-rank` is not rounded (see `metrics.summary.median`).
"""

from duretrieval.evaluation.protocols.classes import ClassProtocol
from duretrieval.evaluation.protocols.paired import RECALLS, CaptionProtocol
from duretrieval.evaluation.protocols.positives import PositivesProtocol
from duretrieval.types import Modality

__all__ = [
    "AUDIOCAPS",
    "CLOTHO",
    "COCO_1K",
    "COCO_5K",
    "ECCV_CAPTION",
    "FLICKR8K",
    "FLICKR30K_1K",
    "MSRVTT_1KA",
    "NUS_WIDE",
    "PROTOCOLS",
    "WIKIPEDIA",
    "CaptionProtocol",
    "ClassProtocol",
    "PositivesProtocol",
]

FLICKR8K = CaptionProtocol(
    "flickr8k-1k",
    "Hodosh, Young and Hockenmaier 2013; test split of Karpathy and Fei-Fei 2015 (dataset_flickr8k.json)",
    Modality.IMAGE,
    items=1000,
    captions=5,
)
FLICKR30K_1K = CaptionProtocol(
    "flickr30k-1k",
    "Young et al. 2014; test split of Karpathy and Fei-Fei 2015 (dataset_flickr30k.json); VSE++, Faghri et al. 2018",
    Modality.IMAGE,
    items=1000,
    captions=5,
)
COCO_5K = CaptionProtocol(
    "coco-5k",
    "Lin et al. 2014; test split of Karpathy and Fei-Fei 2015 (dataset_coco.json), the first five captions of each "
    "picture (25,000 of 25,010); VSE++, Faghri et al. 2018",
    Modality.IMAGE,
    items=5000,
    captions=5,
)
COCO_1K = CaptionProtocol(
    "coco-1k",
    "As coco-5k, the mean of five folds of 1000 pictures; VSE++, Faghri et al. 2018",
    Modality.IMAGE,
    items=5000,
    captions=5,
    folds=5,
)
MSRVTT_1KA = CaptionProtocol(
    "msrvtt-1k-a",
    "Xu et al. 2016; split 1K-A with one caption a film of JSFusion, Yu, Kim and Kim 2018 (MSRVTT_JSFUSION_test.csv)",
    Modality.VIDEO,
    items=1000,
    captions=1,
)
AUDIOCAPS = CaptionProtocol(
    "audiocaps",
    "Kim et al. 2019; retrieval by Oncescu et al. 2021. Papers differ in how many test clips were still to be had",
    Modality.AUDIO,
    items=None,
    captions=5,
    measures=(*RECALLS, "ap@10", "median-rank", "mean-rank"),
)
CLOTHO = CaptionProtocol(
    "clotho",
    "Drossos, Lipping and Virtanen 2020, evaluation split of version 2; DCASE challenge, language-based audio "
    "retrieval (mAP@10, text-audio)",
    Modality.AUDIO,
    items=1045,
    captions=5,
    measures=(*RECALLS, "ap@10", "median-rank", "mean-rank"),
)
ECCV_CAPTION = PositivesProtocol(
    "eccv-caption",
    "Chun et al. 2022, ECCV Caption: further positives for the COCO test split, judged by models and people",
    Modality.IMAGE,
)
WIKIPEDIA = ClassProtocol(
    "wikipedia",
    "Rasiwasia et al. 2010: 693 test pairs in 10 classes, mAP over the whole gallery",
)
NUS_WIDE = ClassProtocol(
    "nus-wide",
    "Chua et al. 2009; supervised cross-modal hashing, DCMH, Jiang and Li 2017: relevant shares a label, mAP over the "
    "whole gallery. Codes tie: `ties` is a stable sort, see `metrics.hashing`",
    ties="order",
)
PROTOCOLS: dict[str, CaptionProtocol | PositivesProtocol | ClassProtocol] = {
    protocol.name: protocol
    for protocol in (
        FLICKR8K,
        FLICKR30K_1K,
        COCO_5K,
        COCO_1K,
        MSRVTT_1KA,
        AUDIOCAPS,
        CLOTHO,
        ECCV_CAPTION,
        WIKIPEDIA,
        NUS_WIDE,
    )
}
