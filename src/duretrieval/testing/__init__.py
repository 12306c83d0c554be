"""Conformance suites: subclass one, give it your part, run pytest."""
