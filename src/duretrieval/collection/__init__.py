"""A collection: what is found where, the road in, the road of a question, and its upkeep."""
