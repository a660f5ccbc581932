"""Stable-Baselines3 trains in the dream; the policy then collects in the real game."""

import gymnasium as gym
from stable_baselines3 import PPO

import dreamplay
from dreamplay.agents.sb3_policy import SB3Policy

dream = gym.make("Dreamplay/Dream-v0", checkpoint="runs/Dreamplay-Bricks-v0", horizon=100)
PPO("MlpPolicy", dream, n_steps=64, batch_size=64).learn(128).save("policy.zip")

real = dreamplay.make_env("runs/Dreamplay-Bricks-v0")
agent = SB3Policy("policy.zip", real)  # in a shell: dreamplay collect ENV --agent policy.zip --epsilon 0.1
observation, _ = real.reset(seed=0)
print(agent.act(observation))
