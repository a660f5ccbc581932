"""Many dreams at once: row for row what Gymnasium's SyncVectorEnv makes of single dreams."""

import json
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from dreamplay.envs.dream import DreamEnv
from dreamplay.envs.dream_vector import DreamVectorEnv
from dreamplay.errors import UserError
from toys import StubSimulator, stub_frame

MODES = list(AutoresetMode)
ROWS = 8


def pair(mode: AutoresetMode, space: gym.Space[Any] | None = None, **settings: Any) -> tuple[Any, Any]:
    """The same dreams twice: batched, and one by one under Gymnasium's vector env."""
    batched = DreamVectorEnv(StubSimulator(space), ROWS, autoreset_mode=mode, **settings)
    single = [lambda: DreamEnv(StubSimulator(space), **settings)] * ROWS
    return batched, SyncVectorEnv(single, autoreset_mode=mode)


def play(envs: Any, mode: AutoresetMode, steps: int, seed: int | list[int | None] | None = 7) -> list[Any]:
    """Everything that the dreams answer, resets by the caller included."""
    envs.action_space.seed(11)
    answers = [envs.reset(seed=seed)]
    for step in range(steps):
        answers.append(envs.step(envs.action_space.sample()))
        over = answers[-1][2] | answers[-1][3]
        if mode is AutoresetMode.DISABLED and over.any():
            seeds = [100 * step + row if row % 2 else None for row in range(ROWS)]  # some rows are seeded anew
            answers.append(envs.reset(seed=seeds, options={"reset_mask": over}))
    return answers


def assert_same(first: list[Any], second: list[Any]) -> None:
    assert len(first) == len(second)
    for number, (one, two) in enumerate(zip(first, second, strict=True)):
        assert data_equivalence(one, two, exact=True), f"answer {number}:\n{one}\n{two}"


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_equals_gymnasiums_vector_env_of_single_dreams(mode: AutoresetMode, temperature: float) -> None:
    batched, reference = pair(mode, horizon=9, temperature=temperature)
    answers = play(batched, mode, 60)
    assert_same(answers, play(reference, mode, 60))
    steps = [answer for answer in answers if len(answer) == 5]
    terminated, truncated = (np.array([step[i] for step in steps]) for i in (2, 3))
    assert terminated.any(0).all() and truncated.any(0).all()  # each row ended both ways
    assert len({tuple(row) for row in terminated.T}) == ROWS  # at different times
    assert len(np.unique([step[1] for step in steps])) == 3


@pytest.mark.parametrize(
    "space",
    [
        gym.spaces.Discrete(3, start=-1),
        gym.spaces.MultiDiscrete([2, 3]),
        gym.spaces.MultiBinary(3),
        gym.spaces.Box(-1, 1, (2,), np.float32),
    ],
    ids=str,
)
def test_equality_for_every_kind_of_action(space: gym.Space[Any]) -> None:
    batched, reference = pair(AutoresetMode.NEXT_STEP, space, horizon=9, temperature=1.0)
    assert batched.action_space == reference.action_space
    assert batched.observation_space == reference.observation_space
    assert_same(play(batched, MODES[0], 30), play(reference, MODES[0], 30))


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_equality_under_gymnasiums_episode_statistics(mode: AutoresetMode) -> None:
    def episodes(envs: Any) -> list[Any]:
        answers = play(RecordEpisodeStatistics(envs), mode, 40)
        for answer in answers:
            answer[-1].get("episode", {}).pop("t", None)  # seconds
        return answers

    batched, reference = map(episodes, pair(mode, horizon=9))
    if mode is AutoresetMode.DISABLED:
        # SyncVectorEnv takes the mask out of the caller's options, so that there the wrapper forgets every row.
        counted = [answer for answer in batched if "episode" in answer[-1]]
        for _, _, terminated, truncated, infos in counted:
            np.testing.assert_array_equal(infos["episode"]["l"], np.where(terminated | truncated, infos["horizon"], 0))
        assert len(counted) > 10
    else:
        assert_same(batched, reference)


@pytest.mark.parametrize("seed", [0, [5, None, 5, 3, 2, 1, 0, 9]])
def test_seeds(seed: Any) -> None:
    batched, reference = pair(AutoresetMode.NEXT_STEP, horizon=9, temperature=1.0)
    for envs in (batched, reference):
        envs.reset(seed=4)  # so that None means the same
    assert_same(play(batched, MODES[0], 12, seed), play(reference, MODES[0], 12, seed))
    assert batched.np_random_seed == reference.np_random_seed
    assert [rng.bit_generator.state for rng in batched.np_random] == [
        rng.bit_generator.state for rng in reference.np_random
    ]


def test_unseeded_rows_differ() -> None:
    envs = DreamVectorEnv(StubSimulator(lengths=(0,)), 64, temperature=1.0)
    starts = envs.reset()[0][:, 0, 0, 0]
    assert len(set(starts)) == 5
    assert len(set(envs.np_random_seed)) == 64 and -1 not in envs.np_random_seed


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    space = gym.spaces.Discrete(3)
    rng = np.random.default_rng(0)
    mine = [int(rng.integers(3)) for _ in range(30)]

    def row(of: int, at: int) -> list[Any]:
        envs = DreamVectorEnv(StubSimulator(space), of, horizon=9, temperature=1.0)
        envs.reset(seed=[42 if i == at else int(rng.integers(1000)) for i in range(of)])
        answers = []
        for action in mine:
            actions = rng.integers(0, 3, of)
            actions[at] = action
            answers.append([value[at].copy() for value in envs.step(actions)[:4]])
        return answers

    assert data_equivalence(row(1, 0), row(5, 3), exact=True)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_contexts_of_the_caller(temperature: float) -> None:
    batched, reference = pair(AutoresetMode.NEXT_STEP, horizon=9, temperature=temperature)
    given = {"observations": np.stack([stub_frame(80), stub_frame(90)]), "actions": np.array([2])}
    rows = {name: np.stack([value] * ROWS) for name, value in given.items()}
    first = batched.reset(seed=1, options={"context": rows})
    rows["observations"][:] = 0
    assert data_equivalence(first, reference.reset(seed=1, options={"context": given}), exact=True)
    assert_same(play(batched, MODES[0], 20, None)[1:], play(reference, MODES[0], 20, None)[1:])


def test_answers_are_fresh_arrays() -> None:
    envs = DreamVectorEnv(StubSimulator(), 3, autoreset_mode="SameStep", horizon=2, render_mode="rgb_array")
    reference = DreamVectorEnv(StubSimulator(), 3, autoreset_mode="SameStep", horizon=2, render_mode="rgb_array")

    def spoil(value: Any) -> None:
        for part in value.values() if isinstance(value, dict) else value:
            if isinstance(part, np.ndarray) and part.dtype != object:
                part[:] = 1
            elif part is not None:
                spoil(part)

    spoil(envs.reset(seed=1))
    reference.reset(seed=1)
    for _ in range(6):
        answer, expected = (one.step(np.array([0, 1, 2])) for one in (envs, reference))
        assert data_equivalence(answer, expected, exact=True)
        spoil(answer)
        spoil(envs.render())
        np.testing.assert_array_equal(envs.render(), reference.render())


def test_one_forward_pass_per_step_and_starts_are_computed_once() -> None:
    simulator = StubSimulator()
    starts: list[int] = []
    start = simulator.start
    simulator.start = lambda *context: (starts.append(len(context[0])), start(*context))[1]  # type: ignore[method-assign]
    envs = DreamVectorEnv(simulator, 32, horizon=3, temperature=1.0)
    envs.reset(seed=0)
    for _ in range(12):
        envs.step(np.zeros(32, np.int64))
    assert simulator.steps == 12
    assert starts == [1] * 5


def test_render() -> None:
    envs, reference = pair(AutoresetMode.NEXT_STEP, render_mode="rgb_array")
    envs.reset(seed=1)
    reference.reset(seed=1)
    pictures = envs.render()
    assert isinstance(pictures, tuple) and pictures[0].shape == (2, 3, 3)
    assert data_equivalence(pictures, reference.render(), exact=True)
    silent = DreamVectorEnv(StubSimulator(), 2)
    silent.reset()
    assert silent.render() is None


@pytest.mark.parametrize("mode", [*MODES, *(mode.value for mode in MODES)], ids=str)
def test_autoreset_mode_is_the_enum(mode: Any) -> None:
    envs = DreamVectorEnv(StubSimulator(), 2, autoreset_mode=mode)
    assert envs.autoreset_mode is AutoresetMode(mode) is envs.metadata["autoreset_mode"]
    assert envs.metadata["render_fps"] == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": [1, 2]}, "2 seeds given"),
        ({"options": {"reset_mask": [True] * 3}}, "reset_mask"),
        ({"options": {"reset_mask": np.zeros(3, bool)}}, "at least one True"),
        ({"options": {"reset_mask": np.ones(2, bool)}}, "reset_mask"),
        ({"options": {"reset_mask": np.ones(3)}}, "bool array"),
        ({"options": {"context": {"observations": stub_frame(0)[None], "actions": []}}}, r"pass \(3, n, 2, 3, 1\)"),
        (
            {"options": {"context": {"observations": np.zeros((3, 2, 2, 3, 1), np.uint8), "actions": [0]}}},
            r"pass \(3, 1\)",
        ),
    ],
)
def test_wrong_resets(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        DreamVectorEnv(StubSimulator(), 3).reset(**arguments)
    assert "\n" not in str(error.value)


def test_first_reset_is_of_all() -> None:
    envs = DreamVectorEnv(StubSimulator(), 2)
    for early in (lambda: envs.step(np.zeros(2, int)), envs.snapshot, envs.render):
        with pytest.raises(ResetNeeded):
            early()
    with pytest.raises(ResetNeeded):
        envs.reset(options={"reset_mask": np.array([True, False])})


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("mode", [mode.value for mode in MODES])
def test_make_vec_agrees_with_eight_dreams_made_by_gymnasium(stub_checkpoint: str, mode: str) -> None:
    settings = {"checkpoint": stub_checkpoint, "horizon": 9, "temperature": 1.0, "max_episode_steps": 5}
    batched = gym.make_vec("Dreamplay/Dream-v0", num_envs=ROWS, autoreset_mode=mode, **settings)
    single = [lambda: gym.make("Dreamplay/Dream-v0", **settings)] * ROWS
    reference = SyncVectorEnv(single, autoreset_mode=mode)
    assert isinstance(batched, DreamVectorEnv)
    answers = play(batched, AutoresetMode(mode), 30)
    assert_same(answers, play(reference, AutoresetMode(mode), 30))
    assert max(answer[-1]["horizon"].max() for answer in answers) == (4 if mode == "SameStep" else 5)
    spec = EnvSpec.from_json(json.loads(json.dumps(batched.spec.to_json())))
    again = gym.make_vec(spec)
    assert again.num_envs == ROWS and again.spec == batched.spec
    assert_same(play(again, AutoresetMode(mode), 30), answers)
