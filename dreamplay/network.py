"""The default network: what moves is predicted locally, what is remembered is global, what chance decides is latent.

B batch · T time · N = B * T, or some of those moments · A action size · D hidden size · C features of a grid cell
rows, columns of the grid · P pixels of a patch · K palette colours (or channels) of a pixel: see `dreamplay.frames`
L latent variables of M values each · S size of what is known at a moment

    frames t-2..t ──patches──► grid ──► mix ──► blocks (3x3, modulated) ──► grid ─patches─► frame t+1 = frame t + change
                                │        ▲           ▲                       │
                                ▼      canvas ◄── latent, action           ▼
              first frame ──► memory ──► known ──► latent ───────────► reward, termination

`observe` goes along a window and says what is known at each moment; `predict` says what comes next, at all of these
moments or at some. Both take all moments at once.

Features of a cell lie side by side in memory (channels last) all the way: so convolutions are fastest on a CPU, and
what is kept otherwise is copied each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dreamplay.frames import Frames, PaletteFrames, numbered

Hidden = dict[str, Tensor]  # every value has a leading batch axis


class Prediction(NamedTuple):
    """What a network says of the next step; leading axes (B,), (N,) or (B, T)."""

    frame: Tensor  # logits (..., rows, columns, K, P)
    reward: Tensor  # logits (..., R)
    termination: Tensor  # logit (...)
    surprise: Tensor  # nats (...) that the truth told the latent beyond its prior; 0 where no truth was told
    clues: Tensor  # (..., X) what reward and termination are judged by; X = 0 if they cannot be judged again


class Moments(NamedTuple):
    """N moments at which an action was chosen, and nothing is decided yet."""

    frames: Tensor  # codes (N, rows, columns, [K,] P), the present ones
    grid: Tensor  # (N, C, rows, columns), the present frame and the two before
    past: Tensor  # (N, C, rows, columns), what the present frame and the one before add to the next grid
    known: Tensor  # (N, S), all that is global: memory, glance, first frame, action

    def at(self, rows: Tensor) -> Moments:
        """Some of the moments, by position."""
        frames, known = (part.index_select(0, rows) for part in (self.frames, self.known))
        grid, past = (part.permute(0, 2, 3, 1).index_select(0, rows) for part in (self.grid, self.past))
        return Moments(frames, grid.permute(0, 3, 1, 2), past.permute(0, 3, 1, 2), known)


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
    """Features per cell that action and latent paint onto the grid: what appears out of nowhere."""
    bottleneck: int = 64
    """Numbers that action and latent are brought down to before they are painted."""
    glance: int = 8
    """Features per cell that the hidden state and the heads get to see."""
    anchor: int = 64
    """Features of the first frame, which stay in view."""
    latents: int = 4
    """L, latent variables that decide, for the whole frame at once, what chance leaves open; 0 = one future only."""
    choices: int = 8
    """M, values of a latent variable."""
    early: bool = False
    """Whether this is one of the dreams that come with Dreamplay, which were trained before three faults were mended:
    what is noticed of a frame is rectified, and turns off for good now and then, and with it all memory; a dream of
    what is most likely takes the latent's most likely value, which says that what moves slowly stands; and each pixel
    says by itself what it becomes, so that a ball may come from nowhere and go there."""


MOST_CELLS = 21
LONGEST_SPAN = 100  # steps that the slowest units remember before training
BLUR = 0.1  # of features of size 1: what differs less from frame to frame is not learned by heart
LENIENCE = 0.9  # a posterior that pays what it tells in full from the start is silent before anyone listens


def patch_side(size: tuple[int, int]) -> int:
    """p: the least power of two from 2 on that leaves at most 21 grid cells along each side of a frame (H, W)."""
    side = 2
    while max(size) > side * MOST_CELLS:
        side *= 2
    return side


class Network(nn.Module):
    """Predicts frame t+1, reward and termination from frames t-2, t-1 and t, the hidden state and action t.

    Three frames tell how fast a thing moves that moves two pixels now and three then; two do not.
    The memory is a gated linear recurrence (minGRU, Feng et al. 2024): its gates see the input only, so nothing but a
    product and a sum is left to do step by step. Gates start at spans from 1 to 100 steps (Tallec and Ollivier 2018).
    The latent is categorical with a posterior that has seen the next frame, learned by the straight-through
    estimator (van den Oord et al. 2017; Hafner et al. 2021); prior and posterior approach each other at unequal
    rates (Hafner et al. 2021, section 2.2), and in the end the posterior is no longer paid for wavering, as it is
    by the divergence: a dream would draw values that say nothing and were seldom learned from. The prior of a
    variable knows those before it, so that what two of them say is one thing and is drawn as one. Layer
    normalisations have no gains: what looks at a whole frame cannot be turned off. What is noticed and what is
    known are multiplied before reward and termination are read from them: what an event is worth may depend on what
    was seen long ago. How many pixels become of each colour is read from the same, once for the whole frame: pixels
    alone do not agree on it, see `dreamplay.frames.numbered`.

    Args:
        frames: codec of the frames.
        actions: A, length of an encoded action.
        rewards: R, number of reward bins.
        config: sizes.
    """

    learns_through_predictions = False
    event_weight = 5.0
    """Factor on the losses of reward and termination: rare as they are, they would hardly shape what is shared. Their
    probabilities stay honest, for the factor is the same whatever happens."""

    def __init__(self, frames: Frames, actions: int, rewards: int, config: NetworkConfig) -> None:
        super().__init__()
        self.frames, self.config = frames, config
        self.grid = frames.patches.grid
        self.pixels = (frames.channels, frames.patches.side**2)  # (K, P)
        self.latent = (config.latents, config.choices)  # (L, M)
        self.blurred = 2 * config.hidden + config.anchor
        cells, c, d = self.grid[0] * self.grid[1], config.features, config.hidden
        k, p, e = *self.pixels, config.embedding
        glances, choices = config.glance * cells, config.latents * config.choices
        known = 2 * d + config.anchor + actions  # S
        decided = known + choices

        self.colours = nn.Parameter(torch.randn(k, e))
        self.embed = nn.Linear(e * p, 3 * c, bias=False)  # as present frame, as the one before, as the one before that
        self.place = nn.Parameter(torch.randn(c, *self.grid) * 0.02)
        self.glance = nn.Conv2d(c, config.glance, 1)
        self.look = _normalised(glances, d)
        self.first = _normalised(glances, config.anchor)
        self.gates = nn.Linear(d + actions, 2 * d)

        self.prior = nn.Sequential(_normalised(known, 64), nn.Linear(64, choices))
        self.chain = nn.Parameter(torch.zeros(*self.latent, choices))  # what the variables before one say of it
        self.news = nn.Conv2d(c, config.glance, 1)
        self.read = _normalised(glances, 64)
        self.posterior = nn.Sequential(_normalised(64 + known, 64), nn.Linear(64, choices))

        self.sketch = _normalised(actions + choices, config.bottleneck)
        self.paint = nn.Linear(config.bottleneck, config.canvas * cells)
        self.mix = nn.Conv2d(c + config.canvas, c, 3, padding=1)
        self.modulate = nn.Linear(decided, 2 * c * config.blocks)
        self.blocks = nn.ModuleList(nn.Conv2d(c, c, 3, padding=1) for _ in range(config.blocks))
        self.broadcast = nn.ModuleList(nn.Linear(c, c) for _ in range(config.blocks))
        self.change = nn.Conv2d(c, k * p, 1)
        self.notice = nn.Conv2d(c, config.glance, 1)
        self.weigh = nn.LayerNorm(glances, elementwise_affine=False)
        self.evidence = nn.Linear(glances, 64)
        self.judge = nn.Linear(decided, 64)
        self.clues = glances + decided  # X
        self.heads = nn.Linear(64, rewards + 1)
        self.numbers = nn.Linear(64, k) if isinstance(frames, PaletteFrames) and not config.early else None
        with torch.no_grad():
            self.embed.weight.normal_(0, (e * p) ** -0.5)
            self.gates.bias[:d] = torch.log(1 + torch.rand(d) * (LONGEST_SPAN - 2))
        for layer in (self.change, self.numbers):  # untrained, it dreams that nothing moves
            for parameter in () if layer is None else layer.parameters():
                nn.init.zeros_(parameter)
        nn.init.ones_(self.judge.bias)

    def initial(self, frame: Tensor) -> Hidden:
        """The hidden state before the first frame (B, rows, columns, [K,] P), as if that had stood still."""
        present, past, older = self._embed(frame)
        past = past + older
        anchor = self.first(self.noticed(self.glance, self._grid(present, past)))
        memory = anchor.new_zeros(len(frame), self.config.hidden)
        return {"memory": memory, "anchor": anchor, "past": past, "older": older}

    def look_at(self, frame: Tensor, hidden: Hidden) -> Tensor:
        """The grid (B, C, rows, columns) of a frame (B, rows, columns, [K,] P), whatever is done there.

        Args:
            frame: where the dreams are.
            hidden: state before the frame.
        """
        return self._grid(self._present(frame), hidden["past"])

    def observe(self, frames: Tensor, actions: Tensor, hidden: Hidden) -> tuple[Moments, Hidden]:
        """Go along a window in which every input frame is given.

        Args:
            frames: codes (B, T, rows, columns, [K,] P).
            actions: (B, T, A).
            hidden: state before the first frame.

        Returns:
            The N = B * T moments, those of a window in a row, and the state after the last one.
        """
        b, t = actions.shape[:2]
        frames = frames.flatten(0, 1)  # (N, rows, columns, [K,] P)
        present, past, older = self._embed(frames)  # (N, C, rows, columns) each
        past = past + _a_step_later(hidden["older"], older)
        grid = self._grid(present, _a_step_later(hidden["past"], past))  # (N, C, rows, columns)

        seen = self.look(self.noticed(self.glance, grid)).unflatten(0, (b, t))  # (B, T, D)
        keep, new = self.gates(torch.cat([seen, actions], -1)).float().chunk(2, -1)  # (B, T, D) each
        keep = keep.sigmoid()
        new, memory, memories = (1 - keep) * new.tanh(), hidden["memory"], []
        for kept, added in zip(keep.unbind(1), new.unbind(1), strict=True):
            memory = torch.addcmul(added, kept, memory)
            memories.append(memory)  # (B, D)
        anchor = hidden["anchor"].unsqueeze(1).expand(-1, t, -1)
        known = torch.cat([torch.stack(memories, 1), seen, anchor, actions], -1).flatten(0, 1)  # (N, S)
        after = {"memory": memory, "anchor": hidden["anchor"], "past": past[t - 1 :: t], "older": older[t - 1 :: t]}
        return Moments(frames, grid, past, known), after

    def predict(
        self,
        moments: Moments,
        truth: Tensor | None = None,
        *,
        noise: Tensor | None = None,
        uniforms: Tensor | None = None,
        temperature: float | Tensor = 1.0,
        lenience: Tensor | float = 0.0,
        told: Tensor | None = None,
        blur: Tensor | None = None,
    ) -> Prediction:
        """What comes next at N moments, (N, ...).

        Args:
            moments: from `observe`.
            truth: codes (N, rows, columns, [K,] P) of what did come next; the latent is then drawn from its posterior.
            noise: exponential draws (N, L, M) that decide which value of the posterior; None = fresh ones.
            uniforms: (N, L) in [0, 1), draw the latent from its prior; without them, and without a truth, it is left
                out.
            temperature: above 0, divides the prior's logits when it is drawn from.
            lenience: with the posterior, in [0, 1]: how little it pays for what it tells, and how much of that it is
                given back for being unsure.
            told: (N,) 1 where the latent is drawn, 0 where it is left out and costs nothing; None = drawn throughout.
            blur: normal draws (N, blurred) that blur, for the blocks, what is known but for the action, in training.
                What judges sees it sharp: a cue may be a small part of what the first frame leaves.
        """
        if truth is not None:
            latent, surprise = self._infer(moments, truth, noise, lenience)
            if told is not None:
                latent, surprise = latent * told.unsqueeze(1), surprise * told
        else:
            latent, surprise = (
                self.draw(moments.known, uniforms, temperature),
                moments.known.new_zeros(len(moments.known)),
            )
        decided = torch.cat([moments.known, latent], -1)

        canvas = self.paint(self.sketch(decided[:, self.blurred :])).unflatten(1, (self.config.canvas, *self.grid))
        canvas = canvas.contiguous(memory_format=torch.channels_last)
        x = F.relu(self.mix(torch.cat([moments.grid, canvas], 1)))  # (N, C, rows, columns)
        seen = decided if blur is None else decided + F.pad(BLUR * blur, (0, decided.shape[1] - self.blurred))
        modulation = self.modulate(seen)[..., None, None].chunk(2 * len(self.blocks), 1)  # (N, C, 1, 1) each
        for i, (block, broadcast) in enumerate(zip(self.blocks, self.broadcast, strict=True)):
            anywhere = broadcast(x.amax((2, 3)))[..., None, None]  # what one cell notices, all cells hear
            x = x + F.relu(block(x) * (1 + modulation[2 * i]) + modulation[2 * i + 1] + anywhere)

        change = self.change(x).permute(0, 2, 3, 1).unflatten(-1, self.pixels)  # (N, rows, columns, K, P)
        shown = self.frames.indicators(moments.frames)
        frame = self.frames.copy_logits(shown) + change
        clues = torch.cat([self.weigh(self.noticed(self.notice, x)), decided], 1)
        event = self._event(clues)
        if self.numbers is not None:
            frame = numbered(frame, shown, self.numbers(event))
        return Prediction(frame, *self._judged(event), surprise, clues)

    def judged(self, clues: Tensor, *, fixed: bool = False) -> tuple[Tensor, Tensor]:
        """Logits of the reward (N, R) and of the termination (N,).

        Args:
            clues: of a prediction, (N, X).
            fixed: whether the layers that judge are taken as they are: then only the clues learn.
        """
        return self._judged(self._event(clues, fixed), fixed)

    def noticed(self, layer: nn.Module, grid: Tensor) -> Tensor:
        """(N, G * cells), what one of the layers that look at whole frames notices in a grid (N, C, rows, columns)."""
        seen = layer(grid).flatten(1)
        return F.relu(seen) if self.config.early else seen

    def unroll(self, frames: Tensor, actions: Tensor, hidden: Hidden) -> tuple[Prediction, Hidden]:
        """`observe` and `predict` the most likely: predictions (B, T, ...) of what each action leads to."""
        moments, hidden = self.observe(frames, actions, hidden)
        flat = self.predict(moments)
        return Prediction(*(part.unflatten(0, actions.shape[:2]) for part in flat)), hidden

    def step(
        self,
        frame: Tensor,
        action: Tensor,
        hidden: Hidden,
        *,
        uniforms: Tensor | None = None,
        temperature: float | Tensor = 1.0,
    ) -> tuple[Prediction, Hidden]:
        """One step: a frame (B, rows, columns, [K,] P) and an action (B, A) -> what comes next, (B, ...).

        Args:
            frame: where the dreams are.
            action: what is done there.
            hidden: state before the frame.
            uniforms: (B, L), see `predict`.
            temperature: see `predict`.
        """
        moments, hidden = self.observe(frame.unsqueeze(1), action.unsqueeze(1), hidden)
        return self.predict(moments, uniforms=uniforms, temperature=temperature), hidden

    def draw(self, known: Tensor, uniforms: Tensor | None, temperature: float | Tensor) -> Tensor:
        """The latent (N, L * M), one-hot, drawn from its prior variable by variable; zeros if it is not drawn.

        Args:
            known: all that is global, (N, S).
            uniforms: see `predict`.
            temperature: see `predict`.
        """
        if uniforms is None and not self.config.early:
            return F.pad(known[:, :0], (0, self.latent[0] * self.latent[1]))  # of any length in an exported graph
        drawn, logits = [known[:, :0]], self.prior(known)
        for i in range(self.latent[0]):
            odds = self._odds(logits, i)
            if uniforms is None:
                value = odds.argmax(-1)
            else:
                cumulative = (odds / temperature).softmax(-1).cumsum(-1)
                value = (uniforms[:, i : i + 1] >= cumulative / cumulative[:, -1:]).sum(-1)
            drawn.append(F.one_hot(value, self.latent[1]).to(known.dtype))
            logits = self._told(logits, drawn[-1], i)
        return torch.cat(drawn, 1)

    def _event(self, clues: Tensor, fixed: bool = False) -> Tensor:
        """What happens in the frame as a whole, (N, 64): what is noticed, as far as what is known makes it matter."""
        noticed, decided = clues.split([self.evidence.in_features, self.judge.in_features], -1)
        return _linear(self.evidence, noticed, fixed) * _linear(self.judge, decided, fixed)

    def _judged(self, event: Tensor, fixed: bool = False) -> tuple[Tensor, Tensor]:
        said = _linear(self.heads, event, fixed)
        return said[..., :-1], said[..., -1]

    def _odds(self, logits: Tensor, i: int) -> Tensor:
        """Logits (N, M) of variable i, from those of all (N, L * M), which were told the variables before."""
        return logits[:, i * self.latent[1] : (i + 1) * self.latent[1]]

    def _told(self, logits: Tensor, value: Tensor, i: int) -> Tensor:
        """The prior's logits (N, L * M) once the value (N, M) of variable i is known; they hold for those after it."""
        return logits + F.linear(value, self._odds(self.chain.flatten(0, 1), i))

    def _infer(
        self, moments: Moments, truth: Tensor, noise: Tensor | None, lenience: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        """The latent (N, L * M), drawn with the truth in view, and what that told it: KL(posterior || prior), (N,)."""
        news = self.noticed(self.news, self._grid(self._present(truth), moments.past))
        logits = self.posterior(torch.cat([self.read(news), moments.known], -1)).unflatten(-1, self.latent)
        posterior = logits.log_softmax(-1)
        chances = posterior.exp()
        noise = torch.empty_like(posterior).exponential_() if noise is None else noise
        drawn = (posterior - noise.log()).max(-1).indices  # Gumbel: an exact draw
        values = F.one_hot(drawn, self.latent[1]).to(chances.dtype)  # (N, L, M)

        logits = self.prior(moments.known)
        odds = [logits[:, :0]]
        for i, value in enumerate(values.unbind(1)):
            odds.append(self._odds(logits, i))
            logits = self._told(logits, value, i)
        prior = torch.cat(odds, 1).unflatten(-1, self.latent).log_softmax(-1)
        for_prior = (chances.detach() * (posterior.detach() - prior)).sum((-2, -1))
        wavering = torch.as_tensor(2 * lenience).clamp(max=1.0)
        price = (chances * (wavering * posterior - prior.detach())).sum((-2, -1))
        for_posterior = (1 - LENIENCE * lenience) * price
        surprise = for_prior + for_posterior - for_posterior.detach()
        return (values + chances - chances.detach()).flatten(1), surprise  # straight through

    def _embed(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Codes (N, rows, columns, [K,] P) -> their share in the grid: as present frames, one, and two steps later."""
        present, previous, older = self._embedded(frames, self.embed.weight).chunk(3, 1)
        return present, previous, older

    def _present(self, frames: Tensor) -> Tensor:
        """The former alone."""
        return self._embedded(frames, self.embed.weight[: self.config.features])

    def _embedded(self, frames: Tensor, weight: Tensor) -> Tensor:
        (k, p), e = self.pixels, self.config.embedding
        shared = weight.view(-1, p, e) @ self.colours.t()  # (outputs, P, K), of a pixel of each colour
        pixels = self.frames.indicators(frames, shared.dtype).flatten(-2)  # (N, rows, columns, K * P)
        return F.conv2d(pixels.permute(0, 3, 1, 2), shared.transpose(1, 2).reshape(-1, k * p, 1, 1))

    def _grid(self, present: Tensor, past: Tensor) -> Tensor:
        """(N, C, rows, columns), of a frame's share and of that of the frame before."""
        place = self.place.to(present.dtype).unsqueeze(0).contiguous(memory_format=torch.channels_last)
        return F.relu(present + past + place)


def _linear(layer: nn.Linear, x: Tensor, fixed: bool) -> Tensor:
    return F.linear(x, layer.weight.detach(), layer.bias.detach()) if fixed else layer(x)


def _a_step_later(before: Tensor, grids: Tensor) -> Tensor:
    """Grids (N, C, rows, columns) of B windows, each at the step after its own; `before`, (B, C, ...), at the first."""
    first, rest = (part.permute(0, 2, 3, 1) for part in (before, grids))  # channels last: a view of what is in memory
    rest = rest.unflatten(0, (before.shape[0], -1))
    return torch.cat([first.unsqueeze(1), rest[:, :-1]], 1).flatten(0, 1).permute(0, 3, 1, 2)


def _normalised(inputs: int, outputs: int) -> nn.Sequential:
    """Features of a whole frame, half of which are always there."""
    return nn.Sequential(nn.Linear(inputs, outputs), nn.LayerNorm(outputs, elementwise_affine=False), nn.ReLU())
