"""Conformance suites: subclass one, give it your part, run pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.testing.aligners import AlignerSuite as AlignerSuite
    from duretrieval.testing.encoders import EncoderSuite as EncoderSuite
    from duretrieval.testing.fusions import FusionSuite as FusionSuite
    from duretrieval.testing.indexes import IndexSuite as IndexSuite
    from duretrieval.testing.losses import LossSuite as LossSuite
    from duretrieval.testing.nets import NetSuite as NetSuite
    from duretrieval.testing.rerankers import RerankerSuite as RerankerSuite
    from duretrieval.testing.rerankers import ScorerSuite as ScorerSuite
    from duretrieval.testing.stores.suite import StoreSuite as StoreSuite
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "aligners": "AlignerSuite",
            "encoders": "EncoderSuite",
            "fusions": "FusionSuite",
            "indexes": "IndexSuite",
            "losses": "LossSuite",
            "nets": "NetSuite",
            "rerankers": "RerankerSuite ScorerSuite",
            "stores.suite": "StoreSuite",
        },
    )
