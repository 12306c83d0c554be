"""`python -m duretrieval` is `duretrieval`."""

from duretrieval.cli import main

main()
