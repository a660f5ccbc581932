"""`dreamplay collect`: record episodes of a real environment."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from dreamplay.agents.choose import CollectorName


@dataclass(frozen=True)
class Collect:
    """Record episodes of a real environment as memory-mapped arrays.

    Ctrl-C keeps what was collected up to then.
    """

    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV")]
    """Id of a Gymnasium environment, such as ALE/Pong-v5, or a run or data folder whose environment to use."""

    steps: int = 20000
    """Transitions to record, over as many episodes as it takes."""

    agent: CollectorName = "random"
    """Who acts: random draws every action anew, sticky mostly repeats the last one."""

    out: Path | None = None
    """Data folder to make; data/<env> by default."""

    seed: int = 0
    """Seed of the environment and the agent."""

    json: Path | None = None
    """File to write the summary to."""

    def run(self) -> dict[str, Any]:
        """Collect, and return {"env", "steps", "episodes", "mean_return", "bytes", "folder"}."""
        from dreamplay.agents.choose import choose_collector
        from dreamplay.collect import collect
        from dreamplay.envs.real import card_of, make_env
        from dreamplay.episodes import EpisodeWriter
        from dreamplay.errors import UserError
        from dreamplay.folders import data_folder
        from dreamplay.progress import progress
        from dreamplay.shards import bytes_per_step

        if self.steps < 1:
            raise UserError(f"--steps {self.steps} collects nothing; ask for at least 1")
        if self.seed < 0:
            raise UserError(f"--seed {self.seed} is negative; choose one from 0 on")
        env = make_env(self.env)
        card = card_of(env)
        folder = self.out or data_folder(card.id)
        writer = EpisodeWriter(folder, card)
        needed, free = self.steps * bytes_per_step(card), shutil.disk_usage(folder).free
        print(f"will need about {_size(needed)} in {folder}; {_size(free)} free", flush=True)
        if needed > free:
            raise UserError(f"{folder} needs {_size(needed)} and has {_size(free)} free; collect fewer --steps")
        agent = choose_collector(self.agent, env.action_space)
        try:
            with writer, progress(f"collect {card.id}", self.steps, "steps") as bar:
                collected = collect(env, agent, self.steps, writer, seed=self.seed, on_step=bar.advance)
        except KeyboardInterrupt:
            print(f"interrupted: {writer.steps} steps in {writer.episodes} episodes are kept in {folder}", flush=True)
            raise SystemExit(130) from None
        finally:
            env.close()
        stored = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(
            f"{writer.steps} steps, {writer.episodes} episodes, mean return {_mean(collected.returns)}, "
            f"{_size(stored)} in {folder}\nnext: dreamplay train --data {folder}"
        )
        return {
            "env": card.id,
            "steps": writer.steps,
            "episodes": writer.episodes,
            "mean_return": collected.mean_return,
            "bytes": stored,
            "folder": str(folder),
        }


def _mean(returns: list[float]) -> str:
    return f"{sum(returns) / len(returns):.2f}" if returns else "unknown (no episode came to its end)"


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
