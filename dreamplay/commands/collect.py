"""`dreamplay collect`: record episodes of a real environment."""

import shutil
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from dreamplay.env_options import EnvOptions

if TYPE_CHECKING:
    import gymnasium as gym
    import numpy as np

    from dreamplay.agents.agent import Agent
    from dreamplay.collect import Collected
    from dreamplay.episodes import EpisodeWriter
    from dreamplay.progress import Progress


@dataclass(frozen=True)
class Collect:
    """Record episodes of a real environment as memory-mapped arrays.

    Ctrl-C keeps what was collected up to then.
    """

    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV")]
    """Id of a Gymnasium environment such as ALE/Pong-v5, module:Name of your own class or function, or a run or data
    folder whose environment to use."""

    steps: int = 20000
    """Transitions to record, over as many episodes as it takes."""

    agent: str = "random"
    """Who acts: random draws every action anew, sticky mostly repeats the last one; policy is what dreamplay learn left
    in ENV, a run folder, any other .safetensors file a policy of its; shooting, cem, icem, mppi and beam plan in the
    dream of ENV, a run folder; a .zip file is a policy of Stable-Baselines3 (its code runs: load only what you trust),
    module:Name an agent of your own. To play yourself, see dreamplay play."""

    epsilon: float = 0.0
    """Probability, from 0 to 1, that an action is a random one and not the agent's."""

    envs: int = 1
    """Environments that run side by side, each in a process of its own."""

    out: Path | None = None
    """Data folder to make; data/<env> by default."""

    append: bool = False
    """Add to the data folder if it holds episodes of the same environment already."""

    prepare: Annotated[EnvOptions, tyro.conf.arg(name="")] = field(default_factory=EnvOptions)

    seed: int = 0
    """Seed of the environment and the agent."""

    json: Path | None = None
    """File to write the summary to."""

    def run(self) -> dict[str, Any]:
        """Collect, and return {"env", "steps", "episodes", "mean_return", "steps_per_second", "bytes", "folder"}."""
        from dreamplay.envs.real import card_of
        from dreamplay.episodes import EpisodeWriter
        from dreamplay.errors import UserError
        from dreamplay.folders import data_folder
        from dreamplay.progress import progress
        from dreamplay.shards import bytes_per_step

        self._check()
        env = self.prepare.make(self.env)
        card = card_of(env)
        folder = self.out or data_folder(card.id)
        agents = self._agents(env)
        writer = EpisodeWriter(folder, card, append=self.append)
        before = writer.steps
        needed, free = self.steps * bytes_per_step(card), shutil.disk_usage(folder).free
        print(f"will need about {size(needed)} in {folder}; {size(free)} free", flush=True)
        if needed > free:
            raise UserError(f"{folder} needs {size(needed)} and has {size(free)} free; collect fewer --steps")
        try:
            with writer, progress(f"collect {card.id}", self.steps, "steps") as bar:
                collected = self._collect(env, agents, writer, bar)
                seconds = bar.seconds
        except KeyboardInterrupt:
            print(f"interrupted: {writer.steps} steps in {writer.episodes} episodes are kept in {folder}", flush=True)
            raise SystemExit(130) from None
        finally:
            env.close()
        stored = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(
            f"{writer.steps} steps{f', {before} of them from before' if before else ''}, {writer.episodes} episodes, "
            f"mean return {_mean(collected.returns)}, {size(stored)} in {folder}\nnext: dreamplay train --data {folder}"
        )
        return {
            "env": card.id,
            "steps": writer.steps,
            "episodes": writer.episodes,
            "mean_return": collected.mean_return,
            "steps_per_second": collected.steps / max(seconds, 1e-9),
            "bytes": stored,
            "folder": str(folder),
        }

    def _check(self) -> None:
        from dreamplay.errors import UserError

        if self.steps < 1:
            raise UserError(f"--steps {self.steps} collects nothing; ask for at least 1")
        if self.seed < 0:
            raise UserError(f"--seed {self.seed} is negative; choose one from 0 on")
        if self.envs < 1:
            raise UserError(f"--envs {self.envs} is not possible; ask for at least 1")

    def _agents(self, env: "gym.Env[np.ndarray, Any]") -> "list[Agent]":
        from dreamplay.agents.choose import choose_collector

        name = self.agent
        if name == "policy":
            from dreamplay.agents.policy_file import policy_path

            name = str(policy_path(self.env))
        return [choose_collector(name, env, self.epsilon, self.env) for _ in range(self.envs)]

    def _collect(
        self, env: "gym.Env[np.ndarray, Any]", agents: "list[Agent]", writer: "EpisodeWriter", bar: "Progress"
    ) -> "Collected":
        from dreamplay.collect import collect

        if self.envs == 1:
            return collect(env, agents[0], self.steps, writer, seed=self.seed, on_step=bar.advance)
        from dreamplay.collect_parallel import collect_parallel, open_envs

        envs = open_envs(writer.card, self.envs)
        try:
            with warnings.catch_warnings():  # that another process stopped; why it did is raised here
                warnings.filterwarnings("ignore", category=UserWarning, module="gymnasium.vector")
                return collect_parallel(envs, agents, self.steps, writer, seed=self.seed, on_step=bar.advance)
        finally:
            envs.close()


def _mean(returns: list[float]) -> str:
    return f"{sum(returns) / len(returns):.2f}" if returns else "unknown (no episode came to its end)"


def size(count: float) -> str:
    """A number of bytes in words."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
