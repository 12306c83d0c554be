"""Read the label files of the field, in the layouts in which they are published, into `Captions`.

Every error names the file, and the line where there are lines. No reader opens a picture, film or sound.
"""

from duretrieval.evaluation.labels.readers.audiocaps import read_audiocaps
from duretrieval.evaluation.labels.readers.clotho import read_clotho
from duretrieval.evaluation.labels.readers.eccv import read_positives
from duretrieval.evaluation.labels.readers.karpathy import read_karpathy
from duretrieval.evaluation.labels.readers.msrvtt import read_msrvtt, read_msrvtt_1ka, read_msrvtt_ids

__all__ = [
    "read_audiocaps",
    "read_clotho",
    "read_karpathy",
    "read_msrvtt",
    "read_msrvtt_1ka",
    "read_msrvtt_ids",
    "read_positives",
]
