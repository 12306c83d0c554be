"""Several rows of one item to one, each a `contracts.FusionNet`; `docs/fusion.md` says which to take.

weighted_sum     one weight a modality, fixed or learned
maximum          the largest of each component
concatenation    side by side, through a linear layer
gated            a weight for each modality and component, read from the rows (GMU)
tensor           every product of components (TFN); tucker and low_rank: the same with fewer weights (MUTAN, LMF)
attention        each modality looks at the others; four scores (`scores`)
cross_attention  one modality asks the others, with several heads
late_attention   not one row: a weight for the similarity of each modality, read from the query
graph_attention  modalities, and related items, as neighbours in a graph (GATv2)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.nets.fusion.attention import Attention as Attention
    from duretrieval.training.nets.fusion.concatenation import Concatenation as Concatenation
    from duretrieval.training.nets.fusion.cross_attention import CrossAttention as CrossAttention
    from duretrieval.training.nets.fusion.gated import Gated as Gated
    from duretrieval.training.nets.fusion.graph_attention import GraphAttention as GraphAttention
    from duretrieval.training.nets.fusion.late_attention import LateAttention as LateAttention
    from duretrieval.training.nets.fusion.low_rank import LowRank as LowRank
    from duretrieval.training.nets.fusion.maximum import Maximum as Maximum
    from duretrieval.training.nets.fusion.tensor import TensorFusion as TensorFusion
    from duretrieval.training.nets.fusion.tucker import Tucker as Tucker
    from duretrieval.training.nets.fusion.weighted_sum import WeightedSum as WeightedSum
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "attention": "Attention",
            "concatenation": "Concatenation",
            "cross_attention": "CrossAttention",
            "gated": "Gated",
            "graph_attention": "GraphAttention",
            "late_attention": "LateAttention",
            "low_rank": "LowRank",
            "maximum": "Maximum",
            "tensor": "TensorFusion",
            "tucker": "Tucker",
            "weighted_sum": "WeightedSum",
        },
    )
