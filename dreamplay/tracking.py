"""Curves and the truth-beside-dream video in Weights & Biases, for those who ask for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from dreamplay.errors import UserError
from dreamplay.training import Report

LOG_EVERY = 10


class Tracker:
    """One wandb run beside a training. Nothing that Dreamplay stores depends on it.

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
            raise UserError(f"wandb cannot start: {error}; log in with `wandb login`, or use --wandb offline") from error

    def log(self, report: Report) -> None:
        """Curves of loss, curriculum position and speed."""
        if report.updates % LOG_EVERY == 1:
            self._run.log(report.to_json(), step=report.updates)

    def finish(self, video: Path) -> None:
        """The video of truth beside dream, and the end of the run."""
        import wandb

        self._run.log({"truth beside dream": wandb.Video(str(video), format="mp4")})
        self._run.finish()
