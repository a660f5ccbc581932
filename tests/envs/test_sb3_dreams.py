"""Dreams behind the interface of Stable-Baselines3: the same numbers, its conventions, and its algorithms train."""

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.envs.dream_vector import DreamVectorEnv
from dreamplay.errors import UserError
from toys import StubSimulator

pytest.importorskip("stable_baselines3")
from dreamplay.envs.sb3_dreams import SB3Dreams


def dreams(count=3, **settings):
    simulator = StubSimulator(lengths=(3, 0, 5))
    return DreamVectorEnv(simulator, count, autoreset_mode="SameStep", **{"horizon": 7, **settings})


def test_it_steps_as_the_dreams_do():
    plain, adapted = dreams(), SB3Dreams(dreams())
    adapted.seed(4)
    np.testing.assert_array_equal(adapted.reset(), plain.reset(seed=4)[0])
    ends = 0
    for t in range(20):
        actions = np.array([t % 3, 1, (t + 1) % 3])
        observations, rewards, terminated, truncated, infos = plain.step(actions)
        seen, earned, done, each = adapted.step(actions)
        np.testing.assert_array_equal(seen, observations)
        np.testing.assert_array_equal(earned, rewards)
        np.testing.assert_array_equal(done, terminated | truncated)
        for row in range(3):
            assert each[row]["TimeLimit.truncated"] == (truncated[row] and not terminated[row])
            assert ("terminal_observation" in each[row]) == done[row]
            if done[row]:
                ends += 1
                np.testing.assert_array_equal(each[row]["terminal_observation"], infos["final_obs"][row])
    assert ends > 4


def test_seeds_are_used_once():
    first = SB3Dreams(dreams())
    first.seed(1)
    starts = [first.reset().copy() for _ in range(6)]
    assert any(not np.array_equal(starts[0], start) for start in starts[1:])


def test_dreams_that_restart_otherwise_are_refused():
    with pytest.raises(UserError, match="SameStep"):
        SB3Dreams(DreamVectorEnv(StubSimulator(), 2))


def test_attributes():
    adapted = SB3Dreams(dreams())
    assert adapted.get_attr("horizon") == [7] * 3 and adapted.get_attr("horizon", [0]) == [7]
    assert adapted.env_is_wrapped(gym.Wrapper) == [False] * 3
    with pytest.raises(AttributeError, match="no methods"):
        adapted.env_method("jump")


@pytest.mark.parametrize("name", ["PPO", "A2C", "DQN"])
def test_algorithms_train_on_it_unchanged(name):
    import stable_baselines3

    more = {"PPO": {"n_steps": 8, "batch_size": 8}, "A2C": {}, "DQN": {"learning_starts": 10, "buffer_size": 100}}[name]
    model = getattr(stable_baselines3, name)("MlpPolicy", SB3Dreams(dreams()), device="cpu", **more)
    before = {key: value.clone() for key, value in model.policy.state_dict().items()}
    model.learn(60)
    assert model.num_timesteps >= 60
    assert any((value != before[key]).any() for key, value in model.policy.state_dict().items())
