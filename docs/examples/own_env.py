"""An environment of your own. On the command line it is own_env:Lamp: dreamplay check own_env:Lamp."""

import gymnasium as gym
import numpy as np

import dreamplay


class Lamp(gym.Env):
    observation_space, action_space = gym.spaces.Box(0, 255, (8, 8, 3), np.uint8), gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros((8, 8, 3), np.uint8), {}

    def step(self, action):
        return np.full((8, 8, 3), 255 * action, np.uint8), float(action), False, False, {}


if __name__ == "__main__":
    print(dreamplay.make_env(Lamp, max_episode_steps=50).reset(seed=0)[0].shape)
