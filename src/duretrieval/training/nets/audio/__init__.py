"""Encoders of sounds that take raw samples: what turns them into spectra is part of the graph.

framing, spectrum, filters, mel, mfcc   front ends, equal to librosa's
kaldi_mel, whisper_mel, clap_mel        front ends, equal to those of pretrained models
sound                                   what all encoders of sounds share
statistics, cnn                         encoders of our own
ast, whisper, clap, waveform            encoders from pretrained models
"""
