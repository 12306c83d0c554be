"""What to train, on what and how, as a file and as values."""
