"""Nets for films that see several frames at once, and for pictures as films that stand still.

net          `FilmNet`: a backbone between clips and rows, as the training layer and the engine need it
frames       a picture encoder's rows of the frames, pooled over time
convolution  3D and (2+1)D convolution: R3D, R(2+1)D
two_stream   appearance and motion
motion       what moves: differences of frames, or optical flow
videomae     VideoMAE from transformers
"""
