"""Sixteen dreams in one batch, under Gymnasium's vector wrappers."""

import gymnasium as gym

import dreamplay  # noqa: F401, registers the dream

dreams = gym.make_vec("Dreamplay/Dream-v0", num_envs=16, checkpoint="runs/Dreamplay-Bricks-v0", horizon=20)
dreams = gym.wrappers.vector.RecordEpisodeStatistics(dreams)
dreams = gym.wrappers.vector.FlattenObservation(dreams)
observations, _ = dreams.reset(seed=0)
for _ in range(50):
    observations, rewards, terminated, truncated, infos = dreams.step(dreams.action_space.sample())
print(observations.shape, "mean return", sum(dreams.env.return_queue) / max(1, len(dreams.env.return_queue)))
