"""`dreamplay train`: learn a simulator of an environment from its episodes."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from dreamplay.env_options import EnvOptions

if TYPE_CHECKING:
    from dreamplay.acceleration import Acceleration
    from dreamplay.envs.card import EnvCard
    from dreamplay.episodes import Episodes
    from dreamplay.ranks import Ranks
    from dreamplay.tracking import Tracker
    from dreamplay.training import Report, TrainConfig, Training

DEFAULT_MINUTES = 10.0
COLLECT_STEPS = 20000
RECENT_UPDATES = 50


@dataclass(frozen=True)
class Train:
    """Learn a simulator from episodes, by a curriculum from real frames to its own predictions.

    Ctrl-C saves; --resume continues, with the settings of the run where none are given anew; a run that was finished
    and gets more goes through the second half of its curriculum again, for what its data hold by now. Weights are saved
    every minute, with or without wandb. Under torchrun several processes train as one, on a GPU each or on processors.
    """

    env: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="ENV")] = None
    """Environment to learn, an id or module:Name: its data in data/<env> is used, or 20000 random steps are collected
    there first."""

    data: Path | None = None
    """Data folder to learn from, instead of ENV; see dreamplay import for recordings of your own."""

    minutes: float | None = None
    """Length of the training in minutes, earlier parts of a resumed one included; 10 unless --updates is given."""

    updates: int | None = None
    """Length of the training in updates, earlier parts of a resumed one included; instead of --minutes."""

    curriculum: str | None = None
    """Which inputs are real when: default (if none is named), teacher-forcing, scheduled-sampling (linear decay;
    or -exponential, -inverse-sigmoid), long (windows four times as long), carried (a
    hidden state lives through four windows); the published pdt-0 ... pdt-100, pdt-46-alternating, bptt-15-2,
    bptt-15-5, oh."""

    simulator: Literal["default", "classic"] | None = None
    """default (if none is named), or classic: the published recurrent environment simulator (Chiappa et al. 2017)."""

    network_size: Literal["nano", "small", "base", "large"] | None = None
    """How large the default simulator is: base (if none is named), nano and small for speed, large for patience; see
    docs/sizes.md."""

    frames: Literal["palette", "colour"] | None = None
    """How frames are learned: palette, each pixel a choice among at most 32 colours, or colour, intensities. By default
    a palette if the data hold so few colours. The classic simulator has a way of its own."""

    out: Path | None = None
    """Run folder to make; runs/<env> by default."""

    resume: bool = False
    """Continue the run in --out where it stopped; without one, start it."""

    learning_rate: float | None = None
    """Highest learning rate; 0.01 by default, for classic the published 0.00001."""

    batch_steps: int | None = None
    """Steps per update of all processes together: windows times their length, 256 by default, for classic 400 (the
    published 16 windows)."""

    checkpoint_gradients: bool = False
    """Compute activations twice rather than keep them: far less memory for long windows, up to a third more time."""

    device: str = "auto"
    """Where to train: auto (a GPU when there is one), cpu, cuda."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """What convolutions and matrix products compute in: auto is bfloat16 where the GPU or the processor has it."""

    compile: bool = False
    """Compile the network with torch.compile: a slow start; needs a C++ compiler, or on a GPU Triton."""

    threads: int = 1
    """Processor threads; two on two busy cores are slower than one."""

    wandb: Literal["off", "offline", "online"] = "off"
    """Curves and a video in Weights & Biases."""

    prepare: Annotated[EnvOptions, tyro.conf.arg(name="")] = field(default_factory=EnvOptions)

    seed: int = 0
    """Seed of weights and windows; a resumed run keeps its own."""

    json: Path | None = None
    """File to write the summary to."""

    def run(self) -> dict[str, Any]:
        """Train; returns {"run", "env", "data", "updates", "minutes", "frames_per_second", "loss", "parameters"}.

        "loss" is about the mean of the last 50 updates; None, as "frames_per_second", when nothing was left to train.
        """
        import torch

        from dreamplay.kept_memory import keep_memory
        from dreamplay.ranks import joined

        torch.set_num_threads(self.threads)
        keep_memory()
        with joined() as ranks:
            run, training, episodes = ranks.in_turn(lambda: self._prepare(ranks))
            parameters = sum(parameter.numel() for parameter in training.network.parameters())
            acceleration = self._acceleration(training, episodes)
            self._announce(run, training, episodes, parameters, acceleration, ranks)
            with self._tracker(run, training) if ranks.lead else nullcontext() as tracker:
                with ranks.together(run):
                    loss, frames_per_second = self._train(run, training, episodes, tracker, acceleration)
                if tracker is not None:
                    tracker.film(self._film(run, episodes))
        if not ranks.lead:
            raise SystemExit(0)  # one answer is enough
        print(f"saved in {run} after {training.updates} updates\nnext: dreamplay evaluate {run}")
        return {
            "run": str(run),
            "env": episodes.card.id,
            "data": str(episodes.folder),
            "updates": training.updates,
            "minutes": training.minutes,
            "frames_per_second": frames_per_second,
            "loss": loss,
            "parameters": parameters,
        }

    def _check(self, ranks: "Ranks") -> None:
        from math import isfinite

        from dreamplay.curriculum import curriculum
        from dreamplay.errors import UserError
        from dreamplay.simulator import choose_device

        if self.env is not None and self.data is not None:
            raise UserError("ENV and --data exclude each other; give one of them")
        if self.env is None and self.data is None and not (self.resume and self.out is not None):
            raise UserError("name what to learn: either an environment (dreamplay train ENV) or a folder (--data DIR)")
        if self.data is not None and self.prepare.given:
            raise UserError("options of the environment have no say in data that are there already; leave them out")
        if self.env is not None and (Path(self.env) / "data.json").is_file():
            raise UserError(f"{self.env} is a data folder; learn from it with: dreamplay train --data {self.env}")
        if self.minutes is not None and self.updates is not None:
            raise UserError("--minutes and --updates exclude each other; give one of them")
        for option, value in (
            ("--minutes", self.minutes),
            ("--updates", self.updates),
            ("--learning-rate", self.learning_rate),
            ("--batch-steps", self.batch_steps),
            ("--threads", self.threads),
        ):
            if value is not None and not (value > 0 and isfinite(value)):
                raise UserError(f"{option} {value} is not possible; it must be a number above 0")
        if self.learning_rate is not None and self.learning_rate > 1:
            raise UserError(f"--learning-rate {self.learning_rate} is far too high; use at most 1")
        if self.seed < 0:
            raise UserError(f"--seed {self.seed} is negative; choose one from 0 on")
        if self.frames is not None and self.simulator == "classic":
            raise UserError("the classic simulator has its own way with frames; leave out --frames")
        if self.network_size is not None and self.simulator == "classic":
            raise UserError("the classic simulator has its published size; leave out --network-size")
        if self.curriculum is not None:
            curriculum(self.curriculum)
        choose_device(ranks.device(self.device))

    def _prepare(self, ranks: "Ranks") -> "tuple[Path, Training, Episodes]":
        """The run folder, the training at its start or where it stopped, and its data."""
        from dreamplay.checkpoint import MANIFEST
        from dreamplay.errors import UserError
        from dreamplay.folders import claim, run_folder
        from dreamplay.starting import start_training
        from dreamplay.training import TrainConfig

        self._check(ranks)
        device = ranks.device(self.device)
        card = self._card() if self.env is not None or self.data is not None else None
        run = self.out or run_folder(card.id if card is not None else "")
        if (run / MANIFEST).is_file():
            if self.resume:
                return run, *self._continue(run, ranks)
            raise UserError(f"{run} holds a run; continue it with --resume, or choose another folder with --out")
        if card is None:
            raise UserError(f"there is no run in {run} to continue; name what to learn: dreamplay train ENV")
        length = {} if self.updates is not None else {"minutes": self.minutes or DEFAULT_MINUTES}
        config = TrainConfig(**{**self._settings(), **length, "seed": self.seed, "frames": self.frames})
        _check_shares(config, ranks)
        episodes = None if self.data is None else _open(self.data)
        claim(run)  # before any data are collected for it
        episodes = episodes or _open(self._collected(card))
        return run, start_training(config, episodes, _relative(episodes.folder, run), device), episodes

    def _continue(self, run: Path, ranks: "Ranks") -> "tuple[Training, Episodes]":
        from dreamplay.commands.evaluate import open_data
        from dreamplay.errors import UserError
        from dreamplay.starting import learn_from, resume_training

        training = resume_training(run, self._settings(), ranks.device(self.device))
        _check_shares(training.config, ranks)
        if (self.env or self.data) is not None and (asked := self._card().id) != training.card.id:
            raise UserError(f"{run} learns {training.card.id}, not {asked}; choose another folder with --out")
        if self.frames not in (None, training.network.frames.to_json()["kind"]):
            raise UserError(f"{run} learns frames another way; choose another folder with --out for --frames")
        episodes = open_data(self.data, training, run)
        unknown = learn_from(training, episodes)
        if len(unknown):
            print(
                f"the data hold rewards that {run} was begun without, such as {unknown[0]:g}; it takes them for the "
                "nearest that it knows; to tell them apart, train anew with another --out"
            )
        if self.data is not None:
            training.data_folder = _relative(self.data, run)
        if training.progress >= 1:
            print(f"{run} is trained to its end; to go on, give more --minutes or --updates than it had")
        return training, episodes

    def _settings(self) -> dict[str, Any]:
        """Fields of `TrainConfig` that were given; all others keep their default, or what the run has stored."""
        names = ("simulator", "network_size", "curriculum", "updates", "minutes", "batch_steps", "learning_rate")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return given | ({"checkpoint_gradients": True} if self.checkpoint_gradients else {})

    def _card(self) -> "EnvCard":
        """What is to be learned; a mistake in it is told before a folder is made."""
        from dreamplay.envs.real import card_of

        if self.data is not None:
            return _open(self.data).card
        env = self.prepare.make(str(self.env))
        env.close()
        return card_of(env)

    def _collected(self, card: "EnvCard") -> Path:
        from dreamplay.commands.collect import Collect
        from dreamplay.errors import UserError
        from dreamplay.folders import data_folder

        folder = data_folder(card.id)
        if not (folder / "data.json").is_file():
            print(f"no data in {folder} yet: collecting {COLLECT_STEPS} random steps first", flush=True)
            Collect(env=str(self.env), steps=COLLECT_STEPS, prepare=self.prepare, seed=self.seed).run()
            return folder
        stored = _open(folder).card
        same = (stored.observation_space, stored.action_space) == (card.observation_space, card.action_space)
        if not same or (self.prepare.given and stored != card):
            raise UserError(
                f"{folder} was recorded with other options of the environment, or before it changed; collect again: "
                "dreamplay collect ENV --out DIR, then dreamplay train --data DIR"
            )
        return folder

    def _acceleration(self, training: "Training", episodes: "Episodes") -> "Acceleration":
        from dreamplay.acceleration import Acceleration
        from dreamplay.feeds import Codecs, resident_bytes

        codecs = Codecs(training.network.frames, training.card, training.rewards)
        size = resident_bytes(episodes.split()[0], codecs)
        return Acceleration.of(training.device, size, self.precision, self.compile)

    def _announce(
        self,
        run: Path,
        training: "Training",
        episodes: "Episodes",
        parameters: int,
        acceleration: "Acceleration",
        ranks: "Ranks",
    ) -> None:
        where = f"{training.device.type} with {self.threads} thread(s)"
        print(
            f"training on {where if ranks.count == 1 else f'{ranks.count} processes, each on {where}'}: "
            f"{training.config.simulator} simulator, "
            f"{parameters / 1e6:.2f} M parameters, {self._frames_in_words(training)}, "
            f"{episodes.steps} steps in {len(episodes)} episodes, {acceleration}, curriculum "
            f"{training.config.curriculum}, into {run}",
            flush=True,
        )

    def _frames_in_words(self, training: "Training") -> str:
        """How frames are learned, and why so."""
        frames = training.network.frames
        height, width, _ = training.card.observation_space.shape
        kind, size = frames.to_json()["kind"], f"{height} x {width} frames"
        if kind == "palette":
            why = (
                "as asked for"
                if training.config.frames
                else "they stand for all in the data; --frames colour overrides"
            )
            return f"{size} of {frames.channels} palette colours ({why})"
        if kind == "colour":
            why = "as asked for" if training.config.frames else "too many for a palette; --frames palette overrides"
            return f"{size} of {frames.channels} channels of colour ({why})"
        return f"{size}, as published"

    def _train(
        self,
        run: Path,
        training: "Training",
        episodes: "Episodes",
        tracker: "Tracker | None",
        acceleration: "Acceleration",
    ) -> tuple[float | None, float | None]:
        """Trains under a progress bar; returns the latest mean loss and the frames per second."""
        import torch

        from dreamplay.progress import progress
        from dreamplay.training import train

        seen, steps, loss = 0, 0, torch.zeros((), device=training.device)
        by_updates = training.config.updates is not None
        total = training.config.updates or 60 * (training.config.minutes or 0)
        begun = training.updates if by_updates else 60 * training.minutes
        with progress("train", max(0, total - begun), "updates" if by_updates else "seconds") as bar:

            def on_update(report: "Report") -> None:
                nonlocal seen, steps, loss
                seen, steps = seen + 1, steps + report.steps
                loss = loss + (report.losses.total - loss) / min(seen, RECENT_UPDATES)
                if tracker is not None:
                    tracker.log(report)
                now = (report.updates if by_updates else 60 * report.minutes) - begun
                speed = steps / max(bar.seconds, 1e-9)
                bar.advance(now - bar.done, lambda: f"loss {loss.item():.3f}, {report.stage}, {speed:.0f} frames/s")

            try:
                train(training, episodes.split()[0], run, on_update, acceleration=acceleration)
            except KeyboardInterrupt:
                print(f"saved after {training.updates} updates; to go on: dreamplay train --out {run} --resume")
                raise
            return (loss.item(), steps / max(bar.seconds, 1e-9)) if seen else (None, None)

    def _tracker(self, run: Path, training: "Training") -> "AbstractContextManager[Tracker | None]":
        if self.wandb == "off":
            return nullcontext()
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


def _check_shares(config: "TrainConfig", ranks: "Ranks") -> None:
    from dreamplay.errors import UserError
    from dreamplay.training import RECIPES, fewest_windows

    if (fewest := fewest_windows(config)) < ranks.count:
        steps = config.batch_steps or RECIPES[config.simulator].batch_steps
        raise UserError(
            f"{steps} steps per update make some of {fewest} window(s), too few for {ranks.count} processes to share; "
            f"use --batch-steps {steps * -(-ranks.count // fewest)}, or fewer processes"
        )


def _open(folder: Path) -> "Episodes":
    from dreamplay.episodes import Episodes

    return Episodes.open(folder)


def _relative(data: Path, run: Path) -> str:
    """How the run names its data: relative to itself, so that both can be moved together."""
    try:
        return Path(os.path.relpath(data.resolve(), run.resolve())).as_posix()
    except ValueError:  # on another drive
        return str(data.resolve())
