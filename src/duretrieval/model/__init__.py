"""The model folder: what encodes, aligns, fuses and compares, with the hash of every file."""
