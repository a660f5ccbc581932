"""Does a dream pay what reality pays, and how far ahead? Gains and losses of any run, counted apart.

    python scripts/check_rewards.py pong/run --data pong/data
    dreamplay collect pong/run --agent policy --steps 4000 --out later
    python scripts/check_rewards.py pong/run --data later --whole --policy pong/run/policy.safetensors

A dream may tell losses and forget gains: then what a policy learns in it is not to lose, and never how to win. From
real moments on, 10 context frames each, the same actions are taken in truth and in sampled dreams, 32 steps of them. Of
steps 1 to 4, 5 to 8, and so on: how many gains (rewards above 0) and losses (below 0) a moment brings, in truth and
dreamed; of the real ones the share that is dreamed within 3 steps of its time. With a policy, too, what its own actions
bring in dreams of the same moments. On new games of a policy, that is also how well the dream knows where the policy
goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from comparison import tell_mistakes

from dreamplay.errors import UserError
from dreamplay.horizon_windows import CONTEXT, Window, batches, inputs

SPANS = ((1, 4), (5, 8), (9, 16), (17, 32))  # steps ahead, both included
STEPS = SPANS[-1][1]
NEAR = 3  # steps between a real reward and the dreamed one that stands for it
SIGNS = {"gains": 1, "losses": -1}


@dataclass(frozen=True)
class Check:
    """What to check."""

    run: tyro.conf.Positional[Path]
    """Run folder of a simulator."""
    data: Path
    """Data folder of its environment."""
    whole: bool = False
    """Moments of all episodes, for data that the run has not learned from; by default of those held out only."""
    policy: Path | None = None
    """A policy that learned in the run, whose own dreams are counted as well."""
    moments: int = 512
    """Real moments to dream from; all if there are fewer."""
    futures: int = 4
    """Sampled dreams of each."""
    seed: int = 0
    """Of moments and samples."""
    json: Path | None = None
    """File to write the numbers to."""


def moments(episodes: Sequence[Any], count: int, seed: int) -> list[Window]:
    """Moments that have 32 steps before them still, all of these equally likely.

    Raises:
        UserError: there is none.
    """
    chosen = [
        Window(episode, start, CONTEXT, STEPS)
        for episode in episodes
        for start in range(len(episode) - CONTEXT - STEPS + 2)
    ]
    if not chosen:
        raise UserError(f"no episode goes on for {STEPS} steps after its context; collect longer ones")
    picked = np.random.default_rng(seed).permutation(len(chosen))[:count]
    return [chosen[i] for i in sorted(picked)]


def dreamed_rewards(
    simulator: Any, windows: Sequence[Window], futures: int, seed: int, act: Callable[[Any], np.ndarray] | None = None
) -> np.ndarray:
    """Rewards of sampled dreams: (windows, futures, 32). A dream that has ended brings none.

    Args:
        simulator: dreams them.
        windows: begin them.
        futures: dreams of each.
        seed: of chance.
        act: what is done at a state; the true actions by default.
    """
    rng = np.random.default_rng(seed)
    rewards = np.zeros((len(windows), futures, STEPS), np.float32)
    for part in batches(windows):
        observations, before, after = inputs([windows[i] for i in part])
        for future in range(futures):
            state, lives = simulator.start(observations, before), np.ones(len(after), bool)
            for t in range(STEPS):
                state, step = simulator.step(
                    state,
                    after[:, t] if act is None else act(state),
                    temperature=1.0,
                    uniforms=rng.random((len(after), simulator.draws), np.float32),
                    decode=False,
                )
                rewards[part, future, t] = step.rewards * lives
                lives &= ~step.terminated
    return rewards


def actor(simulator: Any, path: Path, seed: int) -> Callable[[Any], np.ndarray]:
    """What a policy does at a state.

    Raises:
        UserError: it did not learn in this simulator as it is now.
    """
    import torch

    from dreamplay.agents.policy_agent import learned_in
    from dreamplay.agents.senses import Senses

    learner, _ = learned_in(path, simulator)
    policy, head, senses = learner.policy.eval(), learner.head, Senses(simulator)
    generator = torch.Generator().manual_seed(seed)

    def act(state: Any) -> np.ndarray:
        with torch.no_grad():
            outputs, _ = policy(senses(state))
        return head.to_actions(head.sample(outputs, generator))

    return act


def in_spans(rewards: np.ndarray, sign: int) -> list[float]:
    """How many rewards (..., 32) of a sign a moment brings, for each span."""
    events = np.sign(rewards) == sign
    return [float(events[..., first - 1 : last].sum(-1).mean()) for first, last in SPANS]


def found(truth: np.ndarray, dreamed: np.ndarray, sign: int) -> list[tuple[float | None, int]]:
    """For each span the share of its real rewards of a sign that are dreamed within 3 steps, and how many are real.

    Args:
        truth: (moments, 32).
        dreamed: (moments, futures, 32).
        sign: 1 or -1.
    """
    real, events = np.sign(truth) == sign, np.sign(dreamed) == sign
    near = np.stack([events[..., max(0, t - NEAR) : t + NEAR + 1].any(-1) for t in range(STEPS)], -1)
    shares = near.mean(1)  # (moments, 32), over futures
    answer: list[tuple[float | None, int]] = []
    for first, last in SPANS:
        cases = shares[:, first - 1 : last][real[:, first - 1 : last]]
        answer.append((float(cases.mean()) if len(cases) else None, len(cases)))
    return answer


def compare(truth: np.ndarray, dreamed: np.ndarray, own: np.ndarray | None) -> dict[str, Any]:
    """All numbers: for each sign and span, of real rewards, dreamed ones, and those of a policy's own dreams."""
    answer: dict[str, Any] = {}
    for name, sign in SIGNS.items():
        columns = [in_spans(truth, sign), in_spans(dreamed, sign), found(truth, dreamed, sign)]
        answer[name] = {
            f"{first}-{last}": {"truth": real, "dreamed": told, "found": share, "cases": cases}
            for (first, last), real, told, (share, cases) in zip(SPANS, *columns, strict=True)
        }
        if own is not None:
            for each, told in zip(answer[name].values(), in_spans(own, sign), strict=True):
                each["policy"] = told
    return answer


def main() -> None:
    """Check, and print a line for each sign and span."""
    import dreamplay
    from dreamplay.episodes import Episodes
    from dreamplay.json_files import write_json

    check = tyro.cli(Check, description=__doc__)
    if min(check.moments, check.futures) < 1:
        raise UserError("--moments and --futures must be at least 1")
    simulator, episodes = dreamplay.load(check.run), Episodes.open(check.data)
    windows = moments(list(episodes) if check.whole else episodes.split()[1], check.moments, check.seed)
    truth = np.stack([window.future(window.episode.rewards) for window in windows])
    dreamed = dreamed_rewards(simulator, windows, check.futures, check.seed)
    own = None
    if check.policy is not None:
        act = actor(simulator, check.policy, check.seed)
        own = dreamed_rewards(simulator, windows, check.futures, check.seed, act)
    answer = compare(truth, dreamed, own)
    print(f"{check.run} on {len(windows)} moments of {check.data}, {check.futures} dreams of each")
    for name, spans in answer.items():
        for span, each in spans.items():
            share = "" if each["found"] is None else f", {each['found']:.2f} of {each['cases']} found"
            by_policy = f", by the policy {each['policy']:.4f}" if "policy" in each else ""
            print(f"{name} in steps {span}: {each['truth']:.4f} real, {each['dreamed']:.4f} dreamed{share}{by_policy}")
    if check.json is not None:
        write_json(check.json, {"run": str(check.run), "moments": len(windows), **answer})


if __name__ == "__main__":
    tell_mistakes(main)
