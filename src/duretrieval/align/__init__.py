"""Several spaces to one.

centre      text: its own space, centred
conse       any classifier's classes: a convex combination of the vectors of their names
ridge       pairs: predict the other side of a pair (`Ridge.fit`)
procrustes  pairs: rotate one space onto the other (`Procrustes.fit`)
cca         pairs: carry both sides to what they have in common (`Cca.fit`)
itq         vectors: binary codes of them (`Itq.fit`)
network     a head that was trained, as a graph
chain       aligners after one another (`Chain`), or their rows added (`Sum`)
"""
