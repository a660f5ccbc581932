"""Stable-Baselines3 trains on 64 dreams at once; the policy then acts in the real game."""

import gymnasium as gym
from stable_baselines3 import PPO

import dreamplay
from dreamplay.agents.acting import run_episodes
from dreamplay.agents.sb3_policy import SB3Policy
from dreamplay.envs.sb3_dreams import SB3Dreams

run, options = "runs/Dreamplay-Bricks-v0", {"horizon": 100, "temperature": 1.0, "autoreset_mode": "SameStep"}
dreams = SB3Dreams(gym.make_vec("Dreamplay/Dream-v0", 64, checkpoint=run, **options))
PPO("MlpPolicy", dreams, n_steps=16, batch_size=256).learn(2048).save("policy.zip")
agent = SB3Policy("policy.zip", dreamplay.make_env(run))
print(run_episodes(lambda: dreamplay.make_env(run), agent, episodes=2).returns)
