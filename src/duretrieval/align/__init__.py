"""Several spaces to one.

centre  text: its own space, centred
conse   any classifier's classes: a convex combination of the vectors of their names
"""
