"""`dreamplay train`: learn a simulator of an environment from its episodes."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from dreamplay.episodes import Episodes
    from dreamplay.tracking import Tracker
    from dreamplay.training import TrainConfig, Training

DEFAULT_MINUTES = 10.0
COLLECT_STEPS = 20000


@dataclass(frozen=True)
class Train:
    """Learn a simulator from episodes, by a curriculum from real frames to its own predictions.

    Ctrl-C saves; --resume continues. Weights are saved every minute, with or without wandb.
    """

    env: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="ENV")] = None
    """Environment to learn: its data in data/<env> is used, or collected first (20000 random steps) if there is none."""

    data: Path | None = None
    """Data folder to learn from, instead of ENV."""

    minutes: float | None = None
    """Length of the training in minutes; 10 unless --updates is given."""

    updates: int | None = None
    """Length of the training in updates, instead of --minutes."""

    curriculum: str = "default"
    """Which inputs are real when: default, teacher-forcing, pdt-0 ... pdt-100, pdt-46-alternating, oh."""

    simulator: Literal["default", "classic"] = "default"
    """default, or classic: the published recurrent environment simulator (Chiappa et al. 2017)."""

    out: Path | None = None
    """Run folder to make; runs/<env> by default."""

    resume: bool = False
    """Continue the run in --out where it stopped."""

    learning_rate: float | None = None
    """Highest learning rate; 0.003 by default, for classic the published 0.00001."""

    batch_steps: int = 256
    """Steps per update: windows times their length."""

    device: str = "auto"
    """Where to train: auto (a GPU when there is one), cpu, cuda."""

    threads: int = 1
    """Processor threads; two on two busy cores are slower than one."""

    wandb: Literal["off", "offline", "online"] = "off"
    """Curves and a video in Weights & Biases."""

    seed: int = 0
    """Seed of weights and windows."""

    json: Path | None = None
    """File to write the summary to."""

    def run(self) -> dict[str, Any]:
        """Train; returns {"run", "env", "data", "updates", "minutes", "frames_per_second", "loss", "parameters"}."""
        import torch

        from dreamplay.progress import progress
        from dreamplay.training import Report, train

        self._check()
        torch.set_num_threads(self.threads)
        run, training, episodes = self._prepare()
        train_episodes, _ = episodes.split()
        parameters = sum(p.numel() for p in training.network.parameters())
        print(
            f"training on {training.device} with {self.threads} thread(s): {training.config.simulator} simulator, "
            f"{parameters / 1e6:.2f} M parameters, {training.network.frames.to_json()['kind']} frames of "
            f"{training.network.frames.channels} channels, {episodes.steps} steps in {len(episodes)} episodes, "
            f"curriculum {training.config.curriculum}, into {run}",
            flush=True,
        )
        tracker = self._tracker(run, training)
        steps, last, mean_loss = 0, None, 0.0
        by_updates = training.config.updates is not None
        total = training.config.updates or 60 * (training.config.minutes or 0)
        begun = training.updates if by_updates else 60 * training.minutes
        with progress("train", max(0, total - begun), "updates" if by_updates else "seconds") as bar:

            def on_update(report: Report) -> None:
                nonlocal steps, last, mean_loss
                steps, last = steps + report.steps, report
                mean_loss += (report.losses.total.item() - mean_loss) / min(report.updates, 50)
                if tracker is not None:
                    tracker.log(report)
                now = (report.updates if by_updates else 60 * report.minutes) - begun
                speed = steps / max(bar.seconds, 1e-9)
                bar.advance(now - bar.done, f"loss {mean_loss:.3f}, {report.stage}, {speed:.0f} frames/s")

            train(training, train_episodes, run, on_update)
            speed = steps / max(bar.seconds, 1e-9)
        if tracker is not None:
            tracker.finish(self._film(run, episodes))
        print(f"saved in {run} after {training.updates} updates\nnext: dreamplay evaluate {run}")
        return {
            "run": str(run),
            "env": episodes.card.id,
            "data": str(episodes.folder),
            "updates": training.updates,
            "minutes": training.minutes,
            "frames_per_second": speed,
            "loss": mean_loss if last else None,
            "parameters": parameters,
        }

    def _check(self) -> None:
        from dreamplay.curriculum import curriculum
        from dreamplay.errors import UserError

        if (self.env is None) == (self.data is None):
            raise UserError("name what to learn: either an environment (dreamplay train ENV) or a folder (--data DIR)")
        if self.minutes is not None and self.updates is not None:
            raise UserError("--minutes and --updates exclude each other; give one of them")
        for option, value in (
            ("--minutes", self.minutes),
            ("--updates", self.updates),
            ("--learning-rate", self.learning_rate),
            ("--batch-steps", self.batch_steps),
            ("--threads", self.threads),
        ):
            if value is not None and not value > 0:
                raise UserError(f"{option} {value} is not possible; it must be above 0")
        curriculum(self.curriculum)

    def _config(self) -> "TrainConfig":
        from dreamplay.training import TrainConfig

        minutes = None if self.updates is not None else self.minutes or DEFAULT_MINUTES
        return TrainConfig(
            simulator=self.simulator,
            curriculum=self.curriculum,
            updates=self.updates,
            minutes=minutes,
            batch_steps=self.batch_steps,
            learning_rate=self.learning_rate,
            seed=self.seed,
        )

    def _prepare(self) -> "tuple[Path, Training, Episodes]":
        """The run folder, the training at its start or where it stopped, and its data."""
        from dreamplay.checkpoint import MANIFEST
        from dreamplay.episodes import Episodes
        from dreamplay.folders import claim, run_folder
        from dreamplay.training import resume_training, start_training

        if self.resume:
            run = self.out or run_folder(self._env_id())
            if (run / MANIFEST).is_file():
                training = resume_training(run, self._config(), self.device)
                return run, training, Episodes.open(self.data or run / training.data)
        self._curb_overwriting()
        data = self.data or self._collected()
        episodes = Episodes.open(data)
        run = claim(self.out or run_folder(episodes.card.id))
        training = start_training(self._config(), episodes, str(data.resolve()), self.device)
        return run, training, episodes

    def _curb_overwriting(self) -> None:
        """A used --out is refused before data are collected for it."""
        from dreamplay.folders import claim

        if self.out is not None:
            claim(self.out)

    def _env_id(self) -> str:
        from dreamplay.envs.real import card_of, make_env
        from dreamplay.episodes import Episodes

        if self.data is not None:
            return Episodes.open(self.data).card.id
        env = make_env(str(self.env))
        env.close()
        return card_of(env).id

    def _collected(self) -> Path:
        from dreamplay.commands.collect import Collect
        from dreamplay.folders import data_folder

        folder = data_folder(self._env_id())
        if not (folder / "data.json").is_file():
            print(f"no data in {folder} yet: collecting {COLLECT_STEPS} random steps first", flush=True)
            Collect(env=str(self.env), steps=COLLECT_STEPS, seed=self.seed).run()
        return folder

    def _tracker(self, run: Path, training: "Training") -> "Tracker | None":
        if self.wandb == "off":
            return None
        from dreamplay.tracking import Tracker

        return Tracker(self.wandb, run, vars(training.config) | {"env": training.card.id})

    def _film(self, run: Path, episodes: "Episodes") -> Path:
        from dreamplay.horizon import held_out_windows
        from dreamplay.horizon_video import CLIP_STEPS, choose_clips, pictures
        from dreamplay.simulator import load
        from dreamplay.video import write_video

        simulator = load(run, self.device)
        windows = held_out_windows(episodes.split()[1], 50, CLIP_STEPS, self.seed)
        path = run / "dream.mp4"
        write_video(path, pictures(simulator, choose_clips(windows, self.seed), self.seed), fps=episodes.card.fps)
        return path
