"""Conformance suites: subclass one, give it your part, run pytest."""

from duretrieval.testing.aligners import AlignerSuite
from duretrieval.testing.encoders import EncoderSuite

__all__ = ["AlignerSuite", "EncoderSuite"]
