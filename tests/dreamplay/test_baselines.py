"""The baselines roll out as a simulator does."""

import numpy as np

from dreamplay.baselines import LastFrame, MeanFrame

RNG = np.random.default_rng(0)
CONTEXT = RNG.integers(0, 256, (2, 3, 4, 5, 3)).astype(np.uint8)
ACTIONS, FUTURE = np.zeros((2, 2), np.int64), np.zeros((2, 6), np.int64)


def test_the_last_frame_stays() -> None:
    rollout = LastFrame().rollout(CONTEXT, ACTIONS, FUTURE, temperature=1.0, seed=3)
    assert rollout.observations.dtype == np.uint8
    assert (rollout.observations == CONTEXT[:, 2:]).all() and rollout.observations.shape == (2, 6, 4, 5, 3)
    assert rollout.rewards.shape == rollout.termination_probability.shape == (2, 6)
    assert not rollout.rewards.any() and not rollout.termination_probability.any()


def test_the_mean_frame_is_the_rounded_mean() -> None:
    sample = np.array([0, 1, 1, 255], np.uint8).reshape(4, 1, 1, 1) * np.ones((1, 2, 2, 3), np.uint8)
    baseline = MeanFrame.of(sample)
    assert baseline.frame.dtype == np.uint8 and (baseline.frame == 64).all()  # 64.25
    rollout = baseline.rollout(np.zeros((3, 1, 2, 2, 3), np.uint8), np.zeros((3, 0, 2)), np.zeros((3, 5, 2)))
    assert rollout.observations.shape == (3, 5, 2, 2, 3) and (rollout.observations == 64).all()
