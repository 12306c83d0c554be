"""Conformance suites: subclass one, give it your part, run pytest."""

from duretrieval.testing.aligners import AlignerSuite
from duretrieval.testing.encoders import EncoderSuite
from duretrieval.testing.indexes import IndexSuite
from duretrieval.testing.losses import LossSuite
from duretrieval.testing.stores import StoreSuite

__all__ = ["AlignerSuite", "EncoderSuite", "IndexSuite", "LossSuite", "StoreSuite"]
