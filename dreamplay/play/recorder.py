"""Recordings made while the game goes on: pictures go to a thread that writes the video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from threading import Thread

import numpy as np

from dreamplay.errors import UserError
from dreamplay.video import write_video

WAITING = 64  # pictures in memory; the game waits when the encoder falls further behind


class Recorder:
    """Writes a video picture by picture. All pictures are brought to the size of the first, cut or padded with black.

    Args:
        path: .mp4 or .gif; it appears when the recording ends.
        fps: Pictures per second.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self.path = path
        self.count = 0
        self._shape: tuple[int, int] | None = None
        self._queue: Queue[np.ndarray | None] = Queue(WAITING)
        self._problem: str | None = None
        self._ended = False
        self._thread = Thread(target=self._write, args=(fps,), daemon=True)
        self._thread.start()

    def add(self, picture: np.ndarray) -> None:
        """Take a picture, uint8 (H, W, 3)."""
        if self._shape is None:
            self._shape = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2  # even, as video codecs want it
        self.count += 1
        self._queue.put(_fit(picture, self._shape))

    def close(self) -> str:
        """End the recording, wait for the file, and say what came of it."""
        self._queue.put(None)
        self._thread.join()
        return self._problem or f"recorded {self.count} frames to {self.path}"

    def _write(self, fps: float) -> None:
        try:
            write_video(self.path, self._pictures(), fps)
        except (UserError, OSError) as error:
            self._problem = f"not recorded: {error}"
            for _ in self._pictures():  # whoever adds pictures must not wait for ever
                pass

    def _pictures(self) -> Iterator[np.ndarray]:
        while not self._ended:
            picture = self._queue.get()
            if picture is None:
                self._ended = True
            else:
                yield picture


def _fit(picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    height, width = shape
    cut = picture[:height, :width]
    if cut.shape[:2] == shape:
        return np.ascontiguousarray(cut)
    fitted = np.zeros((height, width, 3), np.uint8)
    fitted[: cut.shape[0], : cut.shape[1]] = cut
    return fitted
