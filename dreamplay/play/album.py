"""What a player keeps: GIFs of the last seconds, recordings, and moments to return to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dreamplay.errors import UserError
from dreamplay.play.background import Background
from dreamplay.play.clip import clean, last_seconds
from dreamplay.play.moment_file import SUFFIX, open_moment, save_moment
from dreamplay.play.recorder import Recorder
from dreamplay.play.session import Session
from dreamplay.play.views import beside
from dreamplay.video import write_video


class Album:
    """Numbered files in one folder; none of them ever replaces another. What happened is told in the session's notice.

    Args:
        session: The game.
        folder: Made when the first file is kept.
        fps: Steps per second.
        background: Writes GIFs, which takes seconds.
        checkpoint: Tells the simulator from others, for moments.
    """

    def __init__(
        self, session: Session, folder: Path, fps: float, background: Background, checkpoint: str = ""
    ) -> None:
        self._session, self._folder, self._fps, self._checkpoint = session, folder, fps, checkpoint
        self._background = background
        self._recorder: Recorder | None = None
        self._clean = False

    @property
    def recording(self) -> bool:
        """Whether a recording runs."""
        return self._recorder is not None

    def keep_last_seconds(self) -> None:
        """Begin to save the last ten seconds of play as a GIF of clean frames."""
        session = self._session
        both = session.dream is not None and session.reality is not None
        moments = last_seconds(session.line.moments[: session.line.at + 1], self._fps)

        def save() -> str:
            path = next_file(self._folder, "last", ".gif")
            return f"saved {write_video(path, (clean(beside(m, both), m) for m in moments), self._fps)}"

        begun = self._background.offer(None, lambda: _tried(save))
        session.notice = "saving the last ten seconds" if begun else "the GIF before is still being saved"

    def update(self) -> None:
        """Tell that a GIF is complete, once it is."""
        done = self._background.take()
        if done is not None:
            self._session.notice = done[1]

    def toggle_recording(self, *, clean_frames: bool) -> None:
        """Begin to record the window, or clean frames without what is around them; or end it."""
        if self._recorder is not None:
            self.end_recording()
            return

        def begin() -> str:
            path = next_file(self._folder, "play", ".mp4")
            self._recorder, self._clean = Recorder(path, self._fps), clean_frames
            return f"recording to {path}: V ends it"

        self._session.notice = _tried(begin)

    def record(self, window: Callable[[], np.ndarray]) -> None:
        """Add what is to be seen now to the recording, if one runs.

        Args:
            window: Gives the picture of the window, uint8 (H, W, 3).
        """
        if self._recorder is not None:
            self._recorder.add(self._clean_frame() if self._clean else window())

    def close(self) -> None:
        """Complete a recording that runs; a GIF that is being saved completes by itself."""
        self.end_recording()
        self._background.close()

    def end_recording(self) -> None:
        """Wait for the video to be complete, if there is one."""
        if self._recorder is not None:
            self._session.notice = self._recorder.close()
            self._recorder = None

    def save_moment(self) -> None:
        """Save where the player stands."""

        def save() -> str:
            path = next_file(self._folder, "moment", SUFFIX)
            save_moment(path, self._session, self._checkpoint)
            return f"saved {path}"

        self._session.notice = _tried(save)

    def open_newest(self) -> None:
        """Return to the moment saved last."""

        def load() -> str:
            path = newest_file(self._folder, "moment", SUFFIX)
            if path is None:
                return f"no moment in {self._folder} yet: F5 saves one"
            return open_moment(path, self._session, self._checkpoint)

        self._session.notice = _tried(load)

    def _clean_frame(self) -> np.ndarray:
        session = self._session
        return clean(beside(session.moment, session.dream is not None and session.reality is not None), session.moment)


def next_file(folder: Path, name: str, suffix: str) -> Path:
    """The first of folder/name-001.suffix, name-002.suffix, ... that does not exist yet; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while (path := folder / f"{name}-{number:03d}{suffix}").exists():
        number += 1
    return path


def _tried(act: Callable[[], str]) -> str:
    """What came of it: a file that cannot be written is news, and no reason to end the game."""
    try:
        return act()
    except (UserError, OSError) as error:
        return str(error)


def newest_file(folder: Path, name: str, suffix: str) -> Path | None:
    """The last of the files that `next_file` named, if there is one."""
    return max(folder.glob(f"{name}-*{suffix}"), key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)
