"""How certain a figure is, and whether two differ."""
