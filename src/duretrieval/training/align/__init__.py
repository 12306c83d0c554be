"""Alignments that are fitted in torch: adversarial, canonical axes, closed forms."""
