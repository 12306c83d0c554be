"""Bytes to arrays: recognise a file, decode it within limits, cut it into parts."""
