"""From a network to a model folder, and the proof that both say the same."""
