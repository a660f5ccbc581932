"""A corridor dreamed truly: the best policy, and what it is worth, are known."""

from typing import Any

import gymnasium as gym
import numpy as np
import torch

from toys import StubSimulator

END = 9


class Corridor(StubSimulator):
    """The frame holds the place, 0 to 9: go left, wait, or go right. Arriving at 9 pays `pay` and ends the episode.

    Places up to `known` leave nothing open to a step that leads there, those beyond one pixel.

    With a box the place moves by the sign of what lies beyond a half, left or right.

    Args:
        action_space: Discrete(3), MultiDiscrete([3, 2]) (whose second part does nothing) or a Box (1,).
        pay: of the way's end.
        known: the last such place.
    """

    mean_reward = 0.0

    def __init__(self, action_space: gym.Space[Any] | None = None, pay: float = 1.0, known: int = END) -> None:
        super().__init__(gym.spaces.Discrete(3) if action_space is None else action_space)
        self.pay, self.known = pay, known

    def step(self, state: dict[str, Any], actions: np.ndarray, **settings: Any) -> Any:
        _, step = super().step(state, actions, **settings)
        first = actions.reshape(len(actions), -1)[:, 0]
        way = first - 1 if first.dtype.kind == "i" else np.where(np.abs(first) > 0.5, np.sign(first), 0).astype(int)
        place = np.clip(state["frame"][:, 0, 0, 0].numpy() + way, 0, END)
        end = (place == END).astype(np.float32)
        there = torch.from_numpy(place)[:, None, None, None].expand_as(state["frame"])
        return {**state, "frame": there}, step._replace(
            expected_rewards=self.pay * end,
            termination_probability=end,
            rewards=self.pay * end,
            open_pixels=(place > self.known).astype(np.float32),
        )


def corridor_starts(simulator: Corridor) -> dict[str, torch.Tensor]:
    """One dream in each place but the last."""
    frames = np.arange(END, dtype=np.uint8)[:, None, None, None, None] * np.ones((1, 1, 2, 3, 1), np.uint8)
    return simulator.start(frames, np.zeros((END, 0, *(simulator.card.action_space.shape or ()))))


def sense(state: dict[str, torch.Tensor]) -> torch.Tensor:
    """Where it is, one-hot (B, 10)."""
    return torch.nn.functional.one_hot(state["frame"][:, 0, 0, 0].long(), END + 1).float()
