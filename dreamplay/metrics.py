"""How far a dreamed frame is from the true one, as pure functions on frames.

Frames are uint8 (..., H, W, C); a pixel is wrong when any of its channels differs. A mean-squared error alone rewards a
dream that loses the ball, so objects are judged apart from the static background:

- the *background* of a pixel is its most frequent colour in the data;
- a pixel *moves* in a frame when a channel is more than `MOVES` gray levels away from the background;
- a moving pixel is *found* in another frame when that frame has a moving pixel at most `REACH` pixels away in row and
  in column (a 5 x 5 square) whose colour is similar, that is within `SIMILAR` gray levels in every channel.

The thresholds let gray levels drift a little, and a blurred object count while it is still there to be seen.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

MOVES = 16
SIMILAR = 64
REACH = 2
PSNR_CAP = 100.0
SSIM_SIDE = 7


def wrong_pixels(true: np.ndarray, dreamed: np.ndarray) -> np.ndarray:
    """Pixels that differ in any channel, per frame: uint8 (..., H, W, C) twice -> int64 (...)."""
    return _any_channel(true != dreamed).sum((-2, -1))


def squared_error(true: np.ndarray, dreamed: np.ndarray) -> np.ndarray:
    """Mean squared error of each frame in gray levels squared: uint8 (..., H, W, C) twice -> float64 (...)."""
    return np.square(_distance(true, dreamed).astype(np.float64)).mean((-3, -2, -1))


def psnr(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB of 8-bit frames; at most `PSNR_CAP`, which stands for a perfect match."""
    if mean_squared_error <= 0:
        return PSNR_CAP
    return min(PSNR_CAP, float(10 * np.log10(255.0**2 / mean_squared_error)))


def similarity(true: np.ndarray, dreamed: np.ndarray) -> np.ndarray:
    """Structural similarity of each frame, 1 where they are equal (Wang et al. 2004): uint8 (N, H, W, C) twice -> (N,).

    Windows of 7 x 7 pixels, smaller in frames that are smaller; not a number in frames less than 3 pixels a side.
    """
    n, height, width, _ = true.shape
    side = min(SSIM_SIDE, height, width)
    side -= 1 - side % 2  # odd
    if side < 3:
        return np.full(n, np.nan)
    differ = (true != dreamed).any((1, 2, 3))
    result = np.ones(n)
    if differ.any():
        from skimage.metrics import structural_similarity

        # One tall picture of all frames; of its map only windows that lie inside a frame count, as for single frames.
        tall = [frames[differ].reshape(-1, *frames.shape[2:]) for frames in (true, dreamed)]
        every = structural_similarity(*tall, win_size=side, channel_axis=-1, data_range=255, full=True)[1]
        inside = slice(side // 2, -(side // 2))
        result[differ] = every.reshape(-1, *true.shape[1:])[:, inside, inside].mean((1, 2, 3))
    return result


def background(frames: np.ndarray) -> np.ndarray:
    """The most frequent colour of each pixel: uint8 (N, H, W, C) -> (H, W, C); of equally frequent ones the darkest."""
    n, *shape = frames.shape
    pixels = frames.reshape(n, -1, shape[-1])  # (N, H*W, C)
    packed = np.zeros(pixels.shape[:2], np.uint32)
    for channel in range(shape[-1]):
        packed = (packed << 8) | pixels[..., channel]
    order = packed.argsort(0, kind="stable")
    ranked = np.take_along_axis(packed, order, 0)
    place = np.arange(n)[:, None]
    starts = np.vstack([np.ones_like(ranked[:1], bool), ranked[1:] != ranked[:-1]])
    repeats = place - np.maximum.accumulate(
        np.where(starts, place, 0), 0
    )  # how often the colour came before, per pixel
    winner = np.take_along_axis(order, repeats.argmax(0)[None], 0)  # (1, H*W), a frame that shows the colour
    return np.take_along_axis(pixels, winner[..., None], 0)[0].reshape(shape)


def moving(frames: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Which pixels differ from the background: uint8 (..., H, W, C), (H, W, C) -> bool (..., H, W)."""
    return visible(frames, background)


def visible(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Which pixels differ by more than `MOVES` gray levels in a channel: uint8 (..., H, W, C) twice -> (..., H, W)."""
    return _any_channel(_distance(a, b) > MOVES)


class Found(NamedTuple):
    """Moving pixels per frame, each int64 (N,)."""

    true: np.ndarray
    true_found: np.ndarray
    dreamed: np.ndarray
    dreamed_found: np.ndarray


def find_moving(true: np.ndarray, dreamed: np.ndarray, background: np.ndarray) -> Found:
    """Looks for the true moving pixels in the dream and the other way round.

    Args:
        true: uint8 (N, H, W, C).
        dreamed: uint8 (N, H, W, C).
        background: uint8 (H, W, C).

    Returns:
        Counts; `true_found / true` is the recall of what moves, `dreamed_found / dreamed` the precision.
    """
    in_truth, in_dream = moving(true, background), moving(dreamed, background)
    return Found(
        in_truth.sum((1, 2)),
        _found(in_truth, true, in_dream, dreamed),
        in_dream.sum((1, 2)),
        _found(in_dream, dreamed, in_truth, true),
    )


def _found(sought: np.ndarray, frames: np.ndarray, others: np.ndarray, other_frames: np.ndarray) -> np.ndarray:
    # Few pixels move, so each shift looks only at those: M of them in all frames together.
    n, height, width = sought.shape
    frame, row, column = np.nonzero(sought)  # (M,) each
    colours = frames[frame, row, column]  # (M, C)
    hit = np.zeros(len(frame), bool)
    for down, right in product(range(-REACH, REACH + 1), repeat=2):
        y, x = row + down, column + right
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        y, x = y.clip(0, height - 1), x.clip(0, width - 1)
        similar = (_distance(colours, other_frames[frame, y, x]) <= SIMILAR).all(-1)
        hit |= inside & others[frame, y, x] & similar
    return np.bincount(frame[hit], minlength=n)


def _any_channel(mask: np.ndarray) -> np.ndarray:
    found = mask[..., 0].copy()  # six times as fast as `any` over a last axis of three
    for channel in range(1, mask.shape[-1]):
        found |= mask[..., channel]
    return np.asarray(found)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.maximum(a, b) - np.minimum(a, b)  # stays uint8: no overflow, an eighth of the memory
