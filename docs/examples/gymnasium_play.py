"""Gymnasium's own player on a dream, with the keys of the real game."""

import gymnasium as gym
from gymnasium.utils.play import play

import dreamplay  # noqa: F401, registers the dream

dream = gym.make("Dreamplay/Dream-v0", checkpoint="runs/Dreamplay-Bricks-v0", render_mode="rgb_array")
play(dream, fps=10, zoom=20)
