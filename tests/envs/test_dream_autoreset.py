"""Two dreams at once, every number step by step, in each of Gymnasium's autoreset modes."""

from typing import Any

import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.vector import AutoresetMode

from dreamplay.envs.dream_vector import DreamVectorEnv
from toys import StubSimulator, stub_frame


def two_rows(mode: AutoresetMode) -> tuple[DreamVectorEnv, Any]:
    """Two dreams that start at the pixels 1 and 2: the first terminates after 2 steps, the second is truncated after 3.

    Later dreams start at the one stored context, pixel 0, and never terminate.
    """
    envs = DreamVectorEnv(StubSimulator(contexts=1, lengths=(0, 2, 0)), 2, horizon=3, autoreset_mode=mode)
    given = {"observations": np.stack([stub_frame(1), stub_frame(2)])[:, None], "actions": np.zeros((2, 0), np.int64)}
    return envs, envs.reset(options={"context": given})


def expect(answer: Any, pixels: list[int], rewards: list[float], over: str, horizon: list[int]) -> None:
    """`over` has a letter per row: T terminated, H truncated at the horizon, - neither."""
    observations, given, terminated, truncated, infos = answer
    np.testing.assert_array_equal(observations, np.stack([stub_frame(pixel) for pixel in pixels]))
    np.testing.assert_array_equal(given, np.array(rewards))
    np.testing.assert_array_equal(terminated, [letter == "T" for letter in over])
    np.testing.assert_array_equal(truncated, [letter == "H" for letter in over])
    np.testing.assert_array_equal(infos["horizon"], horizon)
    np.testing.assert_array_equal(infos["_horizon"], [True, True])
    assert given.dtype == np.float64 and terminated.dtype == truncated.dtype == np.bool_


def test_every_number_with_next_step_reset() -> None:
    envs, (observations, infos) = two_rows(AutoresetMode.NEXT_STEP)
    np.testing.assert_array_equal(observations, np.stack([stub_frame(1), stub_frame(2)]))
    assert infos["horizon"].tolist() == [0, 0] and infos["_horizon"].tolist() == [True, True]
    # a step adds 1 + the sum of the row's actions so far
    expect(envs.step(np.array([0, 1])), [2, 4], [0, 0], "--", [1, 1])
    expect(envs.step(np.array([0, 1])), [3, 7], [1, 0], "T-", [2, 2])
    expect(envs.step(np.array([9, 1])), [0, 11], [0, 0], "-H", [0, 3])  # row 0 is reset, its action is ignored
    expect(envs.step(np.array([2, 9])), [3, 0], [1, 0], "--", [1, 0])
    expect(envs.step(np.array([0, 2])), [6, 3], [1, 1], "--", [2, 1])
    expect(envs.step(np.array([0, 1])), [9, 7], [1, 0], "H-", [3, 2])
    expect(envs.step(np.array([0, 0])), [0, 11], [0, 0], "-H", [0, 3])


def test_every_number_with_same_step_reset() -> None:
    envs, _ = two_rows(AutoresetMode.SAME_STEP)
    answer = envs.step(np.array([0, 1]))
    expect(answer, [2, 4], [0, 0], "--", [1, 1])
    assert set(answer[-1]) == {"horizon", "_horizon", "termination_probability", "_termination_probability"}
    answer = envs.step(np.array([0, 1]))
    expect(answer, [0, 7], [1, 0], "T-", [0, 2])
    infos = answer[-1]
    np.testing.assert_array_equal(infos["final_obs"][0], stub_frame(3))
    assert infos["final_obs"][1] is None
    assert infos["_final_obs"].tolist() == infos["_final_info"].tolist() == [True, False]
    assert infos["termination_probability"].tolist() == [0, 3 / 16]
    assert infos["final_info"]["horizon"].tolist() == [2, 0]
    assert infos["final_info"]["_horizon"].tolist() == [True, False]
    assert infos["final_info"]["termination_probability"].tolist() == [0.75, 0]
    answer = envs.step(np.array([2, 1]))
    expect(answer, [3, 0], [1, 0], "-H", [1, 0])
    np.testing.assert_array_equal(answer[-1]["final_obs"][1], stub_frame(11))
    assert answer[-1]["final_info"]["horizon"].tolist() == [0, 3]
    expect(envs.step(np.array([0, 1])), [6, 2], [1, 0], "--", [2, 1])
    expect(envs.step(np.array([0, 1])), [0, 5], [1, 0], "H-", [0, 2])


def test_every_number_without_autoreset() -> None:
    envs, _ = two_rows(AutoresetMode.DISABLED)
    expect(envs.step(np.array([0, 1])), [2, 4], [0, 0], "--", [1, 1])
    expect(envs.step(np.array([0, 1])), [3, 7], [1, 0], "T-", [2, 2])
    with pytest.raises(ResetNeeded, match=r"\[0\] are over"):
        envs.step(np.array([0, 1]))
    mask = np.array([True, False])
    options = {"reset_mask": mask}
    observations, infos = envs.reset(options=options)
    assert options == {"reset_mask": mask}
    np.testing.assert_array_equal(observations, np.stack([stub_frame(0), stub_frame(7)]))
    assert infos["horizon"].tolist() == [0, 0] and infos["_horizon"].tolist() == [True, False]
    expect(envs.step(np.array([2, 1])), [3, 11], [1, 0], "-H", [1, 3])
    envs.reset(options={"reset_mask": ~mask})
    expect(envs.step(np.array([0, 1])), [6, 2], [1, 0], "--", [2, 1])
    context = {
        "observations": np.stack([stub_frame(99), stub_frame(2)])[:, None],
        "actions": np.zeros((2, 0), np.int64),
    }
    observations, _ = envs.reset(options={"reset_mask": ~mask, "context": context})
    np.testing.assert_array_equal(observations, np.stack([stub_frame(6), stub_frame(2)]))
    expect(envs.step(np.array([0, 0])), [9, 3], [1, 1], "H-", [3, 1])


def test_actions_are_checked_where_they_count() -> None:
    envs, _ = two_rows(AutoresetMode.NEXT_STEP)
    for wrong in ([0, 3], [0], [0, 0.5], [[0, 0]]):
        with pytest.raises(InvalidAction, match="Discrete"):
            envs.step(np.array(wrong))
    expect(envs.step(np.array([0, 1], np.uint8)), [2, 4], [0, 0], "--", [1, 1])
    expect(envs.step([0, 1]), [3, 7], [1, 0], "T-", [2, 2])
    with pytest.raises(InvalidAction, match="action 3"):
        envs.step(np.array([3, 3]))  # the first would be ignored
