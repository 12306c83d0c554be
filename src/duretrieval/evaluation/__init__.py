"""Measure what a search finds: the metrics of the field, with the certainty they have.

    scores ──ranking──▶ ranks ──metrics──▶ values per query ──scoring──▶ Evaluation ──compare──▶ which is better

`metrics` are pure functions; `protocols` name how the field measures on its data sets, `readers` read their files;
`runs` are ranked lists on disk; `compare` says which differences are real. Nothing here imports torch.
"""
