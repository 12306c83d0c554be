"""Conformance suites: subclass one, give it your part, run pytest."""

from duretrieval.testing.aligners import AlignerSuite
from duretrieval.testing.encoders import EncoderSuite
from duretrieval.testing.fusions import FusionSuite
from duretrieval.testing.indexes import IndexSuite
from duretrieval.testing.nets import NetSuite
from duretrieval.testing.stores import StoreSuite

__all__ = [
    "AlignerSuite",
    "EncoderSuite",
    "FusionSuite",
    "IndexSuite",
    "NetSuite",
    "StoreSuite",
]
from duretrieval.testing.rerankers import RerankerSuite, ScorerSuite

__all__ = ["AlignerSuite", "EncoderSuite", "IndexSuite", "RerankerSuite", "ScorerSuite", "StoreSuite"]
from duretrieval.testing.losses import LossSuite

__all__ = ["AlignerSuite", "EncoderSuite", "IndexSuite", "LossSuite", "StoreSuite"]
