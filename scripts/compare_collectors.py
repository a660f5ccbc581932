"""How fast real steps can be collected: one environment, several processes, and the Atari package's own vector env.

    python scripts/compare_collectors.py --env ALE/Pong-v5 --envs 1 2 4

For an Atari game it also plays the same actions in the Atari package's vector environment at full resolution, in
colour, without its pooling, clipping and no-ops, and counts what differs from the environment that is collected from.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from dreamplay.commands.collect import Collect


@dataclass(frozen=True)
class Comparison:
    """What to compare."""

    env: str = "ALE/Pong-v5"
    """Environment."""
    envs: tuple[int, ...] = (1, 2)
    """Environments side by side."""
    steps: int = 4000
    """Steps of each measurement."""


def main() -> None:
    """Measure and print."""
    comparison = tyro.cli(Comparison)
    lines = []
    for count in comparison.envs:
        with tempfile.TemporaryDirectory() as folder:
            collect = Collect(env=comparison.env, steps=comparison.steps, envs=count, out=Path(folder) / "data")
            lines.append(f"dreamplay collect --envs {count}: {collect.run()['steps_per_second']:.0f} steps/s")
    if comparison.env.startswith("ALE/"):
        lines += own_vector_env(comparison)
    print("\n".join(lines))


def own_vector_env(comparison: Comparison) -> list[str]:
    """Speed of the Atari package's vector environment, stepping alone, and how often it differs."""
    import re

    import gymnasium as gym
    from ale_py.vector_env import AtariVectorEnv

    from dreamplay.envs.making import open_raw

    name = comparison.env.removeprefix("ALE/").partition("-")[0]
    game, lines = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(), []
    for count in comparison.envs:
        envs = AtariVectorEnv(
            game,
            count,
            img_height=210,
            img_width=160,
            grayscale=False,
            stack_num=1,
            frameskip=4,
            maxpool=False,
            noop_max=0,
            use_fire_reset=False,
            reward_clipping=False,
            autoreset_mode=gym.vector.AutoresetMode.SAME_STEP,
        )
        single = open_raw(comparison.env, {"frameskip": 4, "repeat_action_probability": 0.0}, (), None)
        rng, different, ends = np.random.default_rng(0), 0, 0
        envs.reset(seed=0)
        single.reset(seed=0)
        began, spent = time.monotonic(), 0.0
        for _ in range(comparison.steps // count):
            actions = rng.integers(0, int(envs.single_action_space.n), count)
            frames, rewards, terminated, truncated, infos = envs.step(actions)
            waiting = time.monotonic()
            frame, reward, over, cut, _ = single.step(int(actions[0]))
            ended = bool(terminated[0] or truncated[0])
            theirs = infos["final_obs"][0] if ended else frames[0]
            different += (rewards[0], ended) != (reward, over or cut) or not np.array_equal(np.squeeze(theirs), frame)
            if over or cut:
                ends += 1
                single.reset()
            spent += time.monotonic() - waiting
        rate = comparison.steps // count * count / (time.monotonic() - began - spent)
        lines.append(
            f"{name}'s own vector env of {count}: {rate:.0f} steps/s; {different} steps differ, {ends} episodes ended"
        )
    return lines


if __name__ == "__main__":
    main()
