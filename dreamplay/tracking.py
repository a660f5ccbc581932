"""Curves and the truth-beside-dream video in Weights & Biases, for those who ask for them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from dreamplay.errors import UserError
from dreamplay.training import Report

LOG_EVERY = 10


class Tracker:
    """One wandb run beside a training, a context manager. Nothing that Dreamplay stores depends on it.

    Args:
        mode: "offline" needs no login and no network; "online" sends to the server that wandb is set up for.
        run: run folder; wandb's own files go below it, in `wandb/`.
        config: what to show as the run's configuration.
    """

    def __init__(self, mode: Literal["offline", "online"], run: Path, config: dict[str, Any]) -> None:
        import wandb

        try:
            self._run = wandb.init(project="dreamplay", name=run.name, dir=str(run), mode=mode, config=config)
        except wandb.errors.Error as error:
            raise UserError(
                f"wandb cannot start: {error}; log in with `wandb login`, or use --wandb offline"
            ) from error

    def log(self, report: Report) -> None:
        """Curves of loss, curriculum position and speed."""
        if report.updates % LOG_EVERY == 1:
            self._run.log(report.to_json(), step=report.updates)

    def film(self, video: Path) -> None:
        """The video of truth beside dream, an MP4 file."""
        import wandb

        self._run.log({"truth beside dream": wandb.Video(str(video), format="mp4")})

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run.finish(exit_code=0 if kind is None else 1)
