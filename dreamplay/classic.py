"""The classic network, the baseline: the recurrent environment simulator of Chiappa et al. 2017.

    z_t = encoder(x_t)      v_t = (W_h h_{t-1}) * (W_a a_t)      h_t = LSTM(v_t, z_t)      x_{t+1} = decoder(h_t)

The equations are those of section 3 (its h is one step ahead of this one: there x_t = decoder(h_t)), preprocessing and
optimiser those of appendix A, the layers those of appendix B.1 (arXiv 1704.02254). Sizes scale with the frame: at 210 x
160 pixels they are the published ones (2816 encoder outputs, LSTM of 1024, v of 2048), a smaller frame takes the last
of the convolutions only. Not in the paper: reward and termination, read off h_t.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dreamplay.frames import Picture
from dreamplay.network import Hidden, Prediction

# (output channels, kernel, padding), all of stride 2: 210 x 160 -> 102 x 78 -> 50 x 38 -> 24 x 18 -> 11 x 8
Layer = tuple[int, int, tuple[int, int]]
LAYERS: tuple[Layer, ...] = ((64, 8, (0, 1)), (32, 6, (1, 1)), (32, 6, (1, 1)), (32, 4, (0, 0)))
SMALLEST_MAP = 4


@dataclass(frozen=True)
class RawFrames:
    """Frames as the paper takes them: intensities over 255 less the mean colour, a squared error, unbounded outputs.

    Args:
        mean: float (C,), mean colour of the data over 255.
    """

    mean: np.ndarray

    @property
    def channels(self) -> int:
        """C."""
        return len(self.mean)

    def encode(self, observations: np.ndarray) -> Tensor:
        """uint8 (..., H, W, C) -> float (..., C, H, W)."""
        shifted = observations.astype(np.float32) / 255 - self.mean.astype(np.float32)
        return torch.from_numpy(np.moveaxis(shifted, -1, -3).copy())

    def decode(self, frames: Tensor) -> np.ndarray:
        """Float (..., C, H, W) -> uint8 (..., H, W, C), cut off at black and white."""
        shifted = np.moveaxis(frames.cpu().numpy(), -3, -1) + self.mean.astype(np.float32)
        return (shifted * 255).round().clip(0, 255).astype(np.uint8)

    def log_loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Half the squared error, a Gaussian's log-loss at unit variance: (..., C, H, W) twice -> (..., H, W)."""
        return ((prediction - target) ** 2).sum(-3) / 2

    def to_input(self, frames: Tensor) -> Tensor:
        """Intensities are what the network sees."""
        return frames

    def entropy(self, prediction: Tensor) -> Tensor:
        """Unknown, NaN (B,): a mean says nothing of its spread."""
        return torch.full((len(prediction),), torch.nan)

    def most_likely(self, prediction: Tensor) -> Tensor:
        """The mean is the most likely frame; gradients flow through it."""
        return prediction

    def picture(self, frames: Tensor) -> Picture:
        """What a state holds of a frame (B, C, H, W): all of it."""
        return {"frame": frames}

    def dreamed(self, prediction: Tensor, before: Picture) -> tuple[Picture, Tensor]:
        """The mean, whatever came before; it leaves nothing open."""
        return {"frame": prediction}, torch.zeros_like(prediction.flatten(1)[:, 0])

    def to_json(self) -> dict[str, Any]:
        """What `RawFrames` is made of."""
        return {"kind": "raw", "mean": [float(m) for m in self.mean]}


class ClassicNetwork(nn.Module):
    """The published simulator, behind the interface of `dreamplay.network.Network`.

    Args:
        frames: codec of the frames.
        size: (H, W) of a frame in pixels, at least 10 a side.
        actions: A, length of an encoded action.
        rewards: R, number of reward bins.
    """

    learns_through_predictions = True
    latent = (0, 0)  # no latent variables
    blurred = 0
    clues = 0
    event_weight = 1.0

    def __init__(self, frames: RawFrames, size: tuple[int, int], actions: int, rewards: int) -> None:
        super().__init__()
        self.frames = frames
        layers, maps = fit_layers(size)
        channels = [frames.channels, *(layer[0] for layer in layers)]
        self.encoder = nn.ModuleList(
            nn.Conv2d(channels[i], n, kernel, stride=2, padding=padding)
            for i, (n, kernel, padding) in enumerate(layers)
        )
        self.decoder = nn.ModuleList(
            nn.ConvTranspose2d(
                channels[i + 1],
                channels[i],
                kernel,
                stride=2,
                padding=padding,
                output_padding=output_padding(maps[i], maps[i + 1], kernel, padding),
            )
            for i, (_, kernel, padding) in reversed(list(enumerate(layers)))
        )
        self.map = (channels[-1], *maps[-1])
        encoded = channels[-1] * maps[-1][0] * maps[-1][1]
        self.d = max(128, 1024 * encoded // 2816)
        self.from_hidden = nn.Linear(self.d, 2 * self.d, bias=False)
        self.from_action = nn.Linear(actions, 2 * self.d, bias=False)
        self.gates = nn.Linear(2 * self.d + encoded, 4 * self.d)
        self.to_map = nn.Linear(self.d, encoded)
        self.heads = nn.Linear(self.d, rewards + 1)
        self.rectify = nn.RReLU(1 / 8, 1 / 3)  # a random slope below zero in training, its mean otherwise

    def initial(self, frame: Tensor) -> Hidden:
        """Zeros, for a first frame (B, C, H, W)."""
        return {"output": frame.new_zeros(len(frame), self.d), "cell": frame.new_zeros(len(frame), self.d)}

    def unroll(self, frames: Tensor, actions: Tensor, hidden: Hidden) -> tuple[Prediction, Hidden]:
        """A window with every input frame given: encoder and decoder at once, the LSTM step by step.

        Args:
            frames: (B, T, C, H, W).
            actions: (B, T, A).
            hidden: "output" h and "cell" c before the first step, (B, D) each.

        Returns:
            Predictions (B, T, ...) of what each action leads to, and the state after the last one.
        """
        b, t = actions.shape[:2]
        z = frames.flatten(0, 1)  # (B*T, C, H, W)
        for layer in self.encoder:
            z = self.rectify(layer(z))
        z = z.flatten(1).view(b, t, -1)  # (B, T, encoded)
        output, cell = hidden["output"], hidden["cell"]
        outputs = []
        for i in range(t):
            v = self.from_hidden(output) * self.from_action(actions[:, i])  # (B, 2D)
            gate_in, forget, out, candidate = self.gates(torch.cat([v, z[:, i]], -1)).chunk(4, -1)  # (B, D) each
            cell = forget.sigmoid() * cell + gate_in.sigmoid() * candidate.tanh()
            output = out.sigmoid() * cell.tanh()
            outputs.append(output)
        h = torch.stack(outputs, 1).flatten(0, 1)  # (B*T, D)
        x = self.to_map(h).view(-1, *self.map)
        for i, layer in enumerate(self.decoder):
            x = layer(x if i == 0 else self.rectify(x))  # in the end (B*T, C, H, W)
        event = self.heads(h)
        flat = Prediction(x, event[:, :-1], event[:, -1], event.new_zeros(len(event)), event[:, :0])
        return Prediction(*(p.unflatten(0, (b, t)) for p in flat)), {"output": output, "cell": cell}

    def observe(self, frames: Tensor, actions: Tensor, hidden: Hidden) -> tuple[None, Hidden]:
        """The state after a window; see `unroll`."""
        return None, self.unroll(frames, actions, hidden)[1]

    def step(
        self,
        frame: Tensor,
        action: Tensor,
        hidden: Hidden,
        *,
        uniforms: Tensor | None = None,
        temperature: float | Tensor = 1.0,
    ) -> tuple[Prediction, Hidden]:
        """One step: frame (B, C, H, W), action (B, A) -> the next frame and events; it knows one future."""
        prediction, hidden = self.unroll(frame.unsqueeze(1), action.unsqueeze(1), hidden)
        return Prediction(*(x.squeeze(1) for x in prediction)), hidden


def fit_layers(size: tuple[int, int]) -> tuple[list[Layer], list[tuple[int, int]]]:
    """The last of the published layers that leave a map of at least 4 x 4, and the map before and after each.

    Returns:
        Layers as in `LAYERS`, and one (rows, columns) more than there are layers.
    """
    for first in range(len(LAYERS)):
        maps = [size]
        for _, kernel, (rows, columns) in LAYERS[first:]:
            maps.append(((maps[-1][0] + 2 * rows - kernel) // 2 + 1, (maps[-1][1] + 2 * columns - kernel) // 2 + 1))
        if min(maps[-1]) >= SMALLEST_MAP or first == len(LAYERS) - 1:
            return list(LAYERS[first:]), maps
    raise AssertionError("LAYERS is empty")


def output_padding(
    before: tuple[int, int], after: tuple[int, int], kernel: int, padding: tuple[int, int]
) -> tuple[int, int]:
    """What a transposed convolution must add so that `after` grows back to exactly `before`."""
    rows, columns = (before[i] - ((after[i] - 1) * 2 - 2 * padding[i] + kernel) for i in (0, 1))
    return rows, columns
