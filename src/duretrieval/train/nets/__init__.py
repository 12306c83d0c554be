"""Trainable encoders, a folder per modality."""
