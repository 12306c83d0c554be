"""Losses, one a file: of scores (`contracts.Loss`), of aligned rows (`contracts.RowLoss`), of class logits."""
