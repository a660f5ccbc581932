"""Gains and losses of dreams beside those of truth: counted by hand, and of a dream that is true, late or silent."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import dreamplay
from dreamplay.agents.action_heads import head_for
from dreamplay.agents.learning import LearnConfig, new_learner
from dreamplay.agents.policy_file import save_policy
from dreamplay.agents.senses import Senses
from dreamplay.commands.collect import Collect
from dreamplay.commands.train import Train
from dreamplay.episodes import Episode
from dreamplay.errors import UserError

STEPS = 120


@pytest.fixture
def episodes() -> list[Episode]:
    """Three episodes whose frames tell the step, with a gain every tenth step and a loss every fifteenth."""
    made = []
    for seed in range(3):
        frames = np.zeros((STEPS + 1, 2, 2, 1), np.uint8)
        frames[:] = np.arange(STEPS + 1, dtype=np.uint8)[:, None, None, None]
        times, never = np.arange(STEPS) + seed, np.zeros(STEPS, bool)
        rewards = np.where(times % 10 == 0, 1.0, np.where(times % 15 == 7, -2.0, 0.0)).astype(np.float32)
        made.append(Episode(frames, np.full(STEPS, seed), rewards, never, never, never))
    return made


class Dreamer:
    """Brings what truth brings, so many steps later; it may end at a step."""

    draws = 1

    def __init__(self, episodes: list[Episode], late: int = 0, silent: bool = False, ends: int = STEPS) -> None:
        self._episodes, self._late, self._silent, self._ends = episodes, late, silent, ends

    def start(self, frames: np.ndarray, before: np.ndarray) -> Any:
        return SimpleNamespace(now=frames[:, -1].max((1, 2, 3)).astype(int), steps=0)

    def step(self, state: Any, actions: np.ndarray, **_: Any) -> tuple[Any, Any]:
        rewards = np.zeros(len(actions), np.float32)
        if state.steps >= self._late and not self._silent:
            times = state.now + state.steps - self._late
            rewards[:] = [self._episodes[int(a)].rewards[t] for a, t in zip(actions, times, strict=True)]
        after = SimpleNamespace(now=state.now, steps=state.steps + 1)
        return after, SimpleNamespace(rewards=rewards, terminated=np.full(len(actions), after.steps == self._ends))


def compared(episodes: list[Episode], dreamer: Dreamer) -> dict[str, Any]:
    from check_rewards import compare, dreamed_rewards, moments

    windows = moments(episodes, 40, seed=0)
    truth = np.stack([window.future(window.episode.rewards) for window in windows])
    return compare(truth, dreamed_rewards(dreamer, windows, futures=2, seed=0), None)


def test_a_true_dream_pays_what_reality_pays_when_it_does(episodes: list[Episode]) -> None:
    for spans in compared(episodes, Dreamer(episodes)).values():
        for each in spans.values():
            assert each["truth"] == each["dreamed"] > 0
            assert (each["found"], each["cases"] > 0) == (1.0, True)


def test_a_silent_dream_pays_nothing(episodes: list[Episode]) -> None:
    for spans in compared(episodes, Dreamer(episodes, silent=True)).values():
        for each in spans.values():
            assert each["truth"] > 0
            assert (each["dreamed"], each["found"]) == (0.0, 0.0)


def test_a_dream_that_is_late_is_found_within_three_steps_only(episodes: list[Episode]) -> None:
    for late, share in ((3, 1.0), (4, 0.0)):
        losses = compared(episodes, Dreamer(episodes, late))["losses"]
        assert [losses[span]["found"] for span in ("5-8", "9-16")] == [share, share]


def test_a_dream_that_has_ended_brings_nothing_more(episodes: list[Episode]) -> None:
    for spans in compared(episodes, Dreamer(episodes, ends=8)).values():
        for span, each in spans.items():
            assert each["truth"] > 0
            assert each["dreamed"] == (each["truth"] if span in ("1-4", "5-8") else 0.0)


def test_rewards_are_counted_by_sign_and_span() -> None:
    from check_rewards import STEPS, found, in_spans

    truth = np.zeros((2, STEPS), np.float32)
    truth[0, [0, 3, 4]] = 1.0  # steps 1, 4 and 5
    truth[1, 31] = -0.5  # step 32
    assert in_spans(truth, 1) == [1.0, 0.5, 0.0, 0.0]
    assert in_spans(truth, -1) == [0.0, 0.0, 0.0, 0.5]
    dreamed = np.zeros((2, 2, STEPS), np.float32)
    dreamed[0, 0, 7] = 2.0  # step 8, in one of two futures: within 3 of step 5 alone
    dreamed[1, :, 31] = 1.0  # a gain stands for no loss
    assert found(truth, dreamed, 1) == [(0.0, 2), (0.5, 1), (None, 0), (None, 0)]
    assert found(truth, dreamed, -1) == [(None, 0), (None, 0), (None, 0), (0.0, 1)]


def test_moments_have_their_steps_before_them(episodes: list[Episode]) -> None:
    from check_rewards import moments

    windows = moments(episodes, 10_000, seed=0)
    assert len(windows) == 3 * (STEPS - 9 - 31)  # every last context frame that 32 steps follow
    assert {window.steps for window in windows} == {32}
    with pytest.raises(UserError, match="collect longer"):
        moments([Episode(*(part[:35] for part in vars(episodes[0]).values()))], 10, seed=0)


def test_it_counts_a_policys_own_dreams_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import check_rewards

    data, run, policy, found = (tmp_path / name for name in ("data", "run", "policy.safetensors", "found.json"))
    Collect("Dreamplay/Catch-v0", steps=600, out=data).run()
    Train(data=data, out=run, updates=1).run()
    simulator = dreamplay.load(run)
    head, senses = head_for(simulator.card.action_space), Senses(simulator)
    learner = new_learner(LearnConfig(), senses.size, head, simulator.rewards.values, seed=0)
    save_policy(policy, learner, run, simulator)
    command = ["check_rewards.py", run, "--data", data, "--whole", "--moments", "8", "--futures", "2"]
    monkeypatch.setattr(sys, "argv", [str(part) for part in [*command, "--policy", policy, "--json", found]])
    capsys.readouterr()
    check_rewards.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9
    assert all("by the policy" in line for line in lines[1:])
    answer = json.loads(found.read_text())
    assert answer["moments"] == 8
    assert set(answer["gains"]) == set(answer["losses"]) == {"1-4", "5-8", "9-16", "17-32"}
    assert all(each["policy"] >= 0 for sign in ("gains", "losses") for each in answer[sign].values())

    with torch.no_grad():
        simulator.network.gates.bias.add_(0.01)
    save_policy(policy, learner, run, simulator)
    with pytest.raises(UserError, match="as its weights were then"):
        check_rewards.main()
