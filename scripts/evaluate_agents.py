"""What agents earn in the real environment that planned or learned in a dream, and what the dream had promised.

    python scripts/evaluate_agents.py runs/bricks runs/catch --max-steps 200 --write docs/agents.md

For each run folder: a random agent; the planner in the dream; the same planner in copies of the real game, which is
the most that planning can earn; a policy learned in the dream, if there is one; PPO of Stable-Baselines3, trained on
the real environment with as many real steps as the simulator saw. And what planner and policy earn inside the
dream, from the same first frames and over as many steps: a dream that promises more than reality keeps is found out.

In --out: results as JSON, a plot, and for each run a video of the first episode of every agent.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import gymnasium as gym
import numpy as np
import tyro
from comparison import tell_mistakes
from marked_tables import require_marks, write_between

from dreamplay.agents.acting import Acted, run_episodes
from dreamplay.agents.agent import Agent
from dreamplay.agents.planners import PlannerName, make_planner, trusted_horizon
from dreamplay.agents.planning_agent import PlanningAgent
from dreamplay.agents.policy_agent import load_agent
from dreamplay.agents.policy_file import policy_path
from dreamplay.agents.random_agent import RandomAgent
from dreamplay.agents.sb3_policy import SB3Policy
from dreamplay.agents.scoring import DreamScorer, ScoringConfig
from dreamplay.agents.true_game import NoCopyError, TrueGame
from dreamplay.envs.card import EnvCard
from dreamplay.envs.dream import DreamEnv
from dreamplay.envs.real import make_env
from dreamplay.episodes import Episodes
from dreamplay.errors import UserError
from dreamplay.folders import slug
from dreamplay.json_files import write_json
from dreamplay.progress import progress
from dreamplay.rates import machine
from dreamplay.simulator import Simulator, load

MARKS = ("<!-- evaluate_agents: begin -->", "<!-- evaluate_agents: end -->")
GROUP = 10  # episodes side by side
STACKED = 4  # frames that PPO sees: one alone tells no motion
PARALLEL = 8  # environments that PPO learns from
RANDOM, PPO = "random", "PPO on the real game"


@dataclass(frozen=True)
class Evaluation:
    """What to evaluate."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders of trained simulators, with the data they were trained on."""
    planner: PlannerName = "cem"
    """Who plans, in the dream and in copies of the real game."""
    plan_horizon: int | None = None
    """Steps that a plan looks ahead; by default as far as the dream stays true, see dreamplay act."""
    candidates: int = 32
    """Sequences scored per iteration."""
    iterations: int = 2
    """Rounds of sampling closer to the best."""
    samples: int = 1
    """Futures that a plan is scored over in the dream: 1 takes the most likely one, more are drawn as learned."""
    policies: tuple[Path, ...] = ()
    """A policy learned in the dream for each run, in their order: a file of dreamplay learn, or a .zip file of
    Stable-Baselines3. RUN/policy.safetensors by default, where there is one."""
    episodes: int = 20
    """Real episodes of each agent."""
    max_steps: int = 1000
    """Steps after which an episode is cut, real or dreamed."""
    minutes: float = 30.0
    """No agent begins another ten episodes after so many minutes."""
    ppo_steps: int | None = None
    """Real steps that PPO learns from; by default as many as the simulator saw. 0 leaves it out."""
    out: Path = Path("runs/agents")
    """Folder for what is found."""
    write: Path | None = None
    """File to write the table into, between its marks."""
    seed: int = 0
    """Of the first episode; episode i has seed + i."""


def main() -> None:
    """Evaluate all runs, and write table, plot and videos."""
    import torch

    asked = tyro.cli(Evaluation, description=__doc__)
    check(asked)
    torch.set_num_threads(1)
    asked.out.mkdir(parents=True, exist_ok=True)
    results = [evaluate(asked, i) for i in range(len(asked.runs))]
    write_json(asked.out / "agents.json", {"machine": machine()["processor"], "results": results})
    text = table(asked, results)
    draw(results, asked.out / "agents.png")
    print(f"\n{text}\n\nin {asked.out}")
    if asked.write is not None:
        write_between(asked.write, MARKS, text)


def check(asked: Evaluation) -> None:
    """Refuses what cannot be evaluated, before hours are spent.

    Raises:
        UserError: a number, a run or a file is not as it should be.
    """
    if not asked.runs:
        raise UserError("name at least one run folder; make one: dreamplay train")
    for run in asked.runs:
        if not (run / "checkpoint.json").is_file():
            raise UserError(f"{run} is not a run folder, it has no checkpoint.json; make one: dreamplay train")
    if asked.policies and len(asked.policies) != len(asked.runs):
        raise UserError(f"{len(asked.policies)} policies for {len(asked.runs)} runs; give one for each, or none")
    for name, value, least in (
        ("episodes", asked.episodes, 2),
        ("max-steps", asked.max_steps, 1),
        ("samples", asked.samples, 1),
    ):
        if value < least:
            raise UserError(f"--{name} {value} is not possible; it must be at least {least}")
    if asked.write is not None:
        require_marks(asked.write, MARKS)


def evaluate(asked: Evaluation, index: int) -> dict[str, Any]:
    """All agents of one run: JSON values."""
    run = asked.runs[index]
    simulator = load(run)
    card, steps = simulator.card, real_steps(run, simulator)
    horizon = asked.plan_horizon or trusted_horizon(simulator.horizon)
    make: Callable[[], gym.Env[np.ndarray, Any]] = lambda: make_env(card)  # noqa: E731
    planning = lambda: make_planner(  # noqa: E731
        asked.planner, card.action_space, horizon=horizon, candidates=asked.candidates, iterations=asked.iterations
    )
    scorer = DreamScorer(simulator, ScoringConfig(samples=asked.samples))
    here, there = f"{asked.planner} in the dream", f"{asked.planner} in copies of the game"
    in_dream: Callable[[], gym.Env[np.ndarray, Any]] = lambda: FromReality(simulator, asked.max_steps)  # noqa: E731
    videos: dict[str, list[np.ndarray]] = {}
    rows: dict[str, dict[str, Any]] = {}
    promised: dict[str, dict[str, Any]] = {}

    def act(name: str, agent: Any, make: Callable[[], gym.Env[np.ndarray, Any]] = make) -> None:
        rows[name], videos[name] = act_for_a_while(asked, f"{card.id}: {name}", agent, make)

    def act_and_dream(name: str, agent: Any) -> None:
        act(name, agent)
        promised[name], _ = act_for_a_while(asked, f"{card.id}: promised to {name}", agent, in_dream)

    act(RANDOM, RandomAgent(card.action_space))
    act_and_dream(here, PlanningAgent(planning(), scorer))
    true = TrueGame(planning(), discount=scorer.config.discount, alive_bonus=max(0.0, simulator.mean_reward))
    try:
        act(there, true, lambda: true.adopt(make_env(card)))
    except NoCopyError as error:
        print(f"{there}: n/a, {error}")
    policy = asked.policies[index] if asked.policies else policy_path(run)
    if asked.policies or policy.is_file():
        act_and_dream("policy learned in the dream", learned(policy, simulator))
    ppo_steps = steps if asked.ppo_steps is None else asked.ppo_steps
    if ppo_steps:
        act(PPO, train_ppo(card, ppo_steps, asked.seed))
    write_episodes(asked.out / f"{slug(card.id)}.mp4", videos, card)
    return {
        "run": str(run),
        "env": card.id,
        "real_steps": steps,
        "ppo_steps": ppo_steps,
        "plan_horizon": horizon,
        "planner": here,
        "ceiling": there,
        "agents": rows,
        "promised": promised,
    }


def learned(policy: Path, simulator: Simulator) -> Any:
    """The agent of a policy file.

    Raises:
        UserError: it is no policy of this environment, or sees what no dream shows.
    """
    if policy.suffix != ".zip":
        return load_agent(policy, simulator)
    env = make_env(simulator.card)
    env.close()
    agent = SB3Policy(policy, env)
    if not agent.sees_frames:
        raise UserError(f"{policy} sees numbers and no frames: it was not learned in a dream")
    return agent


def real_steps(run: Path, simulator: Simulator) -> int:
    """Steps of the data that a simulator was trained on, those held out included."""
    if simulator.data_folder is None:
        raise UserError(f"{run} does not say what data it was trained on; train it anew")
    folder = run / simulator.data_folder  # which may be absolute
    return Episodes.open(folder).steps


def act_for_a_while(
    asked: Evaluation, title: str, agent: Any, make: Callable[[], gym.Env[np.ndarray, Any]]
) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What the agent earned, and the frames of its first episode; ten episodes at a time, as the minutes allow."""
    frames: list[np.ndarray] = []
    parts: list[Acted] = []
    began = time.monotonic()
    with progress(title, asked.episodes, "episodes") as bar:
        for first in range(0, asked.episodes, GROUP):
            if first and time.monotonic() - began > 60 * asked.minutes:
                break

            def keep(running: Sequence[int], seen: Sequence[np.ndarray], first: int = first) -> None:
                bar.advance(0, f"{len(running)} running")
                if first == 0 and 0 in running:
                    frames.append(seen[list(running).index(0)].copy())

            if isinstance(agent, TrueGame):
                agent.release()
            count = min(GROUP, asked.episodes - first)
            parts.append(
                run_episodes(
                    make, agent, count, seed=asked.seed + first, max_steps=asked.max_steps, rows=GROUP, on_frames=keep
                )
            )
            bar.advance(count)
    acted = Acted(
        [value for part in parts for value in part.returns],
        [length for part in parts for length in part.lengths],
        sum(part.seconds for part in parts),
    )
    return {
        "returns": acted.returns,
        "lengths": acted.lengths,
        "mean_return": acted.mean_return,
        "ci95": acted.ci95,
        "actions_per_second": acted.actions_per_second,
    }, frames


class FromReality(gym.Wrapper[np.ndarray, Any, np.ndarray, Any]):
    """A dream, chance drawn as learned, that starts from the first frame of a real episode of the same seed."""

    def __init__(self, simulator: Simulator, horizon: int) -> None:
        super().__init__(DreamEnv(simulator, horizon=horizon, temperature=1.0))
        self._real = make_env(simulator.card)
        self._no_actions = np.zeros((0, *(simulator.card.action_space.shape or ())), simulator.card.action_space.dtype)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        first, _ = self._real.reset(seed=seed)
        context = {"observations": first[None], "actions": self._no_actions}
        return self.env.reset(seed=seed, options={"context": context})

    def close(self) -> None:
        self._real.close()
        super().close()


class StackedPolicy:
    """A model of Stable-Baselines3 that sees the last frames, as an agent."""

    def __init__(self, model: Any, action_space: gym.Space[Any]) -> None:
        self._model, self._space = model, action_space
        self._frames: np.ndarray | None = None

    def reset(self, seed: int | None = None) -> None:
        self._frames = None
        if seed is not None:
            self._model.set_random_seed(seed)

    def act(self, observation: np.ndarray) -> Any:
        if self._frames is None:  # as VecFrameStack begins
            self._frames = np.zeros((*observation.shape[:2], STACKED * observation.shape[2]), np.uint8)
        self._frames = np.concatenate([self._frames[..., observation.shape[2] :], observation], axis=-1)
        action, _ = self._model.predict(np.moveaxis(self._frames, -1, 0) if self._first() else self._frames)
        return int(action) if isinstance(self._space, gym.spaces.Discrete) else action

    def _first(self) -> bool:
        """Whether the model wants channels first."""
        assert self._frames is not None
        return self._model.observation_space.shape != self._frames.shape


def train_ppo(card: EnvCard, steps: int, seed: int) -> Agent:
    """PPO with the settings its package comes with, on stacked frames of the real environment.

    It learns from whole rollouts of all environments, so from a few steps more than it was given.

    Raises:
        UserError: the package is missing.
    """
    try:
        from stable_baselines3 import PPO as Learner
        from stable_baselines3.common.callbacks import BaseCallback
        from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack
    except ImportError as error:
        raise UserError("PPO needs stable-baselines3: pip install 'dreamplay[sb3]', or --ppo-steps 0") from error

    class Bar(BaseCallback):
        def _on_step(self) -> bool:
            bar.advance(PARALLEL)
            return True

    envs = VecFrameStack(DummyVecEnv([lambda: make_env(card)] * PARALLEL), STACKED, channels_order="last")
    policy = "CnnPolicy" if min((card.observation_space.shape or ())[:2]) >= 36 else "MlpPolicy"  # its kernels' size
    rollout = min(256, max(16, steps // PARALLEL))
    with progress(f"{card.id}: train PPO", steps, "steps") as bar:
        model = Learner(policy, envs, n_steps=rollout, seed=seed, device="cpu").learn(steps, callback=Bar())
    envs.close()
    return StackedPolicy(model, card.action_space)


def table(asked: Evaluation, results: list[dict[str, Any]]) -> str:
    """Returns with intervals, as Markdown."""
    names = list(dict.fromkeys(name for result in results for name in result["agents"]))
    dreamed = [name for name in names if any(name in result["promised"] for result in results)]
    header = ["environment, real steps", *names, *(f"promised to {name}, less real" for name in dreamed)]
    lines = [header, ["---"] * len(header)]
    for result in results:
        cells = [f"{result['env']}, {result['real_steps']:,}"]
        cells += [interval(result["agents"].get(name)) for name in names]
        for name in dreamed:
            row = result["promised"].get(name)
            gap = f", {row['mean_return'] - result['agents'][name]['mean_return']:+.2f}" if row else ""
            cells.append(interval(row) + gap)
        lines.append(cells)
    sampled = asked.samples > 1
    made = (
        f"Mean return of {asked.episodes} real episodes, cut after {asked.max_steps} steps, ± 95 % interval; "
        f"{asked.planner} with {asked.candidates} candidates and {asked.iterations} iterations"
        f"{f', over {asked.samples} futures in the dream' if sampled else ''}; on one thread of "
        f"{machine()['processor']}; made by `python scripts/evaluate_agents.py {' '.join(map(str, asked.runs))} "
        f"--max-steps {asked.max_steps} --episodes {asked.episodes} --minutes {asked.minutes:g}"
        f"{f' --samples {asked.samples}' if sampled else ''}`."
    )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n{made}"


def interval(row: dict[str, Any] | None) -> str:
    """Mean ± half-width, or n/a; says how many episodes where time allowed fewer than 20."""
    if row is None:
        return "n/a"
    few = f" ({len(row['returns'])} episodes)" if len(row["returns"]) < 20 else ""
    return f"{row['mean_return']:.2f} ± {row['ci95']:.2f}{few}"


def draw(results: list[dict[str, Any]], path: Path) -> None:
    """A panel per environment, a bar per agent with its interval; a line where the dream promised to be."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(results) + 1, 4.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, result in zip(figure.subplots(1, len(results), squeeze=False)[0], results, strict=True):
        names = list(result["agents"])
        means = [result["agents"][name]["mean_return"] for name in names]
        errors = [result["agents"][name]["ci95"] for name in names]
        axes.bar(range(len(names)), means, yerr=errors, capsize=4, color="#5b8def")
        where, hoped = zip(
            *((names.index(n), row["mean_return"]) for n, row in result["promised"].items()), strict=True
        )
        axes.plot(where, hoped, "_", ms=34, mew=2.5, color="#d1495b", label="promised by the dream")
        axes.set_xticks(range(len(names)), [fill(name, 12) for name in names], fontsize=8)
        axes.set_title(result["env"], fontsize=11, loc="left")
        axes.set_ylabel("mean return in reality")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8, markerscale=0.5, loc="lower right", bbox_to_anchor=(1, 1))
    figure.savefig(path)


def write_episodes(path: Path, videos: dict[str, list[np.ndarray]], card: EnvCard) -> None:
    """The first episode of every agent side by side; one that is over stands still."""
    from dreamplay.video import panes, write_video

    longest = max(len(frames) for frames in videos.values())
    pictures = (
        panes([(n, f[min(t, len(f) - 1)]) for n, f in videos.items()], caption=f"step {t}") for t in range(longest)
    )
    write_video(path, pictures, card.fps)


if __name__ == "__main__":
    tell_mistakes(main)
