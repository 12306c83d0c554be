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
    vectors,
)

quick = (quality, indexing, cold, memory, install, evaluation, binary, sounds, losses, vectors, methods)
for benchmark in (*quick, relations, recipes, training, ablations):  # the last three take a quarter of an hour each
    benchmark.main()
