"""How the embedded default is made; `scripts/build_builtin.py` runs it."""
