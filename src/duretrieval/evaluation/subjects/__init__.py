"""What can be measured: a collection, a model, a run on disk, a matrix of similarities."""
