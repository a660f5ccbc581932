"""Labelled pictures and videos of small frames, side by side and enlarged."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dreamplay.errors import UserError

PANE = 240
BORDER = 8
TEXT = 15
INK, DIM, PAPER = (236, 236, 240), (150, 152, 164), (20, 21, 26)
WRONG = np.array([255, 72, 40])


def panes(
    named: Sequence[tuple[str, np.ndarray]], *, scale: int | None = None, caption: str = "", title: str = ""
) -> np.ndarray:
    """One picture of frames side by side, each under its label.

    Args:
        named: label and frame, uint8 (H, W, C) with 1 or 3 channels, for each pane.
        scale: screen pixels per frame pixel along each axis; by default what brings the longest side to about 240.
        caption: a line below, which may change from picture to picture.
        title: a line above.

    Returns:
        uint8 (H', W', 3), both sides even as video codecs want them. The size depends on labels, frames, and on whether
        there are a caption and a title, not on what these say.
    """
    from PIL import Image, ImageDraw, ImageFont

    if scale is None:
        scale = max(1, round(PANE / max(max(frame.shape[:2]) for _, frame in named)))
    font = ImageFont.load_default(size=TEXT)
    large = [_enlarge(frame, scale) for _, frame in named]
    widths = [
        max(frame.shape[1], int(font.getlength(label)) + 1) for (label, _), frame in zip(named, large, strict=True)
    ]
    line = TEXT + BORDER
    top = BORDER + line * bool(title)
    height = top + line + max(frame.shape[0] for frame in large) + BORDER + line * bool(caption)
    width = sum(widths) + BORDER * (len(named) + 1)
    image = Image.new("RGB", (width + width % 2, height + height % 2), PAPER)
    draw = ImageDraw.Draw(image)
    if title:
        draw.text((BORDER, BORDER - 2), title, INK, font)
    x = BORDER
    for (label, _), frame, column in zip(named, large, widths, strict=True):
        draw.text((x, top - 2), label, INK, font)
        image.paste(Image.fromarray(frame), (x, top + line))
        x += column + BORDER
    if caption:
        draw.text((BORDER, height - line - 2), caption, DIM, font)
    return np.asarray(image)


def difference(true: np.ndarray, dreamed: np.ndarray) -> np.ndarray:
    """The true frame dimmed, with every wrong pixel in red, the brighter the larger the error.

    Args:
        true: uint8 (H, W, C).
        dreamed: uint8 (H, W, C).

    Returns:
        uint8 (H, W, 3).
    """
    error = np.abs(true.astype(np.float32) - dreamed).max(-1, keepdims=True)  # (H, W, 1), in gray levels
    ground = np.broadcast_to(true.mean(-1, keepdims=True) * 0.3, (*true.shape[:2], 3))
    strength = 0.55 + 0.45 * error / 255  # a difference of one gray level has to be seen too
    return np.where(error > 0, WRONG * strength, ground).astype(np.uint8)


def write_video(path: str | Path, pictures: Iterable[np.ndarray], fps: float) -> Path:
    """Writes pictures of one size as a video, under a temporary name until it is complete.

    Args:
        path: ends in .mp4 (H.264) or .gif (loops); an existing file is replaced, its folder has to be there.
        pictures: uint8 (H, W, 3), H and W even for mp4. May be a generator: an mp4 keeps only the current picture in
            memory, a GIF all of them.
        fps: pictures per second. A GIF counts hundredths of a second, and most viewers refuse more than 50.

    Returns:
        The path.

    Raises:
        UserError: another suffix, no picture, or ffmpeg gave up.
        OSError: the file cannot be written.
    """
    path = Path(path)
    write = {".mp4": _write_mp4, ".gif": _write_gif}.get(path.suffix)
    if write is None:
        raise UserError(f"{path} is no video file dreamplay can write; let its name end in .mp4 or .gif")
    temporary = path.with_name(f"{path.stem}.tmp{path.suffix}")
    try:
        if not write(temporary, pictures, fps):
            raise UserError(f"{path} would be a video without a picture; nothing is written")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _write_mp4(path: Path, pictures: Iterable[np.ndarray], fps: float) -> int:
    import imageio.v2 as imageio

    count = 0
    try:
        writer: Any = imageio.get_writer(
            path, fps=fps, codec="libx264", quality=8, macro_block_size=2, ffmpeg_log_level="quiet"
        )
        with writer:
            for picture in pictures:
                writer.append_data(picture)
                count += 1
    except OSError as error:
        if error.errno not in (None, errno.EPIPE):
            raise
        # ffmpeg writes the file, and only hangs up when it cannot.
        raise UserError(f"{path.parent}: no video could be written; is the disk full? free some space") from error
    return count


def _write_gif(path: Path, pictures: Iterable[np.ndarray], fps: float) -> int:
    import imageio.v3 as imageio

    kept = list(pictures)
    if kept:
        # Encoded in memory: imageio's own writer tries again and complains when the disk is full.
        path.write_bytes(
            imageio.imwrite("<bytes>", kept, extension=".gif", plugin="pillow", duration=1000 / min(fps, 50), loop=0)
        )
    return len(kept)


def _enlarge(frame: np.ndarray, scale: int) -> np.ndarray:
    coloured = np.broadcast_to(frame, (*frame.shape[:2], 3))
    return np.ascontiguousarray(coloured.repeat(scale, 0).repeat(scale, 1))
