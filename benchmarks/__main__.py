"""Every figure in the documents, one after the other: `python -m benchmarks`."""

from benchmarks import (
    ablations,
    binary,
    cold,
    evaluation,
    indexing,
    install,
    losses,
    memory,
    methods,
    quality,
    recipes,
    relations,
    sounds,
    training,
)

quick = (quality, indexing, cold, memory, install, evaluation, binary, sounds, losses)
for benchmark in (
    *quick,
    methods,
    relations,
    recipes,
    training,
    ablations,
):  # the last three take a quarter of an hour each
    benchmark.main()
