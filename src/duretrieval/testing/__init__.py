"""Conformance suites: subclass one, give it your part, run pytest."""

from duretrieval.testing.indexes import IndexSuite
from duretrieval.testing.stores import StoreSuite

__all__ = ["IndexSuite", "StoreSuite"]
