"""The loop: steps, checks, checkpoints, mining, tracking."""
