"""Frames outside and inside the simulator: uint8 channel-last at the boundary, a grid of patches within.

A frame of H x W pixels is cut into patches of p x p: rows x columns patches of P = p * p pixels (the frame is padded
at the far edges if need be). Two codecs share one surface, over three forms of a frame:

    observation  uint8 (..., H, W, C)                     what the world sees
    code         (..., rows, columns, [C,] P)             what the network sees: uint8 classes, or float intensities
    logits       float (..., rows, columns, K, P)         what it says of the next frame

`PaletteFrames` makes every pixel a class, one per colour: a softmax per pixel, crisp frames, exact comparison.
`ColourFrames` keeps intensities in [0, 1] as the mean of a Bernoulli per channel: bounded, for frames of many colours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import exp
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

MAX_COLOURS = 32
UNKNOWN = 255  # a class that no palette has
NEAR = 32  # gray levels in every channel: how far a colour may be from the one of the palette that stands for it
LEAST_EXACT = 0.99  # share of pixels whose very colour is in the palette
LEAST_INTENSITY = 1e-3  # of a copied pixel: decoded it is 0 again, and 1 is 255
MOST_DOUBTFUL = 512  # pixels of a frame that may be of a class that is not their most likely one
MOST_GIVEN, LEAST_GIVEN = 16, 0.01  # pixels that a class is given beyond its own, and how likely they have to be it
LEAST_LEFT = 0.2  # probability with which a pixel has to leave its class at a step for that to count
LEAST_EXPECTED = 0.01  # pixels that become of a class: fewer are not made more of
MOST_MISSING = 40.0  # nats by which pixels are made to agree on that
COPY_LOGIT = 6.0  # a copied pixel keeps its colour with a probability of 0.98 for eight other colours


@dataclass(frozen=True)
class Patches:
    """How frames are cut into patches.

    Args:
        size: (H, W) in pixels.
        side: p, pixels along a patch's side.
    """

    size: tuple[int, int]
    side: int

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, columns) of patches."""
        return -(-self.size[0] // self.side), -(-self.size[1] // self.side)

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """(..., H, W, X) -> (..., rows, columns, P, X), the last row and column repeated as padding."""
        (h, w), (rows, columns), p = self.size, self.grid, self.side
        if (rows * p, columns * p) != (h, w):
            lead = [(0, 0)] * (pixels.ndim - 3)
            pixels = np.pad(pixels, [*lead, (0, rows * p - h), (0, columns * p - w), (0, 0)], mode="edge")
        *lead_shape, _, _, x = pixels.shape
        cut = pixels.reshape(*lead_shape, rows, p, columns, p, x).swapaxes(-4, -3)
        return np.ascontiguousarray(cut).reshape(*lead_shape, rows, columns, p * p, x)

    def join(self, patches: np.ndarray) -> np.ndarray:
        """(..., rows, columns, P, X) -> (..., H, W, X)."""
        *lead, rows, columns, _, x = patches.shape
        p = self.side
        whole = patches.reshape(*lead, rows, columns, p, p, x).swapaxes(-4, -3).reshape(*lead, rows * p, columns * p, x)
        return np.ascontiguousarray(whole[..., : self.size[0], : self.size[1], :])

    @cached_property
    def order(self) -> np.ndarray:
        """Where each pixel (H, W) stands among those of all patches, one patch after the other."""
        places = np.arange(self.grid[0] * self.grid[1] * self.side**2)
        return self.join(places.reshape(*self.grid, self.side**2, 1))[..., 0]


Picture = dict[str, Tensor]
"""What the state of B dreams holds of their frames alone: codes as "frame"; of a palette, also "doubt" (B, pixels), see
`next_classes`, the first pixels of all patches first."""
PICTURE = ("frame", "doubt")


@dataclass(frozen=True)
class PaletteFrames:
    """Frames of few colours as a class per pixel.

    Args:
        patches: how frames are cut.
        colours: uint8 (K, C), in ascending order, all different.
    """

    patches: Patches
    colours: np.ndarray

    @property
    def channels(self) -> int:
        """K, the number of classes."""
        return len(self.colours)

    def encode(self, observations: np.ndarray) -> Tensor:
        """uint8 (..., H, W, C) -> classes uint8 (..., rows, columns, P); an unknown colour becomes its nearest one."""
        classes = nearest_colour(observations, self.colours)
        return torch.from_numpy(self.patches.cut(classes[..., None])[..., 0])

    def decode(self, codes: Tensor) -> np.ndarray:
        """Classes uint8 (..., rows, columns, P) -> uint8 (..., H, W, C)."""
        classes = codes.flatten(-3).cpu().numpy().take(self.patches.order, axis=-1)
        return self.colours.take(classes, axis=0)  # four times as fast as an index

    def indicators(self, codes: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Classes (..., P) -> (..., K, P): 1 where a pixel is of that class, else 0."""
        indicators = torch.empty(*codes.shape[:-1], self.channels, codes.shape[-1], device=codes.device, dtype=dtype)
        for k in range(self.channels):  # many times faster than one comparison with all classes
            torch.eq(codes, k, out=indicators[..., k, :])
        return indicators

    def copy_logits(self, shown: Tensor) -> Tensor:
        """Logits (..., K, P) that repeat a frame of these `indicators`, (..., K, P)."""
        return COPY_LOGIT * shown

    def log_loss(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Negative log-likelihood in nats of each pixel: (..., K, P), (..., P) -> (..., P)."""
        return -(logits.log_softmax(-2) * self.indicators(codes)).sum(-2)  # in half the time of a gather

    def entropy(self, logits: Tensor) -> Tensor:
        """Mean entropy in nats per pixel of whole frames: (B, rows, columns, K, P) -> (B,)."""
        logs = logits.log_softmax(-2)
        return -(logs.exp() * logs).sum(-2).flatten(1).mean(1)

    def most_likely(self, logits: Tensor) -> Tensor:
        """Codes of the most likely pixels, each by itself: (..., K, P) -> uint8 (..., P). Training feeds these back."""
        return logits.max(-2).indices.to(torch.uint8)  # five times as fast here as argmax

    def picture(self, codes: Tensor) -> Picture:
        """What a state holds of a frame given to it: codes (B, rows, columns, P), and no doubt."""
        return {"frame": codes, "doubt": torch.zeros(len(codes), codes[0].numel(), device=codes.device)}

    def dreamed(self, logits: Tensor, before: Picture) -> tuple[Picture, Tensor]:
        """The picture that comes after another, and how many pixels are open, (B,): (B, rows, columns, K, P)."""
        flat = logits.flatten(1, 2).permute(0, 2, 3, 1).flatten(2)  # (B, K, pixels)
        classes, doubt, open_pixels = next_classes(odds_of(flat), self.spread(before["frame"]), before["doubt"])
        return {"frame": self.gathered(classes), "doubt": doubt}, open_pixels

    def spread(self, codes: Tensor) -> Tensor:
        """Codes (B, rows, columns, P) -> classes, float (B, pixels), the first pixels of all patches first."""
        (rows, columns), p = self.patches.grid, self.patches.side**2
        return codes.float().view(-1, rows * columns, p).transpose(1, 2).reshape(-1, p * rows * columns)

    def gathered(self, classes: Tensor) -> Tensor:
        """The other way round: (B, pixels) -> uint8 (B, rows, columns, P)."""
        (rows, columns), p = self.patches.grid, self.patches.side**2
        return classes.to(torch.uint8).view(-1, p, rows * columns).transpose(1, 2).reshape(-1, rows, columns, p)

    def to_json(self) -> dict[str, Any]:
        """What `frames_from_json` rebuilds the codec from."""
        return {"kind": "palette", "colours": self.colours.tolist(), **_patches_to_json(self.patches)}


@dataclass(frozen=True)
class ColourFrames:
    """Frames of many colours as intensities in [0, 1], each the mean of a Bernoulli (a bounded, proper log-loss).

    Args:
        patches: how frames are cut.
        channels: C, 1 for gray, 3 for colour.
    """

    patches: Patches
    channels: int

    def encode(self, observations: np.ndarray) -> Tensor:
        """uint8 (..., H, W, C) -> float (..., rows, columns, C, P) in [0, 1]."""
        return torch.from_numpy(self.patches.cut(observations).swapaxes(-1, -2).astype(np.float32) / 255)

    def decode(self, codes: Tensor) -> np.ndarray:
        """Float (..., rows, columns, C, P) -> uint8 (..., H, W, C)."""
        return self.patches.join((codes * 255).round().clamp(0, 255).byte().cpu().numpy().swapaxes(-1, -2))

    def indicators(self, codes: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """The intensities (..., C, P) themselves."""
        return codes.to(dtype)

    def copy_logits(self, shown: Tensor) -> Tensor:
        """Logits (..., C, P) whose sigmoid repeats a frame (..., C, P); decoded, they are that frame."""
        return torch.logit(shown.clamp(LEAST_INTENSITY, 1 - LEAST_INTENSITY))

    def log_loss(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Bernoulli log-loss in nats of each pixel, above the least possible: (..., C, P) twice -> (..., P)."""
        entropy = -(torch.xlogy(codes, codes) + torch.xlogy(1 - codes, 1 - codes))
        return (F.binary_cross_entropy_with_logits(logits, codes, reduction="none") - entropy).sum(-2)

    def entropy(self, logits: Tensor) -> Tensor:
        """Mean entropy in nats per pixel of whole frames: (B, rows, columns, C, P) -> (B,); gray levels have some."""
        each = F.softplus(logits) - logits * logits.sigmoid()
        return each.sum(-2).flatten(1).mean(1)

    def most_likely(self, logits: Tensor) -> Tensor:
        """The mean intensities."""
        return logits.sigmoid()

    def picture(self, codes: Tensor) -> Picture:
        """What a state holds of a frame: its codes (B, rows, columns, C, P)."""
        return {"frame": codes}

    def dreamed(self, logits: Tensor, before: Picture) -> tuple[Picture, Tensor]:
        """The mean intensities, whatever came before; a mean leaves nothing open."""
        return {"frame": self.most_likely(logits)}, torch.zeros_like(logits.flatten(1)[:, 0])

    def to_json(self) -> dict[str, Any]:
        """What `frames_from_json` rebuilds the codec from."""
        return {"kind": "colour", "channels": self.channels, **_patches_to_json(self.patches)}


Frames = PaletteFrames | ColourFrames


def frames_from_json(data: dict[str, Any]) -> Frames:
    """The codec that `to_json` described."""
    patches = Patches((data["size"][0], data["size"][1]), data["side"])
    if data["kind"] == "palette":
        return PaletteFrames(patches, np.array(data["colours"], np.uint8))
    return ColourFrames(patches, data["channels"])


def choose_frames(patches: Patches, samples: Iterable[np.ndarray], kind: str | None = None) -> Frames:
    """A palette when the sampled observations, uint8 (..., H, W, C), hold few colours, else intensities.

    Few means at most 32, or that at most 32 stand for all, see `palette`.

    Args:
        patches: how frames are cut.
        samples: observations of one number of channels, at least one.
        kind: "palette" or "colour" whatever the data hold; a palette then keeps the 32 most frequent colours.
    """
    counts: Counter[int] = Counter()
    channels = 3
    for observations in samples:
        channels = observations.shape[-1]
        packed, pixels = np.unique(_pack(observations), return_counts=True)
        counts.update(dict(zip(packed.tolist(), pixels.tolist(), strict=True)))
    ranked = np.array([colour for colour, _ in counts.most_common()], np.uint32)
    colours = np.stack([(ranked >> (8 * i)) & 255 for i in reversed(range(channels))], -1).astype(np.uint8)
    kept = palette(colours, np.array([count for _, count in counts.most_common()]))
    if kind == "palette" and kept is None:
        kept = colours[:MAX_COLOURS]
    if kind == "colour" or kept is None:
        return ColourFrames(patches, channels)
    return PaletteFrames(patches, kept[_pack(kept).argsort()])


def palette(colours: np.ndarray, counts: np.ndarray) -> np.ndarray | None:
    """The colours that stand for all, uint8 (K, C), or None where 32 are not enough.

    All of them if they are at most 32. Otherwise the most frequent one, then the most frequent one that is not near any
    taken before, and so on: what smooth edges mix in between is then shown in the nearest of them. They must be the
    exact colour of all but a hundredth of the pixels: more are no edges.

    Args:
        colours: uint8 (M, C), all different, the most frequent first.
        counts: (M,), how many pixels have them.
    """
    if len(colours) <= MAX_COLOURS:
        return colours
    kept, left = [], np.arange(len(colours))
    while len(left):
        kept.append(left[0])
        distance = np.abs(colours[left].astype(np.int16) - colours[left[0]].astype(np.int16)).max(-1)
        left = left[distance > NEAR]
        if len(kept) > MAX_COLOURS:
            return None
    return colours[kept] if counts[kept].sum() >= LEAST_EXACT * counts.sum() else None


def numbered(logits: Tensor, shown: Tensor, numbers: Tensor) -> Tensor:
    """Logits of the next classes that agree on how many pixels become of each class.

    A pixel knows little of what others say. Of a ball that is here or there each may say that it is in the other place,
    or that it is here: the ball is gone, or there are two. So of the pixels that are not yet of a class, what they say
    themselves counts only beside what the others say, and how many become of that class is said once.

    Args:
        logits: what each pixel says, (B, rows, columns, K, P).
        shown: 1 where a pixel is of that class now, else 0, (B, rows, columns, K, P).
        numbers: (B, K), logarithm of how many pixels become of a class: about so many are then expected to, if they
            said that more than a few hundredths of a pixel do.
    """
    others = 1 - shown
    expected = (logits.softmax(-2) * others).sum((1, 2, 4))  # (B, K)
    return torch.addcmul(logits, _missing(expected, numbers)[:, None, None, :, None], others)


def next_odds(change: Tensor, shown: Tensor, numbers: Tensor | None) -> Tensor:
    """Odds of the next classes, of any scale in a pixel: a copy of what is shown, changed, and `numbered`.

    The choice of classes needs exponentials anyway, and ONNX Runtime's softmax over classes is slow.

    Args:
        change: logits beside those of a copy, (B, K, pixels).
        shown: 1 where a pixel is of that class now, else 0, (B, K, pixels).
        numbers: (B, K), see `numbered`; None = each pixel says by itself what it becomes.
    """
    odds = odds_of(change)
    stays = odds * shown
    becomes, weight = odds - stays, exp(-COPY_LOGIT)
    if numbers is None:
        return stays + becomes * weight
    each = weight / (_over_classes(stays) + _over_classes(becomes) * weight)  # (B, pixels)
    expected = becomes @ each.unsqueeze(2)  # (B, K, 1)
    return stays + becomes * (_missing(expected, numbers.unsqueeze(2)).exp() * weight)


def _missing(expected: Tensor, numbers: Tensor) -> Tensor:
    """What is added to logits of pixels that become of a class, so many being expected; bounded, as odds are."""
    return (numbers - (expected + LEAST_EXPECTED).log()).clamp(-MOST_MISSING, MOST_MISSING)


def odds_of(logits: Tensor) -> Tensor:
    """Odds of classes beside the most likely one: logits (B, K, pixels) -> (B, K, pixels), in [0, 1]."""
    return (logits - logits.amax(1, keepdim=True)).exp()


def next_classes(odds: Tensor, shown: Tensor, doubt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The classes that a dream shows next: every pixel's most likely one, but for two ways in which that is too sure.

    A ball that is at one of two places with a probability of 0.4 each would be at neither, for both are more likely
    empty. So a class that its own pixels leave short of its expected number, the sum of its probabilities, is given the
    likeliest of the others.

    And what moves by a third of a pixel a step would never move, for at each step every pixel more likely stays. So a
    pixel leaves its class, for the second most likely one, once the probabilities that it should have done so add up to
    a half.

    Both look at and count the most doubtful pixels only. All pixels are gone over in few and large operations, none of
    them a choice: ONNX Runtime computes this at every step.

    Args:
        odds: (B, K, pixels), of any scale in a pixel.
        shown: float (B, pixels), the present classes.
        doubt: float (B, pixels), in how many of the latest steps a pixel was expected to leave its class.

    Returns:
        The next classes, float (B, pixels), the next doubt, and how many of the most doubtful pixels are expected not
        to be of their most likely class, float (B,).
    """
    k, pixels = (int(size) for size in odds.shape[1:])
    most, many = min(MOST_DOUBTFUL, pixels), min(MOST_DOUBTFUL, MOST_GIVEN, pixels)
    most_likely = odds.amax(1, keepdim=True)  # (B, 1, pixels)
    sure = most_likely.squeeze(1) / _over_classes(odds)  # (B, pixels), probability of the most likely class
    # (B, pixels), the most likely class; where two are, it is doubtful.
    first = torch.arange(k, device=odds.device).float() @ (odds == most_likely).float()

    unsure, which = sure.topk(most, -1, largest=False, sorted=False)  # (B, D) each
    odds = odds.gather(2, which.unsqueeze(1).expand(-1, k, -1))  # (B, K, D)
    odds = odds / odds.amax(1, keepdim=True)  # rounds down to 1 for the most likely class, to 0 for others
    beyond = odds * unsure.unsqueeze(1) - odds.floor()  # probability, of the most likely class less 1
    short = beyond.sum(2, keepdim=True)  # (B, K, 1), of pixels
    likeliest = beyond.topk(many, -1).values  # (B, K, 16)
    is_short = short > torch.arange(many, device=odds.device) + 0.5
    given = torch.where(is_short & (likeliest >= LEAST_GIVEN), likeliest, 1.0).amin(-1, keepdim=True)  # (B, K, 1)
    decided = torch.where(beyond >= given, odds + 2, odds).argmax(1).float()  # (B, D)

    best = first.gather(1, which)
    stays = (best == shown.gather(1, which)) & (best == decided) & (unsure <= 1 - LEAST_LEFT)
    doubted = torch.where(stays, doubt.gather(1, which) + 1 - unsure, 0.0)
    leaves = doubted >= 0.5
    decided = torch.where(leaves, beyond.argmax(1).float(), decided)
    doubted = torch.where(leaves, 0.0, doubted)
    classes, doubt = first.scatter(1, which, decided), torch.zeros_like(doubt).scatter(1, which, doubted)
    return classes, doubt, (1 - unsure).sum(1)


def _over_classes(odds: Tensor) -> Tensor:
    """Sums (B, pixels) of (B, K, pixels), as a product: ONNX Runtime takes several times as long for a sum."""
    return torch.ones(int(odds.shape[1]), device=odds.device, dtype=odds.dtype) @ odds


def nearest_colour(observations: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Class of each pixel: uint8 (..., H, W, C), (K, C) all different -> uint8 (..., H, W)."""
    classes = _numbers(colours.tobytes(), colours.shape[-1])[_pack(observations)] - np.uint8(1)
    unknown = classes == UNKNOWN
    if unknown.any():
        distance = (observations[unknown][:, None].astype(np.int32) - colours[None].astype(np.int32)) ** 2
        classes[unknown] = distance.sum(-1).argmin(-1)
    return classes


@lru_cache(maxsize=8)
def _numbers(colours: bytes, channels: int) -> np.ndarray:
    """One more than its class for each packed colour of a palette, 0 for all others: uint8 (256 ** C,).

    A look at a table that is nearly all zeros, and so nearly no memory, takes half the time of a search.
    """
    numbers = np.zeros(256**channels, np.uint8)
    numbers[_pack(np.frombuffer(colours, np.uint8).reshape(-1, channels))] = np.arange(1, len(colours) // channels + 1)
    return numbers


def _pack(pixels: np.ndarray) -> np.ndarray:
    """One integer per pixel: uint8 (..., C) -> uint32 (...), ordered as the channels are."""
    bytewise = np.zeros((*pixels.shape[:-1], 4), np.uint8)
    for channel in range(pixels.shape[-1]):  # four times as fast as a copy of all, and as shifts of integers
        bytewise[..., pixels.shape[-1] - 1 - channel] = pixels[..., channel]
    return bytewise.view("<u4")[..., 0]


def _patches_to_json(patches: Patches) -> dict[str, Any]:
    return {"size": list(patches.size), "side": patches.side}
