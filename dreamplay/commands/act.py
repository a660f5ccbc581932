"""`dreamplay act`: let an agent act for some episodes and say what it earned."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import gymnasium as gym
    import numpy as np

    from dreamplay.agents.acting import Acted
    from dreamplay.agents.agent import Agent
    from dreamplay.envs.card import EnvCard


@dataclass(frozen=True)
class Act:
    """Let an agent act in the real environment, or in the dream, and print its mean return.

    The planner sees only the dream, wherever it acts: its plans are made there, and reality tells it where it is.
    """

    checkpoint: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Run folder, as `dreamplay train` leaves it, or the name of a shipped dream."""

    agent: Literal["random", "shooting", "cem", "icem", "mppi", "beam", "policy"] = "random"
    """Who acts: random draws every action anew; policy has learned in the dream; the others plan in it: by random
    shooting, the cross-entropy method, its improved form, path integrals, or beam search (finite choices only)."""

    policy: Path | None = None
    """policy: file that dreamplay learn made; RUN/policy.safetensors by default, for a shipped dream
    policies/NAME.safetensors. Planners: one whose critic says what comes after a plan, none by default."""

    likeliest: bool = False
    """policy: take the most likely action each time, instead of one drawn by their probabilities."""

    episodes: int = 10
    """Episodes to play; episode i is seeded with seed + i."""

    where: Annotated[Literal["real", "dream"], tyro.conf.arg(name="in")] = "real"
    """Where to act."""

    temperature: float = 1.0
    """Of the dream that is acted in: 1 draws what chance decides as learned, 0 takes what is most likely. An opponent
    who hardly ever errs then never does."""

    max_steps: int | None = None
    """Steps after which an episode is cut; by default only the environment ends it."""

    horizon: Annotated[int | Literal["auto"], tyro.conf.arg(aliases=["--plan-horizon"])] = 15
    """Planners: steps that a plan looks ahead; auto goes as far as the dream stays true (half of what moves is found,
    as dreamplay evaluate measured), and at most 25."""

    candidates: int = 32
    """Planners: action sequences scored per iteration, the best eighth of which leads on; the width of a beam."""

    iterations: int = 2
    """Planners: rounds of sampling closer to the best candidates; shooting scores as many in one."""

    samples: int = 1
    """Planners: futures per plan; 1 dreams the most likely one, more are drawn as learned."""

    quantile: float | None = None
    """Planners: which of these futures counts, from 0 (the worst) to 1 (the best); their mean by default."""

    video: Path | None = None
    """File (.mp4 or .gif) to record the first episode to."""

    backend: Literal["auto", "torch", "onnx"] = "auto"
    """What computes the dream: auto takes ONNX Runtime on a CPU when it is installed."""

    seed: int = 0
    """Seed of the environment and the agent."""

    json: Path | None = None
    """File to write the summary to."""

    def run(self) -> dict[str, Any]:
        """Act, and return {"agent", "env", "in", "episodes", "returns", "mean_return", "ci95", "lengths",
        "actions_per_second"}; ci95 is the half-width of the interval."""
        self._check()
        card, make = self._env()
        acted, frames = self._act(self._agent(card), make, card)
        if self.video is not None:
            from dreamplay.video import panes, write_video

            label = f"{card.id} ({self.where}), {self.agent}"
            pictures = (panes([(label, frame)], caption=f"step {t}") for t, frame in enumerate(frames))
            write_video(self.video, pictures, card.fps)
            print(f"the first episode is in {self.video}")
        interval = f" ± {acted.ci95:.2f} (95 %)" if self.episodes > 1 else ""
        print(
            f"{self.agent}, {self.where} {card.id}: mean return {acted.mean_return:.2f}{interval}, "
            f"{self.episodes} episode{'s' * (self.episodes > 1)}, {acted.actions_per_second:.0f} actions/s"
            + (", each a plan" if self.agent not in ("random", "policy") else "")
        )
        return {
            "agent": self.agent,
            "env": card.id,
            "in": self.where,
            "episodes": self.episodes,
            "returns": acted.returns,
            "mean_return": acted.mean_return,
            "ci95": acted.ci95,
            "lengths": acted.lengths,
            "actions_per_second": acted.actions_per_second,
        }

    def _check(self) -> None:
        from dreamplay.errors import UserError
        from dreamplay.shipped import find_run, hint

        for option, value, least in (
            ("--episodes", self.episodes, 1),
            ("--max-steps", self.max_steps, 1),
            ("--horizon", None if self.horizon == "auto" else self.horizon, 1),
            ("--candidates", self.candidates, 1),
            ("--iterations", self.iterations, 1),
            ("--samples", self.samples, 1),
            ("--seed", self.seed, 0),
        ):
            if value is not None and value < least:
                raise UserError(f"{option} {value} is not possible; it must be at least {least}")
        if not (find_run(self.checkpoint) / "checkpoint.json").is_file():
            raise UserError(
                f"{self.checkpoint} is not a run folder, it has no checkpoint.json; {hint(self.checkpoint)}"
            )
        # A video is refused here and not only when it is written, which may be an hour later.
        if self.video is not None and self.video.suffix not in (".mp4", ".gif"):
            raise UserError(f"--video {self.video} is no video file; let its name end in .mp4 or .gif")
        if self.video is not None and self.video.exists():
            raise UserError(f"--video {self.video} exists already; name a new file, nothing is overwritten")
        if self.video is not None and not self.video.parent.is_dir():
            raise UserError(f"--video {self.video}: there is no folder {self.video.parent}; make it first")

    def _env(self) -> "tuple[EnvCard, Callable[[], gym.Env[np.ndarray, Any]]]":
        """The real environment's card, and what makes one environment to act in."""
        import gymnasium as gym

        from dreamplay.envs.dream_loading import load_simulator
        from dreamplay.envs.real import card_of, make_env
        from dreamplay.envs.registration import DREAM_ID

        if self.where == "dream":
            folder = str(self.checkpoint)
            card = load_simulator(folder, backend=self.backend).card
            return card, lambda: gym.make(
                DREAM_ID, checkpoint=folder, temperature=self.temperature, backend=self.backend
            )
        env = make_env(self.checkpoint)
        card = card_of(env)
        env.close()
        return card, lambda: make_env(card)

    def _agent(self, card: "EnvCard") -> "Agent":
        if self.agent == "random":
            from dreamplay.agents.random_agent import RandomAgent

            return RandomAgent(card.action_space)
        if self.agent == "policy":
            from dreamplay.agents.policy_agent import load_agent
            from dreamplay.agents.policy_file import policy_path
            from dreamplay.envs.dream_loading import load_simulator

            simulator = load_simulator(str(self.checkpoint), backend=self.backend)
            return load_agent(self.policy or policy_path(self.checkpoint), simulator, likeliest=self.likeliest)
        from dreamplay.agents.planners import make_planner, trusted_horizon
        from dreamplay.agents.planning_agent import PlanningAgent
        from dreamplay.agents.policy_agent import load_critic
        from dreamplay.agents.scoring import DreamScorer, ScoringConfig
        from dreamplay.envs.dream_loading import load_simulator

        scoring = ScoringConfig(samples=self.samples, quantile=self.quantile)
        simulator = load_simulator(str(self.checkpoint), backend=self.backend)
        horizon = trusted_horizon(simulator.horizon) if self.horizon == "auto" else self.horizon
        planner = make_planner(
            self.agent, card.action_space, horizon=horizon, candidates=self.candidates, iterations=self.iterations
        )
        critic = None if self.policy is None else load_critic(self.policy, simulator)
        return PlanningAgent(planner, DreamScorer(simulator, scoring, value=critic))

    def _act(
        self, agent: "Agent", make: "Callable[[], gym.Env[np.ndarray, Any]]", card: "EnvCard"
    ) -> "tuple[Acted, list[np.ndarray]]":
        """Plays the episodes under a progress bar; also the frames of the first one, if a video wants them."""
        from dreamplay.agents.acting import run_episodes
        from dreamplay.progress import progress

        recorded: list[np.ndarray] = []
        ended: list[float] = []
        actions = 0
        with progress(f"act {card.id}", self.episodes, "episodes") as bar:

            def on_frames(running: "Sequence[int]", frames: "Sequence[np.ndarray]") -> None:
                nonlocal actions
                actions += len(running)
                if self.video is not None and 0 in running:
                    recorded.append(frames[running.index(0)].copy())
                mean = f", mean return {sum(ended) / len(ended):.2f}" if ended else ""
                bar.advance(0, f"{len(running)} running, {actions / max(bar.seconds, 1e-9):.0f} actions/s{mean}")

            def on_episode(episode: int, total: float, length: int) -> None:
                ended.append(total)
                bar.advance(1)

            acted = run_episodes(
                make,
                agent,
                self.episodes,
                seed=self.seed,
                max_steps=self.max_steps,
                on_frames=on_frames,
                on_episode=on_episode,
            )
        return acted, recorded
