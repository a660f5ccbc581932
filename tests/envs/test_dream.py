"""The single dream, on a simulator whose every number can be worked out by hand."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import data_equivalence

from dreamplay.envs.dream import DreamEnv
from dreamplay.errors import UserError
from toys import StubSimulator, rollout, stub_frame

SPACES = [
    gym.spaces.Discrete(3),
    gym.spaces.Discrete(3, start=-1),
    gym.spaces.MultiDiscrete([2, 3]),
    gym.spaces.MultiBinary(3),
    gym.spaces.Box(-1, 1, (2,), np.float32),
]


def context(first: int = 50, actions: tuple[int, ...] = (2, 2)) -> dict[str, Any]:
    """A context of len(actions) + 1 frames that ends in the frame that begins with first + 7."""
    frames = [stub_frame(first), stub_frame(first + 3), stub_frame(first + 7)][-len(actions) - 1 :]
    return {"context": {"observations": np.stack(frames), "actions": np.array(actions, np.int64)}}


def test_every_number_of_a_short_dream() -> None:
    env = DreamEnv(StubSimulator(), horizon=4)
    observation, info = env.reset(options=context())
    np.testing.assert_array_equal(observation, stub_frame(57))
    assert info == {"horizon": 0, "termination_probability": 0.0}
    # total: 4 (from the context) + 1 = 5, + 0 = 5, + 2 = 7, + 1 = 0; the pixel moves on by 1 + total
    expected = [(1, 63, 1.0, 3 / 16), (0, 69, 1.0, 1 / 16), (2, 77, 0.0, 1 / 16), (1, 78, 1.0, 0.75)]
    for step, (action, pixel, reward, probability) in enumerate(expected, 1):
        observation, *rest, info = env.step(action)
        np.testing.assert_array_equal(observation, stub_frame(pixel))
        assert rest == [reward, pixel == 78, step == 4]
        assert [type(value) for value in rest] == [float, bool, bool]
        assert info == {"horizon": step, "termination_probability": probability}
        assert type(info["horizon"]) is int and type(info["termination_probability"]) is float


def test_negative_reward_is_passed_on() -> None:
    env = DreamEnv(StubSimulator())
    env.reset(options=context(first=51))
    assert env.step(1)[1] == -0.25  # pixel 64, total 5


def test_a_dream_starts_at_a_stored_context_drawn_by_its_generator() -> None:
    simulator = StubSimulator()
    env = DreamEnv(simulator)
    starts = [int(env.reset(seed=seed)[0][0, 0, 0]) for seed in range(40)]
    rng = [np.random.default_rng(seed) for seed in range(40)]
    assert starts == [int(one.integers(5)) for one in rng]
    assert set(starts) == set(range(5))
    index = int(env.reset(seed=1)[0][0, 0, 0])
    observation = env.step(1)[0]
    stored = simulator.contexts[index]
    total = (int(stored.actions.sum()) + 1) % 8  # actions of the context reach the hidden state
    np.testing.assert_array_equal(observation, stub_frame(index + 1 + total))


def test_the_first_frame_is_the_users_last() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 2, 3, 1)).astype(np.uint8)
    given = {"context": {"observations": noise, "actions": np.zeros((0,), np.int64)}}
    observation, _ = DreamEnv(StubSimulator()).reset(options=given)
    np.testing.assert_array_equal(observation, noise[0])


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_same_seed_and_actions_same_dream(space: gym.Space[Any], temperature: float) -> None:
    first, second = (DreamEnv(StubSimulator(space), horizon=9, temperature=temperature) for _ in range(2))
    assert data_equivalence(first.reset(seed=5), second.reset(seed=5), exact=True)
    assert data_equivalence(rollout(first), rollout(second), exact=True)


def test_temperature_decides_whether_randomness_is_used() -> None:
    def pixels(temperature: float, seed: int) -> list[int]:
        env = DreamEnv(StubSimulator(lengths=(0,)), temperature=temperature)
        env.reset(seed=seed, options=context())
        return [int(env.step(0)[0][0, 0, 0]) for _ in range(8)]

    assert pixels(0.0, 1) == pixels(0.0, 2)
    assert pixels(1.0, 1) != pixels(1.0, 2)
    rng = np.random.default_rng(1)
    expected, pixel = [], 57
    for _ in range(8):
        first, second = rng.random(2, dtype=np.float32)
        pixel = (pixel + 5 + int(8 * first) + 8 * int(4 * second)) % 256
        expected.append(pixel)
    assert pixels(1.0, 1) == expected


def test_at_temperature_zero_the_generator_rests() -> None:
    env = DreamEnv(StubSimulator(lengths=(0,)))
    env.reset(seed=1)
    before = env.np_random.bit_generator.state
    for _ in range(5):
        env.step(0)
    assert env.np_random.bit_generator.state == before


def test_answers_are_fresh_arrays() -> None:
    env = DreamEnv(StubSimulator(), render_mode="rgb_array")
    given = context()
    start, _ = env.reset(options=given)
    start[:] = 0
    given["context"]["observations"][:] = 0
    np.testing.assert_array_equal(env.render()[..., :1], stub_frame(57))
    observation = env.step(1)[0]
    observation[:] = 0
    env.render()[:] = 0
    np.testing.assert_array_equal(env.render()[..., :1], stub_frame(63))
    env.reset(seed=0)[0][:] = 9  # a stored context's frame must survive as well
    assert env.reset(seed=0)[0].max() == 50 + np.random.default_rng(0).integers(5)


def test_nothing_goes_on_without_a_reset() -> None:
    env = DreamEnv(StubSimulator(), horizon=2)
    for needs_reset in (lambda: env.step(0), env.render, env.snapshot):
        with pytest.raises(ResetNeeded):
            needs_reset()
    env.reset(seed=0)
    env.step(0)
    assert env.step(0)[3] is True
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.reset()
    env.step(0)


@pytest.mark.parametrize(
    ("space", "action"),
    [
        (SPACES[0], 3),
        (SPACES[0], -1),
        (SPACES[0], 0.5),
        (SPACES[0], [1]),
        (SPACES[0], None),
        (SPACES[1], 2),
        (SPACES[2], [0, 3]),
        (SPACES[2], 1),
        (SPACES[3], [0, 1, 2]),
        (SPACES[4], [0.0, 1.5]),
        (SPACES[4], [0.0, float("nan")]),
        (SPACES[4], ["a", "b"]),
    ],
    ids=str,
)
def test_invalid_actions_are_named(space: gym.Space[Any], action: Any) -> None:
    env = DreamEnv(StubSimulator(space))
    env.reset(seed=0)
    before = env.snapshot()
    with pytest.raises(InvalidAction, match=type(space).__name__):
        env.step(action)
    assert data_equivalence(env.snapshot(), before, exact=True)


@pytest.mark.parametrize("action", [1, np.int64(1), np.int32(1), np.uint8(1), np.array(1), True])
def test_whole_numbers_of_every_type_are_actions(action: Any) -> None:
    env = DreamEnv(StubSimulator())
    env.reset(options=context())
    np.testing.assert_array_equal(env.step(action)[0], stub_frame(63))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([], "must be"),
        ({"observations": stub_frame(0)[None]}, "must be"),
        ({"observations": stub_frame(0)[None].astype(np.float32), "actions": []}, "float32"),
        ({"observations": stub_frame(0), "actions": []}, r"pass \(n, 2, 3, 1\)"),
        ({"observations": np.zeros((2, 3, 2, 1), np.uint8), "actions": [0]}, r"pass \(n, 2, 3, 1\)"),
        ({"observations": np.zeros((0, 2, 3, 1), np.uint8), "actions": []}, "no frame"),
        ({"observations": np.zeros((2, 2, 3, 1), np.uint8), "actions": [0, 0]}, r"pass \(1,\)"),
        ({"observations": np.zeros((2, 2, 3, 1), np.uint8), "actions": [3]}, "not in Discrete"),
        ({"observations": np.zeros((2, 2, 3, 1), np.uint8), "actions": [0.5]}, "int64 needed"),
    ],
)
def test_contexts_that_do_not_fit(wrong: Any, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        DreamEnv(StubSimulator()).reset(options={"context": wrong})
    assert "\n" not in str(error.value)


def test_no_stored_context() -> None:
    env = DreamEnv(StubSimulator(contexts=0))
    with pytest.raises(UserError, match="stores no contexts"):
        env.reset()
    env.reset(options=context())


def test_pictures() -> None:
    gray, colour = (DreamEnv(StubSimulator(channels=c), render_mode="rgb_array") for c in (1, 3))
    for env in (gray, colour):
        observation, _ = env.reset(seed=2)
        picture = env.render()
        assert picture.shape == (2, 3, 3) and picture.dtype == np.uint8
        np.testing.assert_array_equal(picture, np.broadcast_to(observation, (2, 3, 3)))
        assert env.metadata == {"render_modes": ["human", "rgb_array"], "render_fps": 10}
    silent = DreamEnv(StubSimulator())
    silent.reset(seed=0)
    assert silent.render() is None


def test_window_shows_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []

    class FakeWindow:
        def __init__(self, caption: str, fps: int) -> None:
            shown.append((caption, fps))

        def show(self, frame: np.ndarray) -> None:
            shown.append(int(frame[0, 0, 0]))

        def close(self) -> None:
            shown.append("closed")

    monkeypatch.setattr("dreamplay.envs.dream.Window", FakeWindow)
    env = DreamEnv(StubSimulator(), render_mode="human")
    env.reset(options=context())
    env.step(1)
    env.close()
    env.close()
    assert shown == [("Dream of Toy/Stub-v0", 10), 57, 63, "closed"]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_imagined_futures_are_what_would_have_come_and_change_nothing(temperature: float) -> None:
    env, still = (DreamEnv(StubSimulator(lengths=(0,)), temperature=temperature) for _ in range(2))
    for one in (env, still):
        one.reset(seed=1)
        one.step(2)
    actions = np.array([[1, 0, 2], [1, 0, 2], [0, 0, 0]])
    imagined = env.imagine(actions, seed=5)
    assert imagined.observations.shape == (3, 3, 2, 3, 1)
    assert np.array_equal(imagined.observations[0], imagined.observations[1]) == (temperature == 0)
    if temperature == 0:
        start = env.snapshot()
        for row, sequence in enumerate(actions):
            env.restore(start)
            for t, action in enumerate(sequence):
                observation, reward, *_, info = env.step(action)
                np.testing.assert_array_equal(imagined.observations[row, t], observation)
                assert imagined.rewards[row, t] == reward
                assert imagined.termination_probability[row, t] == info["termination_probability"]
        env.restore(start)
    assert data_equivalence(env.step(1), still.step(1))


def test_imagining_needs_a_dream_and_valid_actions() -> None:
    env = DreamEnv(StubSimulator())
    with pytest.raises(ResetNeeded):
        env.imagine(np.zeros((1, 1), int))
    env.reset(seed=0)
    with pytest.raises(InvalidAction):
        env.imagine(np.full((1, 1), 7))


def test_uncertainty_is_that_of_the_last_step() -> None:
    env = DreamEnv(StubSimulator(lengths=(0,)))
    observation, _ = env.reset(seed=0)
    assert np.isnan(env.uncertainty())
    observation, *_ = env.step(1)
    assert env.uncertainty() == pytest.approx(observation[0, 0, 0] / 1000)
    env.restore(env.snapshot())
    assert np.isnan(env.uncertainty())
