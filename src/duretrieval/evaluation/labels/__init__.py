"""What belongs together, from whatever a data set calls its labels."""
