"""Stretches and bands of a spectrum hidden while a network learns."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SpecAugment(nn.Module):
    """Masks time steps and frequency bands of spectra (b, t, f) in training; does nothing otherwise.

    Park et al. 2019, "SpecAugment: a simple data augmentation method for automatic speech recognition", section 2: of
    each row, `masks` stretches of up to `time` steps, and at most `share` of them, and `masks` bands of up to
    `frequency`.  Unlike theirs, time is not warped, which they found to matter least; masked values become the mean
    of the row, which is their 0 where spectra are normalised.  Chances come from torch's own generator.
    """

    def __init__(self, time: int = 40, frequency: int = 16, masks: int = 2, share: float = 0.5) -> None:
        super().__init__()
        self.time, self.frequency, self.masks, self.share = time, frequency, masks, share

    def forward(self, spectra: Tensor) -> Tensor:
        """(b, t, f) -> (b, t, f)."""
        if not self.training:
            return spectra
        b, t, f = spectra.shape
        hidden = torch.zeros(b, t, f, dtype=torch.bool, device=spectra.device)
        for _ in range(self.masks):
            hidden |= self._stretch(b, t, min(self.time, int(self.share * t)), spectra.device)[:, :, None]
            hidden |= self._stretch(b, f, min(self.frequency, f), spectra.device)[:, None, :]
        return torch.where(hidden, spectra.mean(dim=(1, 2), keepdim=True), spectra)

    def _stretch(self, b: int, n: int, most: int, device: torch.device) -> Tensor:
        """(b, n) bool: in each row a stretch of 0 to `most` of its n places."""
        size = torch.randint(0, most + 1, (b, 1), device=device)
        begin = (torch.rand(b, 1, device=device) * (n - size + 1)).floor()
        at = torch.arange(n, device=device)
        return (at >= begin) & (at < begin + size)
