"""The default network in the form in which it dreams: the same function of fewer and larger operations.

Shape letters as in `dreamplay.network`. Here a frame is K indicators of P pixels per cell: is a pixel of that class?

What is folded: a colour's embedding is a product with its indicator, which the copied frame needs too; the maps that
start from all that is decided are one; scales and shifts of a block are one product and one sum, without copies of the
grid in another layout.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dreamplay.frames import PaletteFrames, Picture, next_classes, next_odds
from dreamplay.network import Hidden, Network


class FoldedNetwork(nn.Module):
    """One step of a trained default network on frames of a palette.

    Args:
        network: trained; its parameters are read once, when this is made.
    """

    colours: Tensor  # (E, K)
    classes: Tensor  # (K, 1)
    present: Tensor  # (C, E * P, 1, 1)
    later: Tensor  # (2 * C, E * P, 1, 1), one and two steps later
    decide: Tensor  # from (S + L * M)
    decide_bias: Tensor
    change: Tensor  # (K * P, C + 1), the bias last

    def __init__(self, network: Network) -> None:
        super().__init__()
        assert isinstance(network.frames, PaletteFrames)
        self.network, self.frames = network, network.frames
        self.cells = network.grid[0] * network.grid[1]
        (k, p), (c, e), blocks = network.pixels, (network.config.features, network.config.embedding), network.blocks
        with torch.no_grad():
            self.register_buffer("colours", network.colours.t().contiguous())
            self.register_buffer("classes", torch.arange(k, device=self.colours.device).float().unsqueeze(1))
            embed = network.embed.weight.view(3 * c, p, e).transpose(1, 2).reshape(3 * c, e * p, 1, 1)
            self.register_buffer("present", embed[:c].contiguous())
            self.register_buffer("later", embed[c:].contiguous())
            shift = network.modulate.bias.clone().view(len(blocks), 2, c)  # a block's scale, then its shift
            shift[:, 0] += 1
            for i, broadcast in enumerate(network.broadcast):
                assert isinstance(broadcast.bias, Tensor)
                shift[i, 1] += broadcast.bias
            sketch = network.sketch[0]
            assert isinstance(sketch, nn.Linear)
            starts = [
                (F.pad(sketch.weight, (network.blurred, 0)), sketch.bias),
                (network.modulate.weight, shift.flatten()),
                (network.judge.weight, network.judge.bias),
            ]
            self.widths = [len(bias) for _, bias in starts]
            self.register_buffer("decide", torch.cat([weight for weight, _ in starts]).contiguous())
            self.register_buffer("decide_bias", torch.cat([bias for _, bias in starts]))
            assert isinstance(network.change.bias, Tensor)
            change = torch.cat([network.change.weight.flatten(1), network.change.bias.unsqueeze(1)], 1)
            self.register_buffer("change", change)

    def forward(
        self, state: Hidden, action: Tensor, uniforms: Tensor | None, temperature: float | Tensor
    ) -> tuple[Picture, Tensor, Tensor, Tensor, Hidden]:
        """A step of B dreams: next picture and how much of it is open, logits of reward and termination, hidden state.

        See `PaletteFrames.dreamed` and `Network.step`.
        """
        net, config, (k, p) = self.network, self.network.config, self.network.pixels
        shown = self.frames.spread(state["frame"])  # (B, P * cells)
        is_class = (shown.unsqueeze(1) == self.classes).float()  # (B, K, P * cells)
        colours = (self.colours @ is_class).view(-1, config.embedding * p, *net.grid)
        grid = F.relu(F.conv2d(colours, self.present) + (state["past"] + net.place))  # (B, C, rows, columns)

        seen = net.look(net.noticed(net.glance, grid))  # (B, D)
        keep, new = net.gates(torch.cat([seen, action], -1)).split(config.hidden, -1)
        new = new.tanh()
        memory = new + keep.sigmoid() * (state["memory"] - new)
        known = torch.cat([memory, seen, state["anchor"], action], -1)  # (B, S)
        decided = torch.cat([known, net.draw(known, uniforms, temperature)], -1)

        sketch, modulation, judged = F.linear(decided, self.decide, self.decide_bias).split(self.widths, 1)
        scales_and_shifts = modulation.view(-1, self.widths[1], 1, 1).split(config.features, 1)  # (B, C, 1, 1) each
        canvas = net.paint(net.sketch[1:](sketch)).view(-1, config.canvas, *net.grid)
        x = F.relu(net.mix(torch.cat([grid, canvas], 1)))  # (B, C, rows, columns)
        for i, (block, broadcast) in enumerate(zip(net.blocks, net.broadcast, strict=True)):
            assert isinstance(broadcast.weight, Tensor)
            scale, shift = scales_and_shifts[2 * i : 2 * i + 2]
            anywhere = F.conv2d(F.adaptive_max_pool2d(x, 1), broadcast.weight[..., None, None]) + shift
            x = x + F.relu(block(x) * scale + anywhere)

        # (B, K * P, cells)
        change = self.change @ F.pad(x.reshape(-1, config.features, self.cells), (0, 0, 0, 1), value=1.0)
        noticed = net.weigh(net.noticed(net.notice, x))
        event = net.evidence(noticed) * judged  # (B, 64)
        numbers = None if net.numbers is None else net.numbers(event)
        odds = next_odds(change.view(-1, k, p * self.cells), is_class, numbers)
        classes, doubt, open_pixels = next_classes(odds, shown, state["doubt"])
        said = net.heads(event)  # (B, R + 1)
        past, older = F.conv2d(colours, self.later).chunk(2, 1)
        after = {"memory": memory, "anchor": state["anchor"], "past": past + state["older"], "older": older}
        picture = {"frame": self.frames.gathered(classes), "doubt": doubt}
        return picture, open_pixels, said[:, :-1], said[:, -1], after
