"""Snapshots: a dream goes on bit for bit, wherever it is restored."""

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode

from dreamplay.envs.dream import DreamEnv
from dreamplay.envs.dream_vector import DreamVectorEnv
from dreamplay.errors import UserError
from toys import StubSimulator, rollout, stub_frame


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_snapshot_continues_bit_for_bit_elsewhere(temperature: float) -> None:
    env = DreamEnv(StubSimulator(), horizon=9, temperature=temperature)
    env.reset(seed=5)
    rollout(env, 6)
    snapshot = env.snapshot()
    kept = pickle.dumps(snapshot)
    answers = rollout(env)
    assert pickle.dumps(snapshot) == kept  # living on has not changed it
    other = DreamEnv(StubSimulator(), horizon=9, temperature=temperature)  # has never been reset
    for target, state in ((env, snapshot), (other, pickle.loads(kept))):
        target.restore(state)
        assert target.np_random_seed == 5
        assert data_equivalence(rollout(target), answers, exact=True)
    assert pickle.dumps(snapshot) == kept  # nor has being restored


def test_snapshot_is_plain_and_not_aliased() -> None:
    env = DreamEnv(StubSimulator(), temperature=1.0, render_mode="rgb_array")
    env.reset(seed=5)
    env.step(1)
    plain = "import pickle, sys; pickle.load(sys.stdin.buffer); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", plain], input=pickle.dumps(env.snapshot()), check=True)
    before, picture = pickle.dumps(env.snapshot()), env.render()
    restored = pickle.loads(before)
    env.restore(restored)
    for vandal in (env.snapshot(), restored):
        vandal["generators"][0]["state"]["state"] = 0
        for value in (vandal["frames"], vandal["elapsed"], vandal["done"], *vandal["state"].values()):
            value[:] = 0
        assert data_equivalence(env.snapshot(), pickle.loads(before), exact=True)
        np.testing.assert_array_equal(env.render(), picture)


def test_snapshot_of_a_dream_that_is_over() -> None:
    env = DreamEnv(StubSimulator(), horizon=1)
    env.reset(seed=0)
    env.step(0)
    other = DreamEnv(StubSimulator(), horizon=1)
    other.restore(env.snapshot())
    with pytest.raises(ResetNeeded):
        other.step(0)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda snapshot: snapshot.pop("state"), "not the snapshot of a dream"),
        (lambda snapshot: snapshot["state"].pop("total"), "another simulator"),
        (lambda snapshot: snapshot.update(frames=snapshot["frames"][:, :1]), "holds frames of shape"),
    ],
)
def test_snapshots_that_do_not_fit(break_it: Any, message: str) -> None:
    env = DreamEnv(StubSimulator())
    env.reset(seed=0)
    snapshot = env.snapshot()
    break_it(snapshot)
    with pytest.raises(UserError, match=message):
        env.restore(snapshot)


@pytest.mark.parametrize("mode", list(AutoresetMode), ids=str)
def test_many_dreams_continue_bit_for_bit_elsewhere(mode: AutoresetMode) -> None:
    def make() -> DreamVectorEnv:
        return DreamVectorEnv(StubSimulator(), 8, horizon=9, temperature=1.0, autoreset_mode=mode)

    def go_on(envs: DreamVectorEnv) -> list[Any]:
        rng = np.random.default_rng(3)
        answers: list[Any] = []
        for _ in range(25):
            answers.append(envs.step(rng.integers(0, 3, 8)))
            over = answers[-1][2] | answers[-1][3]
            if mode is AutoresetMode.DISABLED and over.any():
                answers.append(envs.reset(options={"reset_mask": over}))
        return answers

    envs = make()
    envs.reset(seed=1)
    while not (envs.step(np.zeros(8, np.int64))[2]).any():  # so that in next-step mode a row waits for its reset
        pass
    if mode is AutoresetMode.DISABLED:
        envs.reset()
    snapshot = envs.snapshot()
    kept = pickle.dumps(snapshot)
    answers = go_on(envs)
    for target, state in ((envs, snapshot), (make(), pickle.loads(kept))):
        target.restore(state)
        assert target.np_random_seed == tuple(range(1, 1 + 8))
        assert data_equivalence(go_on(target), answers, exact=True)
    assert pickle.dumps(snapshot) == kept
    with pytest.raises(UserError, match="holds frames of shape"):
        DreamVectorEnv(StubSimulator(), 8 - 1).restore(snapshot)


def test_resetting_some_rows_changes_nothing_else() -> None:
    simulator = StubSimulator()
    envs = DreamVectorEnv(simulator, 3)
    context = {"observations": np.stack([stub_frame(80)] * 3)[:, None], "actions": np.zeros((3, 0), np.int64)}
    envs.reset(seed=0, options={"context": context})
    snapshot = envs.snapshot()
    kept = pickle.dumps(snapshot)
    for _ in range(2):  # at once, then in the state that was restored
        observations, _ = envs.reset(seed=0, options={"reset_mask": np.array([False, True, False])})
        assert observations[[0, 2], 0, 0, 0].tolist() == [80, 80] and observations[1, 0, 0, 0] < 5
        assert envs.step(np.array([0, 0, 1]))[0][[0, 2], 0, 0, 0].tolist() == [81, 82]
        assert pickle.dumps(snapshot) == kept
        envs.restore(snapshot)
    fresh = DreamVectorEnv(simulator, 3)
    assert data_equivalence(envs.reset(seed=3), fresh.reset(seed=3), exact=True)  # nor the stored contexts
