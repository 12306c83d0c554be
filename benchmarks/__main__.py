"""Every figure in the documents, one after the other: `python -m benchmarks`."""

from benchmarks import cold, evaluation, indexing, memory, quality

for benchmark in (quality, indexing, cold, memory, evaluation):
    benchmark.main()
