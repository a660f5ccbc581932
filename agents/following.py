"""A dream that follows reality: its state goes along with what really happened, over a whole episode."""

from __future__ import annotations

import numpy as np
import torch

from dreamplay.actions import encode_actions
from dreamplay.simulator import Simulator, State


@torch.inference_mode()
def follow(simulator: Simulator, state: State, actions: np.ndarray, observations: np.ndarray) -> State:
    """The state after T real steps: what `Simulator.start` gives for the frames so far, at the cost of the new ones.

    Args:
        simulator: whose state it is.
        state: of B rows; it is not modified.
        actions: (B, T, *action_shape), T >= 1, what was done.
        observations: uint8 (B, T, H, W, C), the frame after each action.
    """
    network, device = simulator.network, simulator.device
    frames = network.frames.encode(observations).to(device)  # (B, T, ...)
    given = torch.cat([state["frame"].unsqueeze(1), frames[:, :-1]], 1)
    encoded = torch.from_numpy(encode_actions(simulator.card.action_space, np.asarray(actions))).to(device)
    _, hidden = network.observe(given, encoded, state)
    # Contiguous: a row of a view would keep all T frames alive.
    return {name: value.contiguous() for name, value in {"frame": frames[:, -1], **hidden}.items()}
