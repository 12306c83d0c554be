"""Every figure in the documents, one after the other: `python -m benchmarks`."""

from benchmarks import binary, cold, evaluation, indexing, install, memory, quality

for benchmark in (quality, indexing, cold, memory, install, evaluation, binary):
    benchmark.main()
