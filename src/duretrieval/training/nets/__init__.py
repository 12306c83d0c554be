"""Encoders that train, by modality, each a `contracts.Net`; and frozen ones whose features are learned from."""
