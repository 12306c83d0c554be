"""A run: its folder, its outcome, resuming it and exporting it."""
