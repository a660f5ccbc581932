"""What every planner must do, on problems whose best sequence is known."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.agents.beam import BeamConfig, BeamPlanner, every_action
from dreamplay.agents.icem import ICEMConfig, ICEMPlanner
from dreamplay.agents.mppi import MPPIConfig, MPPIPlanner, path_integral_weights
from dreamplay.agents.planner import Planner, Score
from dreamplay.agents.planners import LONGEST_PLAN, PLANNERS, make_planner, trusted_horizon
from dreamplay.agents.shooting import ShootingConfig, ShootingPlanner
from dreamplay.errors import UserError

CHOICES: list[gym.Space] = [
    gym.spaces.Discrete(4, start=3),
    gym.spaces.MultiDiscrete([3, 5]),
    gym.spaces.MultiBinary(3),
]
BOX = gym.spaces.Box(-1.0, 2.0, (2,), np.float32)
EVERY = [(name, space) for name in PLANNERS for space in [*CHOICES, BOX] if (name, space) != ("beam", BOX)]
every = pytest.mark.parametrize(("name", "space"), EVERY, ids=lambda value: str(value))


def count_matches(hidden: np.ndarray) -> Score:
    """How many components equal a hidden sequence (B, T, ...), as far as the candidates go; later steps count more."""

    def score(actions: np.ndarray) -> np.ndarray:
        steps = actions.shape[2]
        same = (actions == hidden[:, None, :steps]).reshape(*actions.shape[:3], -1).sum(axis=-1)
        return (same * (1 + 0.1 * np.arange(steps))).sum(axis=-1)

    return score


def flat(actions: np.ndarray) -> np.ndarray:
    return np.zeros(actions.shape[:2])


def hidden_sequences(space: gym.Space, count: int, length: int) -> np.ndarray:
    space.seed(7)
    return np.array([[space.sample() for _ in range(length)] for _ in range(count)])


@pytest.mark.parametrize("name", PLANNERS[1:])
@pytest.mark.parametrize("space", CHOICES, ids=str)
def test_finds_a_hidden_sequence_of_choices(name: Any, space: gym.Space) -> None:
    hidden = hidden_sequences(space, 3, 6)
    planner = make_planner(name, space, horizon=6, candidates=200, iterations=12)
    np.testing.assert_array_equal(planner.plan(count_matches(hidden), batch=3), hidden)


def test_shooting_finds_a_sequence_short_enough_to_be_drawn() -> None:
    hidden = hidden_sequences(CHOICES[0], 3, 3)
    planner = ShootingPlanner(CHOICES[0], ShootingConfig(horizon=3, candidates=1000))
    np.testing.assert_array_equal(planner.plan(count_matches(hidden), batch=3), hidden)


@pytest.mark.parametrize("name", ["icem", "mppi"])
def test_finds_the_top_of_a_quadratic_inside_the_box(name: Any) -> None:
    target = np.random.default_rng(0).uniform(-0.8, 1.8, (3, 5, 2))
    plans = make_planner(name, BOX, horizon=5, candidates=200, iterations=20).plan(
        lambda actions: -((actions - target[:, None]) ** 2).sum(axis=(-1, -2)), batch=3
    )
    assert plans.dtype == np.float32
    np.testing.assert_allclose(plans, target, atol=0.2)


def test_steering_to_a_point_by_plans_made_anew_at_each_step() -> None:
    """A mass on a line, pushed by at most 1: each planner comes to rest near 0, from 3 away, as it replans."""
    space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)
    for name in ("shooting", "cem", "icem", "mppi"):
        planner = make_planner(name, space, horizon=12, candidates=64, iterations=3)
        place, speed = 3.0, 0.0

        def score(actions: np.ndarray, place: float = 0.0, speed: float = 0.0) -> np.ndarray:
            value = np.zeros(actions.shape[:2])
            at, fast = np.full_like(value, place), np.full_like(value, speed)
            for t in range(actions.shape[2]):
                fast = fast + 0.5 * actions[:, :, t, 0]
                at = at + 0.5 * fast
                value -= at**2 + 0.1 * fast**2
            return value

        for _ in range(25):
            push = float(planner.plan(lambda a, p=place, s=speed: score(a, p, s))[0, 0, 0])
            speed += 0.5 * push
            place += 0.5 * speed
        assert abs(place) < 0.5, name


@every
def test_every_plan_and_candidate_is_of_the_space(name: Any, space: gym.Space) -> None:
    planner = make_planner(name, space, horizon=3, candidates=10, iterations=3)
    shape = space.shape or ()

    def score(actions: np.ndarray) -> np.ndarray:
        assert actions.shape[0] == 2 and actions.shape[3:] == shape
        assert all(space.contains(action) for action in actions.reshape(-1, *shape))
        return actions.reshape(*actions.shape[:2], -1).sum(axis=-1)

    for _ in range(3):
        plans = planner.plan(score, batch=2)
        assert plans.shape == (2, 3, *shape)
        assert all(space.contains(action) for action in plans.reshape(-1, *shape))


@every
def test_nothing_but_nan_still_gives_actions_of_the_space(name: Any, space: gym.Space) -> None:
    planner = make_planner(name, space, horizon=3, candidates=10)
    for _ in range(2):
        plans = planner.plan(lambda actions: np.full(actions.shape[:2], np.nan), batch=2)
        assert all(space.contains(action) for action in plans.reshape(-1, *(space.shape or ())))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", PLANNERS)
def test_a_score_that_is_not_finite_never_wins(name: Any, bad: float) -> None:
    def score(actions: np.ndarray) -> np.ndarray:
        values = -1e10 - (actions == 2).sum(axis=-1).astype(float)
        values[(actions == 0).any(axis=-1)] = bad  # action 0 anywhere spoils the score
        return values

    planner = make_planner(name, gym.spaces.Discrete(3), horizon=3, candidates=100, iterations=6)
    np.testing.assert_array_equal(planner.plan(score), [[1, 1, 1]])


@pytest.mark.parametrize(("name", "space"), [(name, space) for name, space in EVERY if name != "mppi"], ids=str)
def test_the_plan_before_is_kept_unless_something_is_better(name: Any, space: gym.Space) -> None:
    planner = make_planner(name, space, horizon=4, candidates=10)
    first = planner.plan(lambda actions: actions.reshape(*actions.shape[:2], -1).sum(axis=-1), batch=3)
    shifted = np.concatenate([first[:, 1:], first[:, -1:]], axis=1)
    np.testing.assert_array_equal(planner.plan(flat, batch=3), shifted)


def test_a_path_integral_starts_from_the_plan_before() -> None:
    planner = MPPIPlanner(BOX, MPPIConfig(horizon=4, candidates=10))
    first = planner.plan(lambda actions: actions.sum(axis=(-1, -2)))
    planner._memory.keep([0], first + 0.0)
    asked = []
    planner.plan(lambda actions: asked.append(actions) or flat(actions))
    np.testing.assert_array_equal(asked[0][0, 0, :-1], first[0, 1:])


@every
def test_rows_planned_together_equal_rows_planned_apart(name: Any, space: gym.Space) -> None:
    weights = np.random.default_rng(0).integers(-9, 9, (4, 3, 5, *(space.shape or ())))  # (plans, B, T, ...)

    def score(number: int, rows: list[int]) -> Score:
        def values(actions: np.ndarray) -> np.ndarray:
            return np.array([
                [float((w[: len(a)] * a).sum()) for a in row]
                for w, row in zip(weights[number, rows], actions, strict=True)
            ])  # fmt: skip

        return values

    def planner(seed: int) -> Planner:
        made = make_planner(name, space, horizon=5, candidates=24)
        made.reset(seed=seed)
        return made

    together, apart = planner(3), [planner(3 + row) for row in range(3)]
    for number in range(3):
        plans = together.plan(score(number, [0, 1, 2]), batch=3)
        for row, alone in enumerate(apart):
            np.testing.assert_array_equal(plans[row], alone.plan(score(number, [row]))[0])
    # Row 1 drops out and its neighbours do not notice.
    plans = together.plan(score(3, [0, 2]), batch=[0, 2])
    np.testing.assert_array_equal(plans[0], apart[0].plan(score(3, [0]))[0])
    np.testing.assert_array_equal(plans[1], apart[2].plan(score(3, [2]))[0])


@every
def test_reset_forgets_and_the_seed_decides(name: Any, space: gym.Space) -> None:
    planner = make_planner(name, space, horizon=6, candidates=8)

    def asked(seed: int | None, rows: list[int] | None = None) -> list[np.ndarray]:
        planner.reset(seed, rows)
        seen: list[np.ndarray] = []
        planner.plan(lambda actions: seen.append(actions.copy()) or flat(actions), batch=2)
        planner.plan(flat, batch=2)
        return seen

    first, other, again = asked(4), asked(5), asked(4)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    one = asked(4, rows=[1])  # row i starts from seed + i; row 0 goes on with its plan
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, one, strict=True))


def test_a_wide_beam_is_exhaustive() -> None:
    # A table that rewards only one whole sequence, and misleads until the last step.
    rng = np.random.default_rng(0)
    table = rng.random((3, 3, 3, 3))

    def score(actions: np.ndarray) -> np.ndarray:
        if actions.shape[2] < 4:
            return -actions.sum(axis=-1).astype(float)
        return table[tuple(np.moveaxis(actions, -1, 0))]

    plan = BeamPlanner(gym.spaces.Discrete(3), BeamConfig(horizon=4, width=27)).plan(score)
    assert tuple(plan[0]) == np.unravel_index(table.argmax(), table.shape)


def test_a_narrow_beam_goes_on_from_the_best_beginnings() -> None:
    lengths = []

    def score(actions: np.ndarray) -> np.ndarray:
        lengths.append(actions.shape[1:])
        return (actions == 1).sum(axis=-1)

    plan = BeamPlanner(gym.spaces.Discrete(3), BeamConfig(horizon=3, width=2)).plan(score)
    assert plan.tolist() == [[1, 1, 1]]
    assert lengths == [(3, 1), (6, 2), (6, 3)]  # (N, t): one beginning by 3 actions, then two


def test_a_beam_that_knows_nothing_stays_wide() -> None:
    asked = []
    planner = BeamPlanner(gym.spaces.Discrete(3), BeamConfig(horizon=5, width=20))
    planner.plan(lambda actions: asked.append(actions) or flat(actions))
    assert {int(action) for action in asked[-1][0, :, 0]} == {0, 1, 2}


def test_every_action_of_a_finite_space_is_enumerated() -> None:
    assert every_action(gym.spaces.Discrete(3, start=2)).tolist() == [2, 3, 4]
    assert every_action(gym.spaces.MultiDiscrete([2, 2])).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert every_action(gym.spaces.MultiBinary((2, 1))).shape == (4, 2, 1)
    with pytest.raises(UserError, match="finite choice"):
        every_action(BOX)
    with pytest.raises(UserError, match=r"1,024"):
        every_action(gym.spaces.MultiBinary(10))


def test_icem_keeps_elites_within_a_plan_and_into_the_next() -> None:
    asked: list[np.ndarray] = []

    def score(actions: np.ndarray) -> np.ndarray:
        asked.append(actions.copy())
        return (actions == 1).sum(axis=-1) + 0.01 * actions[..., 0]

    planner = ICEMPlanner(gym.spaces.Discrete(4), ICEMConfig(horizon=6, candidates=30, iterations=2, elites=10))
    planner.plan(score)
    planner.plan(score)
    best = [batch[0][np.argsort(-score(batch)[0], kind="stable")[:3]] for batch in asked[:3]]
    assert all((asked[1][0] == elite).all(axis=-1).any() for elite in best[0])
    shifted = np.concatenate([best[1][:, 1:], best[1][:, -1:]], axis=1)
    assert all((asked[2][0] == elite).all(axis=-1).any() for elite in shifted)
    assert [batch.shape[1] for batch in asked[:2]] == [30, 24]


def test_path_integral_weights_are_the_same_for_rewards_of_any_size() -> None:
    values = np.array([[1.0, 2.0, 4.0, -np.inf], [-np.inf] * 4, [5.0] * 4])
    weights = path_integral_weights(values, 0.5)
    spread = np.std([1.0, 2.0, 4.0])
    np.testing.assert_allclose(weights[0], [np.exp(-6 / spread), np.exp(-4 / spread), 1, 0])
    np.testing.assert_array_equal(weights[1:], [[0] * 4, [1] * 4])
    np.testing.assert_allclose(path_integral_weights(1000 * values, 0.5), weights)


@pytest.mark.parametrize("config", [ShootingConfig, ICEMConfig, MPPIConfig, BeamConfig])
def test_a_configuration_that_cannot_work_is_refused(config: Any) -> None:
    with pytest.raises(UserError, match="horizon is 0"):
        config(horizon=0)
    wrong = {"persistence": 1.0, "keep": 1.0, "momentum": -0.1, "beta": -1.0, "decay": 0.5, "temperature": 0.0}
    for field in wrong.keys() & vars(config()).keys():
        with pytest.raises(UserError, match=field):
            config(**{field: wrong[field]})


def test_plans_go_as_deep_as_the_dream_stays_true() -> None:
    def measured(**recall: float | None) -> dict[str, Any]:
        return {"horizons": {name.lstrip("h"): {"recall": value} for name, value in recall.items()}}

    assert trusted_horizon(measured(h1=0.9, h5=0.8, h10=0.6, h20=0.4, h50=0.9)) == 10
    assert trusted_horizon(measured(h1=0.9, h5=0.8, h10=0.6, h20=0.4), least=0.7) == 5
    assert trusted_horizon(measured(h1=0.3, h2=0.9)) == 1
    assert trusted_horizon(measured(h2=0.9, h10=None, h20=0.8)) == 20
    assert trusted_horizon(measured(h1=0.9, h1000=0.9)) == LONGEST_PLAN
    with pytest.raises(UserError, match="dreamplay evaluate"):
        trusted_horizon(None)
