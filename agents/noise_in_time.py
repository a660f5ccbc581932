"""Noise that is correlated in time: sequences that hold a direction get further than ones that tremble."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def held(noise: np.ndarray, generators: Sequence[np.random.Generator], persistence: float) -> np.ndarray:
    """Noise (B, N, T, A) in which each step keeps the step before with a probability; row i asks generator i."""
    if persistence == 0:
        return noise
    kept = np.stack([generator.random(noise.shape[1:]) for generator in generators]) < persistence
    noise = noise.copy()
    for t in range(1, noise.shape[2]):
        noise[:, :, t] = np.where(kept[:, :, t], noise[:, :, t - 1], noise[:, :, t])
    return noise


def coloured(generator: np.random.Generator, count: int, steps: int, components: int, beta: float) -> np.ndarray:
    """Standard normal sequences (count, steps, components) whose power falls with frequency f as f ** -beta.

    0 is white noise, 1 pink, 2 a bounded random walk. Each step on its own is standard normal whatever beta is.
    After Timmer and Koenig (1995): the spectrum is drawn and transformed back; frequency 0 counts as the lowest above.
    """
    if beta == 0 or steps == 1:
        return generator.standard_normal((count, steps, components))
    scale = np.maximum(np.fft.rfftfreq(steps), 1 / steps) ** (-beta / 2)  # (F,)
    parts = generator.standard_normal((2, count, components, len(scale))) * scale
    parts[1, ..., 0] = 0  # frequency 0 is real, and so is the highest one of an even number of steps
    parts[0, ..., 0] *= 2**0.5
    if steps % 2 == 0:
        parts[1, ..., -1] = 0
        parts[0, ..., -1] *= 2**0.5
    drawn = np.fft.irfft(parts[0] + 1j * parts[1], n=steps, axis=-1)  # (count, components, steps)
    power = np.full(len(scale), 4.0)
    power[0] = 2.0
    if steps % 2 == 0:
        power[-1] = 2.0
    return np.moveaxis(drawn * steps / np.sqrt((power * scale**2).sum()), -1, 1)
