"""Noise with a memory: its marginals and its correlations are what they are said to be."""

import numpy as np
import pytest

from dreamplay.agents.noise_in_time import coloured, held


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("steps", [1, 8, 15])
def test_each_step_of_coloured_noise_is_standard_normal(beta: float, steps: int) -> None:
    noise = coloured(np.random.default_rng(0), 20_000, steps, 2, beta)
    assert noise.shape == (20_000, steps, 2)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.04)
    np.testing.assert_allclose(noise.std(axis=0), 1, atol=0.04)


def test_the_power_falls_with_the_frequency() -> None:
    noise = coloured(np.random.default_rng(0), 5_000, 32, 1, 2.0)[..., 0]
    power = (np.abs(np.fft.rfft(noise, axis=1)) ** 2).mean(axis=0)
    np.testing.assert_allclose(power[1] / power[[2, 4, 8]], [4, 16, 64], rtol=0.2)


def test_coloured_noise_holds_a_direction_and_white_noise_does_not() -> None:
    for beta, least, most in ((0.0, -0.04, 0.04), (2.0, 0.6, 1.0)):
        noise = coloured(np.random.default_rng(0), 10_000, 15, 1, beta)[..., 0]
        assert least < np.corrcoef(noise[:, 3], noise[:, 4])[0, 1] < most


def test_held_noise_repeats_as_often_as_it_should() -> None:
    noise = np.random.default_rng(0).random((2, 500, 20, 1))
    kept = held(noise, [np.random.default_rng(1), np.random.default_rng(2)], 0.7)
    assert (kept[:, :, 1:] == kept[:, :, :-1]).mean() == pytest.approx(0.7, abs=0.02)
    assert held(noise, [], 0.0) is noise
