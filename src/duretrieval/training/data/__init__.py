"""Tables, folders and published sets to samples; checked, split without leaks, decoded and put in batches."""
