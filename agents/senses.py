"""What a policy sees: what the simulator itself knows at a moment, before an action is chosen.

B batch · F features.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from dreamplay.classic import ClassicNetwork
from dreamplay.simulator import Simulator, State


class Senses:
    """Turns states of a simulator into features (B, F), in a small part of the time of a step.

    Of the default network: the memory, the features of the first frame, and its glance at the present and the previous
    frame, cell by cell and as the memory is told of it. Of the classic one: output and cell of its LSTM, and the frame.

    Args:
        simulator: its weights must not change while its features are used.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._network = simulator.network
        shape = simulator.card.observation_space.shape
        blank = torch.zeros(1, 1, *shape, dtype=torch.uint8).numpy()
        no_actions = torch.zeros(1, 0, *(simulator.card.action_space.shape or ())).numpy()
        self.size = self(simulator.start(blank, no_actions)).shape[1]
        """F."""

    @torch.no_grad()
    def __call__(self, state: State) -> Tensor:
        """Features, float (B, F)."""
        network = self._network
        if isinstance(network, ClassicNetwork):
            return torch.cat([state["output"], state["cell"], state["frame"].flatten(1)], -1)
        glance = F.relu(network.glance(network.look_at(state["frame"], state))).flatten(1)
        return torch.cat([state["memory"], state["anchor"], network.look(glance), glance], -1)
