"""Several rows of one item to one, each a `contracts.Fusion`; `docs/fusion.md` says which to take.

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
