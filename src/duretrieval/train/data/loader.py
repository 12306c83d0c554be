"""Batches of decoded samples, made by other processes while the model works."""

from __future__ import annotations

from torch.utils.data import DataLoader, Dataset

from duretrieval.train.data.batches import Batches
from duretrieval.train.sample import Sample


def loader(examples: Dataset[Sample], batches: Batches, workers: int = 0) -> DataLoader[Sample]:
    """A loader whose batches are lists of samples: encoders make tensors of them, column by column.

    Samples of a batch need not have the same columns, nor parts the same size, so nothing is stacked here.  workers:
    processes that decode; 0: this one.  They stay from epoch to epoch.
    """
    return DataLoader(
        examples,
        batch_sampler=batches,
        collate_fn=list,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
