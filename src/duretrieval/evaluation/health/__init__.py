"""How well a collection answers: its approximate index against the exact answer, filters, latency."""
