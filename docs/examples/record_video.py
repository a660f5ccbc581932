"""Gymnasium's RecordVideo on a dream (it needs moviepy)."""

import gymnasium as gym

import dreamplay  # noqa: F401, registers the dream

dream = gym.make("Dreamplay/Dream-v0", checkpoint="runs/Dreamplay-Bricks-v0", render_mode="rgb_array", horizon=30)
with gym.wrappers.RecordVideo(dream, "videos") as recorded:
    recorded.reset(seed=0)
    over = False
    while not over:
        *_, terminated, truncated, _ = recorded.step(recorded.action_space.sample())
        over = terminated or truncated
