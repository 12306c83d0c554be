"""Encoders of sounds that take raw samples: what turns them into spectra is part of the graph.

framing, spectrum, mel, mfcc            front ends, equal to librosa's
kaldi_mel, whisper_mel, clap_mel        front ends, equal to those of pretrained models
sound                                   what all encoders of sounds share
statistics, cnn                         encoders of our own
ast, whisper, clap, waveform            encoders from pretrained models
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.nets.audio.ast import Ast as Ast
    from duretrieval.training.nets.audio.clap import ClapAudio as ClapAudio
    from duretrieval.training.nets.audio.clap_mel import ClapMel as ClapMel
    from duretrieval.training.nets.audio.cnn import Cnn as Cnn
    from duretrieval.training.nets.audio.kaldi_mel import KaldiMel as KaldiMel
    from duretrieval.training.nets.audio.mel import Mel as Mel
    from duretrieval.training.nets.audio.mel import MelSettings as MelSettings
    from duretrieval.training.nets.audio.mel import power_to_db as power_to_db
    from duretrieval.training.nets.audio.mfcc import Mfcc as Mfcc
    from duretrieval.training.nets.audio.panns import cnn6 as cnn6
    from duretrieval.training.nets.audio.panns import cnn10 as cnn10
    from duretrieval.training.nets.audio.panns import cnn14 as cnn14
    from duretrieval.training.nets.audio.sound import SoundNet as SoundNet
    from duretrieval.training.nets.audio.statistics import MfccStatistics as MfccStatistics
    from duretrieval.training.nets.audio.waveform import Waveform as Waveform
    from duretrieval.training.nets.audio.whisper import Whisper as Whisper
    from duretrieval.training.nets.audio.whisper_mel import WhisperMel as WhisperMel
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "ast": "Ast",
            "clap": "ClapAudio",
            "clap_mel": "ClapMel",
            "cnn": "Cnn",
            "kaldi_mel": "KaldiMel",
            "mel": "Mel MelSettings power_to_db",
            "mfcc": "Mfcc",
            "panns": "cnn10 cnn14 cnn6",
            "sound": "SoundNet",
            "statistics": "MfccStatistics",
            "waveform": "Waveform",
            "whisper": "Whisper",
            "whisper_mel": "WhisperMel",
        },
    )
