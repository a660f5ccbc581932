"""`dreamplay learn`: a policy that learns wholly inside the dream."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from dreamplay.agents.dreams import Dreams
    from dreamplay.agents.learning import Learner, Report
    from dreamplay.simulator import Simulator

DEFAULT_MINUTES = 5.0


@dataclass(frozen=True)
class Learn:
    """Learn a policy inside the dream; no real environment is needed, and no frame is ever drawn.

    Dreams begin at real moments of the data that the simulator was trained on. Ctrl-C saves; --resume continues.
    """

    checkpoint: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Run folder, as `dreamplay train` leaves it, or the name of a shipped dream."""

    out: Path | None = None
    """File to make, weights as safetensors; RUN/policy.safetensors by default, policies/NAME.safetensors for a shipped
    dream."""

    minutes: float | None = None
    """Length of the learning in minutes, earlier parts of a resumed one included; 5 unless --steps is given."""

    steps: int | None = None
    """Length in dreamed steps, of all dreams together, earlier parts included; instead of --minutes."""

    dream_steps: int | None = None
    """Steps after which a dream begins anew at a real moment; 100 by default, of a resumed policy as before. The
    longer, the farther dreams go where no data are, and the more they have to be true."""

    temperature: float | None = None
    """What dreams make of what they leave open: 1 samples as learned, 0 takes what is most likely; 1 by default, of a
    resumed policy as before. Where the game has little chance, what is open is mostly what the simulator does not
    know."""

    careful: bool = False
    """Gain nothing by steps of which the dream is less sure than of most real moments: for a dream that promises more
    than reality keeps. It costs what is to be learned where the dream is seldom sure."""

    resume: bool = False
    """Continue the policy in --out, also where its simulator has been trained on; without one, start it."""

    data: Path | None = None
    """Data folder whose moments dreams begin at; by default what the run was trained on."""

    backend: Literal["auto", "torch", "onnx"] = "auto"
    """What computes the dream: auto takes ONNX Runtime on a CPU when it is installed."""

    device: str = "auto"
    """Where to learn: auto (a GPU when there is one), cpu, cuda."""

    threads: int = 1
    """Processor threads."""

    seed: int = 0
    """Seed of weights, starts, chance and draws."""

    json: Path | None = None
    """File to write the summary to."""

    def run(self) -> dict[str, Any]:
        """Learn, and return {"policy", "run", "env", "steps", "minutes", "steps_per_second", "dreamed_return"}.

        "dreamed_return" is the mean of the latest dreams, each from where it began to where it began anew: its end,
        a step in doubt, or --dream-steps later; None if none has come that far.
        """
        from math import isfinite

        import torch

        from dreamplay.agents.policy_file import policy_path, save_policy
        from dreamplay.envs.dream_loading import load_simulator
        from dreamplay.shipped import find_run

        self._check()
        torch.set_num_threads(self.threads)
        run = find_run(self.checkpoint)
        path = self.out or policy_path(self.checkpoint)
        self._claim(path)
        simulator = load_simulator(str(self.checkpoint), self.device, self.backend)
        learner, dreams = self._prepare(path, simulator)

        path.parent.mkdir(parents=True, exist_ok=True)

        def save(learner: "Learner") -> None:
            save_policy(path, learner, run, simulator)

        speed = self._learn(learner, dreams, path, save)
        print(
            f"saved in {path} after {learner.steps} dreamed steps\n"
            f"next: dreamplay act {self.checkpoint} --agent policy{_option(path, self.checkpoint)}"
        )
        return {
            "policy": str(path),
            "run": str(self.checkpoint),
            "env": simulator.card.id,
            "steps": learner.steps,
            "minutes": learner.minutes,
            "steps_per_second": speed,
            "dreamed_return": dreams.mean_return if isfinite(dreams.mean_return) else None,
        }

    def _check(self) -> None:
        from math import isfinite

        from dreamplay.errors import UserError
        from dreamplay.simulator import choose_backend, choose_device

        if self.minutes is not None and self.steps is not None:
            raise UserError("--minutes and --steps exclude each other; give one of them")
        for option, value in (("--minutes", self.minutes), ("--steps", self.steps), ("--threads", self.threads)):
            if value is not None and not (value > 0 and isfinite(value)):
                raise UserError(f"{option} {value} is not possible; it must be a number above 0")
        if self.dream_steps is not None and self.dream_steps < 1:
            raise UserError(f"--dream-steps {self.dream_steps} is not possible; it must be at least 1")
        check_temperature(self.temperature)
        if self.seed < 0:
            raise UserError(f"--seed {self.seed} is negative; choose one from 0 on")
        choose_backend(self.backend, choose_device(self.device))

    def _claim(self, path: Path) -> None:
        """Nothing but a policy that is to go on is written over, and that is known before the work."""
        from dreamplay.errors import UserError

        if path.is_dir():
            raise UserError(f"{path} is a folder; name a file in it with --out")
        if path.exists() and not self.resume:
            raise UserError(f"{path} exists; continue it with --resume, or choose another file with --out")
        if self.out is not None and not path.parent.is_dir():
            raise UserError(f"there is no folder {path.parent}; make it first, or choose another file with --out")

    def _prepare(self, path: Path, simulator: "Simulator") -> "tuple[Learner, Dreams]":
        """The learner, new or where it stopped, and its dreams."""
        from dataclasses import replace
        from math import inf

        import numpy as np

        from dreamplay.agents.action_heads import head_for
        from dreamplay.agents.doubt import most_open
        from dreamplay.agents.dream_starts import dream_starts
        from dreamplay.agents.dreams import Dreams
        from dreamplay.agents.learning import LearnConfig, new_learner
        from dreamplay.agents.policy_file import read_policy
        from dreamplay.agents.senses import Senses
        from dreamplay.commands.evaluate import open_data
        from dreamplay.errors import UserError
        from dreamplay.progress import progress
        from dreamplay.shipped import find_run

        head, senses = head_for(simulator.card.action_space), Senses(simulator)
        if path.exists():
            learner, _ = read_policy(path)
            if (learner.policy.features, learner.head.outputs) != (senses.size, head.outputs):
                raise UserError(f"{path} is the policy of another environment; choose another file with --out")
        else:
            learner = new_learner(LearnConfig(), senses.size, head, simulator.rewards.values, self.seed)
        wishes: dict[str, Any] = {"longest": self.dream_steps, "temperature": self.temperature}
        wishes = {name: wish for name, wish in wishes.items() if wish is not None}
        config = learner.config = replace(learner.config, **wishes)
        learner.to(simulator.device)
        episodes = open_data(self.data, simulator, find_run(self.checkpoint)).split()[0]
        seed = int(np.random.SeedSequence([self.seed, learner.steps]).generate_state(1)[0])
        with progress("follow real episodes", 1, "parts") as bar:
            starts = dream_starts(
                simulator, episodes, np.random.default_rng(seed), on_progress=lambda part: bar.advance(part - bar.done)
            )
        limit = most_open(simulator, starts, seed) if self.careful else inf
        dreams = Dreams(
            simulator,
            senses,
            learner.head,
            starts,
            config.dreams,
            config.longest,
            seed,
            temperature=config.temperature,
            most_open=limit,
        )
        return learner, dreams

    def _learn(self, learner: "Learner", dreams: "Dreams", path: Path, save: Any) -> float | None:
        """Learns under a progress bar; returns the dreamed steps per second."""
        from dreamplay.agents.learning import learn
        from dreamplay.progress import progress

        minutes = None if self.steps is not None else self.minutes or DEFAULT_MINUTES
        total = self.steps if self.steps is not None else 60 * (minutes or 0)
        begun = learner.steps if self.steps is not None else 60 * learner.minutes
        first = learner.steps
        if begun >= total:
            print(f"{path} has learned to its end; to go on, give more --minutes or --steps than it had")
        with progress("learn", max(0, total - begun), "steps" if self.steps is not None else "seconds") as bar:

            def on_update(report: "Report") -> None:
                now = (report.steps if self.steps is not None else 60 * report.minutes) - begun
                speed = (report.steps - first) / max(bar.seconds, 1e-9)
                dreamed = f"dreamed return {report.mean_return:.2f}, entropy {report.entropy:.2f}"
                bar.advance(now - bar.done, f"{dreamed}, {speed:.0f} dreamed steps/s")

            try:
                learn(
                    learner, dreams, seed=self.seed, steps=self.steps, minutes=minutes, on_update=on_update, save=save
                )
            except KeyboardInterrupt:
                print(f"saved in {path} after {learner.steps} dreamed steps; to go on, add --resume")
                raise
            return (learner.steps - first) / max(bar.seconds, 1e-9) if learner.steps > first else None


def check_temperature(temperature: float | None) -> None:
    """Check the option of the commands that learn in dreams.

    Raises:
        UserError: it is negative or not finite.
    """
    from math import isfinite

    from dreamplay.errors import UserError

    if temperature is not None and not (temperature >= 0 and isfinite(temperature)):
        raise UserError(f"--temperature {temperature} is not possible; choose 0, or a number above it")


def _option(path: Path, run: Path) -> str:
    """How the other commands are told of the policy."""
    from dreamplay.agents.policy_file import policy_path

    return "" if path == policy_path(run) else f" --policy {path}"
