"""The default network: what moves is predicted locally, what is remembered is global.

B batch · T time · N = B * T · A action size · D hidden size · C features of a grid cell
rows, columns of the grid · P pixels of a patch · K palette colours (or channels) of a pixel: see `dreamplay.frames`

    frames t-1, t ──patches──► grid ──► mix ──► blocks (3x3, modulated) ──► grid ─patches─► frame t+1 = frame t + change
                                │        ▲           ▲                       │
                                ▼      canvas        │                       ▼
                               GRU ──► hidden, action┘                 reward, termination
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dreamplay.frames import Frames

Hidden = dict[str, Tensor]  # every value has a leading batch axis


class Prediction(NamedTuple):
    """What a network says of the next step; leading axes (B,) or (B, T)."""

    frame: Tensor  # logits (..., rows, columns, K, P)
    reward: Tensor  # logits (..., R)
    termination: Tensor  # logit (...)


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the default network."""

    features: int = 32
    """C, features of a grid cell."""
    embedding: int = 4
    """Numbers that stand for a colour; shared by all pixels of a patch."""
    hidden: int = 192
    """D, size of the recurrent state."""
    blocks: int = 2
    """3x3 residual blocks: how far a thing can move in a step, in grid cells."""
    canvas: int = 8
    """Features per cell that hidden state and action paint onto the grid: what appears out of nowhere."""
    glance: int = 8
    """Features per cell that the hidden state and the heads get to see."""


MOST_CELLS = 21


def patch_side(size: tuple[int, int]) -> int:
    """p: the least power of two from 2 on that leaves at most 21 grid cells along each side of a frame (H, W)."""
    side = 2
    while max(size) > side * MOST_CELLS:
        side *= 2
    return side


class Network(nn.Module):
    """Predicts frame t+1, reward and termination from frames t-1 and t, the hidden state and action t.

    Args:
        frames: codec of the frames.
        actions: A, length of an encoded action.
        rewards: R, number of reward bins.
        config: sizes.
    """

    learns_through_predictions = False

    def __init__(self, frames: Frames, actions: int, rewards: int, config: NetworkConfig) -> None:
        super().__init__()
        self.frames, self.config = frames, config
        self.grid = frames.patches.grid
        cells, c, d = self.grid[0] * self.grid[1], config.features, config.hidden
        self.pixels = (frames.channels, frames.patches.side**2)  # (K, P)
        k, p, e = *self.pixels, config.embedding

        self.colours = nn.Parameter(torch.randn(e, k))
        self.embed = nn.Parameter(torch.randn(2 * c, e, p) / (e * p) ** 0.5)  # first as present frame, then as previous
        self.place = nn.Parameter(torch.randn(c, *self.grid) * 0.02)
        self.glance = nn.Conv2d(c, config.glance, 1)
        self.look = nn.Linear(config.glance * cells, d)
        self.recurrent = nn.GRU(d + actions, d, batch_first=True)
        self.paint = nn.Linear(d + actions, config.canvas * cells)
        self.mix = nn.Conv2d(c + config.canvas, c, 3, padding=1)
        self.modulate = nn.Linear(d + actions, 2 * c * config.blocks)
        self.blocks = nn.ModuleList(nn.Conv2d(c, c, 3, padding=1) for _ in range(config.blocks))
        self.broadcast = nn.ModuleList(nn.Linear(c, c) for _ in range(config.blocks))
        self.change = nn.Conv2d(c, k * p, 1)
        self.notice = nn.Conv2d(c, config.glance, 1)
        self.judge = nn.Linear(config.glance * cells + d + actions, 64)
        self.heads = nn.Linear(64, rewards + 1)
        for parameter in self.change.parameters():  # untrained, it dreams that nothing moves
            nn.init.zeros_(parameter)

    def initial(self, frame: Tensor) -> Hidden:
        """The hidden state before the first frame (B, rows, columns, [K,] P), as if that had stood still."""
        previous = self._embed(self.frames.to_input(frame))[1]
        return {"memory": previous.new_zeros(len(frame), self.config.hidden), "previous": previous}

    def unroll(self, frames: Tensor, actions: Tensor, hidden: Hidden) -> tuple[Prediction, Hidden]:
        """A window with every input frame given, all steps at once.

        Args:
            frames: codes or inputs (B, T, rows, columns, [K,] P).
            actions: (B, T, A).
            hidden: state before the first frame.

        Returns:
            Predictions (B, T, ...) of what each action leads to, and the state after the last one.
        """
        b, t = actions.shape[:2]
        inputs = self.frames.to_input(frames).flatten(0, 1)  # (N, rows, columns, K, P)
        present, as_previous = self._embed(inputs)  # (N, C, rows, columns) each
        as_previous = as_previous.unflatten(0, (b, t))
        previous = torch.cat([hidden["previous"].unsqueeze(1), as_previous[:, :-1]], 1).flatten(0, 1)
        grid = F.relu(present + previous + self.place)  # (N, C, rows, columns)

        seen = F.relu(self.look(F.relu(self.glance(grid)).flatten(1))).unflatten(0, (b, t))  # (B, T, D)
        memory, last = self.recurrent(torch.cat([seen, actions], -1), hidden["memory"].unsqueeze(0))
        control = torch.cat([memory, actions], -1).flatten(0, 1)  # (N, D + A)

        canvas = self.paint(control).unflatten(1, (self.config.canvas, *self.grid))
        x = F.relu(self.mix(torch.cat([grid, canvas], 1)))  # (N, C, rows, columns)
        modulation = self.modulate(control)[..., None, None].chunk(2 * len(self.blocks), 1)  # (N, C, 1, 1) each
        for i, (block, broadcast) in enumerate(zip(self.blocks, self.broadcast, strict=True)):
            anywhere = broadcast(x.amax((2, 3)))[..., None, None]  # what one cell notices, all cells hear
            x = x + F.relu(block(x) * (1 + modulation[2 * i]) + modulation[2 * i + 1] + anywhere)

        change = self.change(x).permute(0, 2, 3, 1).unflatten(-1, self.pixels)  # (N, rows, columns, K, P)
        event = self.heads(F.relu(self.judge(torch.cat([F.relu(self.notice(x)).flatten(1), control], -1))))
        flat = Prediction(self.frames.copy_logits(inputs) + change, event[..., :-1], event[..., -1])
        prediction = Prediction(*(p.unflatten(0, (b, t)) for p in flat))
        return prediction, {"memory": last.squeeze(0), "previous": as_previous[:, -1]}

    def step(self, frame: Tensor, action: Tensor, hidden: Hidden) -> tuple[Prediction, Hidden]:
        """One step: a frame (B, rows, columns, [K,] P) and an action (B, A) -> what comes next, (B, ...)."""
        prediction, hidden = self.unroll(frame.unsqueeze(1), action.unsqueeze(1), hidden)
        return Prediction(*(p.squeeze(1) for p in prediction)), hidden

    def _embed(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """(N, rows, columns, K, P) -> its share in the grid as the present frame, and as the previous one."""
        weight = torch.einsum("cep,ek->ckp", self.embed, self.colours).flatten(1)[..., None, None]
        present, previous = F.conv2d(inputs.flatten(-2).permute(0, 3, 1, 2), weight).chunk(2, 1)
        return present, previous
