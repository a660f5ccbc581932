"""Registers the `Dreamplay/*` ids. Nothing is imported for it but Gymnasium; the entry points are names."""

from __future__ import annotations

import gymnasium as gym

GAMES = {"Catch": 200, "Bricks": 500, "Rally": 500, "Recall": None}  # name -> steps after which an episode is truncated
DREAM_ID = "Dreamplay/Dream-v0"


def register_all() -> None:
    """Register the games and the dream; doing so again is harmless."""
    for name, max_steps in GAMES.items():
        env_id = f"Dreamplay/{name}-v0"
        if env_id not in gym.registry:
            entry_point = f"dreamplay.envs.{name.lower()}:{name}"
            gym.register(env_id, entry_point=entry_point, max_episode_steps=max_steps)
    if DREAM_ID not in gym.registry:
        gym.register(
            DREAM_ID,
            entry_point="dreamplay.envs.dream:make_dream",
            vector_entry_point="dreamplay.envs.dream_vector:make_dream_vector",
        )
