"""What chance decides, and what it does not: dreams beside many real futures of the same state.

    dreamplay train Dreamplay/Rally-v0 --minutes 10
    python scripts/check_chance.py runs/Dreamplay-Rally-v0

A game of one's own can be copied in the middle of an episode. So the real environment is asked what can happen: copies
of it go on from the same state with the same actions and other random numbers.

- A pixel is *decided* after some steps if all real futures agree on it. The most likely dream has to be right in every
  decided pixel: this is exactness before chance decides, also in games where chance has a hand in every step.
- One step ahead, a pixel is *open* if real futures differ on it. How often it changes in them is its true frequency,
  and sampled dreams have to change it as often.

Works for every environment whose Python object can be copied, such as the built-in games, not for emulators.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

CONTEXT = 10
BAR_DIFFERENCE, BAR_EXACT = 0.05, 0.97


@dataclass(frozen=True)
class Check:
    """What to check."""

    run: tyro.conf.Positional[Path]
    """Run folder of a simulator of an environment that can be copied."""
    states: int = 200
    """Real states, of episodes of a random agent."""
    futures: int = 100
    """Real futures and sampled dreams of each state."""
    horizon: int = 20
    """Steps after the context."""
    seed: int = 10_000
    """Of everything; not one that data were collected with."""
    json: Path | None = None
    """File to write the numbers to."""


@dataclass(frozen=True)
class State:
    """A real state and what can follow."""

    observations: np.ndarray  # uint8 (n, H, W, C), the context
    actions: np.ndarray  # (n-1 + T, ...), those of the context and those after it
    futures: np.ndarray  # uint8 (F, T, H, W, C)


def states(env: Any, check: Check) -> Iterator[State]:
    """States of which no future ends before the horizon, each after 10 frames of an episode."""
    rng = np.random.default_rng(check.seed)
    env.action_space.seed(check.seed)
    env.reset(seed=check.seed)
    if not goes_on_as_a_copy(env):
        sys.exit(f"{env} cannot be copied in the middle of an episode; this check is for games that can")
    found = 0
    while found < check.states:
        frames, actions = [env.reset()[0]], []
        wait = int(rng.integers(CONTEXT - 1, 60))
        over = False
        while len(actions) < wait and not over:
            actions.append(env.action_space.sample())
            observation, _, terminated, truncated, _ = env.step(actions[-1])
            frames.append(observation)
            over = terminated or truncated
        if over:
            continue
        coming = [env.action_space.sample() for _ in range(check.horizon)]
        futures = [_future(copy.deepcopy(env), coming, int(rng.integers(2**31))) for _ in range(check.futures)]
        if all(len(future) == check.horizon for future in futures):
            found += 1
            yield State(np.stack(frames[-CONTEXT:]), np.stack([*actions[1 - CONTEXT :], *coming]), np.stack(futures))


def goes_on_as_a_copy(env: Any) -> bool:
    """Whether a copy of a running environment does what the environment does; some copies begin anew."""
    for _ in range(5):
        env.step(env.action_space.sample())
    try:
        other = copy.deepcopy(env)
        actions = [env.action_space.sample() for _ in range(5)]
        return all(np.array_equal(env.step(action)[0], other.step(action)[0]) for action in actions)
    except Exception:  # whatever an environment answers that cannot be copied
        return False


def _future(env: Any, actions: list[Any], seed: int) -> np.ndarray:
    env.unwrapped.np_random = np.random.default_rng(seed)
    frames = []
    for action in actions:
        observation, _, terminated, truncated, _ = env.step(action)
        frames.append(observation)
        if terminated or truncated:
            break
    return np.stack(frames)


def right_where_decided(futures: np.ndarray, dreamed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per step (T,): whether a dream is right in all decided pixels, and the share of pixels that are decided.

    Args:
        futures: uint8 (F, T, H, W, C).
        dreamed: uint8 (T, H, W, C).
    """
    decided = (futures == futures[0]).all((0, -1))  # (T, H, W)
    right = (futures[0] == dreamed).all(-1) | ~decided
    return right.all((1, 2)), decided.mean((1, 2))


def open_moves(last: np.ndarray, futures: np.ndarray, dreams: np.ndarray) -> tuple[float, float] | None:
    """How often the open pixels change within a step, in real futures and in dreams; None if none is open.

    Args:
        last: uint8 (H, W, C), the frame before.
        futures: uint8 (F, H, W, C).
        dreams: uint8 (S, H, W, C).
    """
    is_open = (futures != futures[0]).any((0, -1))  # (H, W)
    if not is_open.any():
        return None
    real, dreamed = ((frames != last).any(-1)[:, is_open].mean() for frames in (futures, dreams))
    return float(real), float(dreamed)


def main() -> None:
    """Measure and print."""
    import dreamplay
    from dreamplay.confidence import rate_ci95, ratio_ci95, resamples
    from dreamplay.json_files import write_json
    from dreamplay.progress import progress

    check = tyro.cli(Check)
    simulator = dreamplay.load(check.run)
    env = dreamplay.make_env(check.run)
    exact, decided, moves = [], [], []
    with progress("compare", check.states, "states") as bar:
        for number, state in enumerate(states(env, check)):
            context, actions = state.observations[None], state.actions[None]
            past, coming = actions[:, : CONTEXT - 1], actions[:, CONTEXT - 1 :]
            right, share = right_where_decided(state.futures, simulator.rollout(context, past, coming).observations[0])
            exact.append(right)
            decided.append(share)
            many = [np.repeat(array, check.futures, 0) for array in (context, past, coming[:, :1])]
            dreams = simulator.rollout(*many, temperature=1.0, seed=check.seed + number).observations[:, 0]
            pair = open_moves(context[0, -1], state.futures[:, 0], dreams)
            if pair is not None:
                moves.append(pair)
            bar.advance(1)
    answer: dict[str, Any] = {"run": str(check.run), "states": check.states, "futures": check.futures, "exact": {}}
    for step in (s for s in (1, 2, 5, 10, 20, 50, 100) if s <= check.horizon):
        hits = int(np.sum([right[step - 1] for right in exact]))
        answer["exact"][step] = {
            "rate": hits / len(exact),
            "ci95": rate_ci95(hits, len(exact)),
            "decided_pixels": float(np.mean([share[step - 1] for share in decided])),
        }
        at = answer["exact"][step]
        print(
            f"{step:>4} steps: right where decided {at['rate']:.3f}, {at['decided_pixels']:.4f} of pixels are decided"
        )
    if moves:
        real, dreamed = np.array(moves).T
        ones = np.ones(len(real))
        interval = ratio_ci95(dreamed - real, ones, resamples(len(real), np.random.default_rng(check.seed)))
        answer["moves"] = {
            "states": len(real),
            "true": float(real.mean()),
            "dreamed": float(dreamed.mean()),
            "difference": float((dreamed - real).mean()),
            "difference_ci95": interval,
            "mean_absolute_difference": float(np.abs(dreamed - real).mean()),
        }
        at = answer["moves"]
        print(
            f"moves of chance in {len(real)} states: real {at['true']:.3f}, dreamed {at['dreamed']:.3f}, difference "
            f"{at['difference']:+.3f}, state by state {at['mean_absolute_difference']:.3f} on average"
        )
        met = abs(at["difference"]) <= BAR_DIFFERENCE
        print(f"bar: difference at most {BAR_DIFFERENCE:g}: {'met' if met else 'not met'}")
    met = answer["exact"][max(answer["exact"])]["rate"] >= BAR_EXACT
    print(f"bar: right where decided at least {BAR_EXACT:g} at the end: {'met' if met else 'not met'}")
    if check.json is not None:
        write_json(check.json, answer)


if __name__ == "__main__":
    main()
