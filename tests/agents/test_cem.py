"""The cross-entropy planner on problems whose best sequence is known."""

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.agents.cem import CEMConfig, CrossEntropyPlanner
from dreamplay.agents.planner import Score
from dreamplay.errors import UserError

SPACES = [
    gym.spaces.Discrete(4, start=3),
    gym.spaces.MultiDiscrete([3, 5]),
    gym.spaces.MultiBinary(3),
    gym.spaces.Box(-1.0, 2.0, (2,), np.float32),
]


def sequences(space: gym.Space, count: int, length: int, seed: int) -> np.ndarray:
    """(count, length, *action_shape) drawn from the space."""
    space.seed(seed)
    return np.array([[space.sample() for _ in range(length)] for _ in range(count)])


def matches(hidden: np.ndarray) -> Score:
    """Counts how many components equal a hidden sequence (B, T, ...); later steps are worth more."""

    def score(actions: np.ndarray) -> np.ndarray:
        same = (actions == hidden[:, None]).reshape(*actions.shape[:3], -1).sum(axis=-1)
        return (same * (1 + 0.1 * np.arange(actions.shape[2]))).sum(axis=-1)

    return score


def distance(target: np.ndarray) -> Score:
    """Minus the squared distance to a target (B, T, A)."""
    return lambda actions: -((actions - target[:, None]) ** 2).sum(axis=(-1, -2))


@pytest.mark.parametrize("space", SPACES[:3], ids=str)
def test_finds_a_hidden_sequence_of_choices(space: gym.Space) -> None:
    hidden = sequences(space, count=5, length=6, seed=7)
    planner = CrossEntropyPlanner(space, CEMConfig(horizon=6, candidates=200, iterations=12, elites=15))
    np.testing.assert_array_equal(planner.plan(matches(hidden), batch=5), hidden)


def test_finds_the_top_of_a_quadratic_inside_the_box() -> None:
    target = np.random.default_rng(0).uniform(-0.8, 1.8, (3, 5, 2))
    config = CEMConfig(horizon=5, candidates=200, iterations=15, elites=15, minimum_std=0.01)
    plans = CrossEntropyPlanner(SPACES[3], config).plan(distance(target), batch=3)
    assert plans.dtype == np.float32
    np.testing.assert_allclose(plans, target, atol=0.1)


def test_a_top_outside_the_box_is_met_at_the_bound() -> None:
    target = np.tile([5.0, -5.0], (1, 5, 1))
    config = CEMConfig(horizon=5, candidates=200, iterations=10, elites=15)
    plans = CrossEntropyPlanner(SPACES[3], config).plan(distance(target), batch=1)
    np.testing.assert_allclose(plans, np.tile([2.0, -1.0], (1, 5, 1)), atol=0.1)
    assert plans[..., 0].max() == 2.0
    assert plans[..., 1].min() == -1.0


def test_a_box_without_bounds_is_searched_too() -> None:
    space = gym.spaces.Box(np.float32([-np.inf, 4.0]), np.float32([np.inf, np.inf]))
    target = np.tile([1.5, 6.5], (1, 2, 1))
    config = CEMConfig(horizon=2, candidates=200, iterations=20, elites=15, minimum_std=0.01)
    plans = CrossEntropyPlanner(space, config).plan(distance(target), batch=1)
    np.testing.assert_allclose(plans, target, atol=0.1)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_every_candidate_is_an_action_of_the_space(space: gym.Space) -> None:
    planner = CrossEntropyPlanner(space, CEMConfig(horizon=3, candidates=50, iterations=4))

    def score(actions: np.ndarray) -> np.ndarray:
        assert actions.shape == (2, 50, 3, *(space.shape or ()))
        assert all(space.contains(action) for action in actions.reshape(-1, *(space.shape or ())))
        return actions.reshape(2, 50, -1).sum(axis=-1)

    for _ in range(3):
        assert planner.plan(score, batch=2).shape == (2, 3, *(space.shape or ()))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_never_wins(bad: float) -> None:
    seen = []

    def score(actions: np.ndarray) -> np.ndarray:
        values = -1e10 - (actions == 2).sum(axis=-1).astype(float)
        values[(actions == 0).any(axis=-1)] = bad  # action 0 anywhere spoils the score
        seen.append(values)
        return values

    planner = CrossEntropyPlanner(gym.spaces.Discrete(3), CEMConfig(horizon=3, candidates=100, iterations=6))
    np.testing.assert_array_equal(planner.plan(score), [[1, 1, 1]])
    # The elites hold no spoilt candidate: what is drawn next is spoilt less often.
    assert np.isfinite(seen[0]).mean() < 0.7
    assert np.isfinite(seen[-1]).mean() > 0.8


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_nothing_but_nan_still_gives_actions_of_the_space(space: gym.Space) -> None:
    planner = CrossEntropyPlanner(space, CEMConfig(horizon=3))
    for _ in range(2):
        plans = planner.plan(lambda actions: np.full(actions.shape[:2], np.nan), batch=2)
        assert all(space.contains(action) for action in plans.reshape(-1, *(space.shape or ())))


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_the_plan_before_is_shifted_and_kept_as_a_candidate(space: gym.Space) -> None:
    planner = CrossEntropyPlanner(space, CEMConfig(horizon=4, candidates=30))
    first = planner.plan(lambda actions: actions.reshape(*actions.shape[:2], -1).sum(axis=-1), batch=3)
    shifted = np.concatenate([first[:, 1:], first[:, -1:]], axis=1)
    # Where nothing is better than anything else the plan stays as it was, shifted.
    np.testing.assert_array_equal(planner.plan(lambda actions: np.zeros(actions.shape[:2]), batch=3), shifted)


def test_the_best_so_far_stays_a_candidate() -> None:
    best, seen = [], []

    def score(actions: np.ndarray) -> np.ndarray:
        values = np.random.default_rng(len(seen)).random(actions.shape[:2])  # says nothing about the actions
        if seen:
            np.testing.assert_array_equal(actions[0, 0], best[-1])
            values[0, 0] = seen[-1]
        top = values[0].argmax()
        best.append(actions[0, top])
        seen.append(values[0, top])
        return values

    planner = CrossEntropyPlanner(gym.spaces.Discrete(6), CEMConfig(horizon=8, candidates=20, iterations=6))
    np.testing.assert_array_equal(planner.plan(score)[0], best[-1])
    assert seen == sorted(seen)


def test_reset_forgets_plans_of_all_rows_or_of_some() -> None:
    config = CEMConfig(horizon=5, candidates=30)

    def first_candidates(planner: CrossEntropyPlanner) -> np.ndarray:
        asked = []
        planner.plan(lambda actions: asked.append(actions.copy()) or np.zeros(actions.shape[:2]), batch=3)
        return asked[0]

    hidden = sequences(gym.spaces.Discrete(5), count=3, length=5, seed=1)
    fresh = first_candidates(CrossEntropyPlanner(gym.spaces.Discrete(5), config, seed=9))
    planner = CrossEntropyPlanner(gym.spaces.Discrete(5), config)
    plans = planner.plan(matches(hidden), batch=3)
    shifted = np.concatenate([plans[:, 1:], plans[:, -1:]], axis=1)

    planner.reset(seed=9, rows=[1])
    candidates = first_candidates(planner)
    np.testing.assert_array_equal(candidates[1], fresh[1])
    np.testing.assert_array_equal(candidates[[0, 2], 0], shifted[[0, 2]])

    planner.reset(seed=9)
    np.testing.assert_array_equal(first_candidates(planner), fresh)


def test_reset_without_a_seed_forgets_the_plan_and_lets_the_generator_run_on() -> None:
    planner = CrossEntropyPlanner(gym.spaces.Discrete(9), CEMConfig(horizon=20, iterations=1, candidates=5))
    flat: Score = lambda actions: np.zeros(actions.shape[:2])  # noqa: E731
    first = planner.plan(flat)
    planner.reset()
    second = planner.plan(flat)
    assert not np.array_equal(second[0, :-1], first[0, 1:])
    assert not np.array_equal(second, first)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_the_seed_decides(space: gym.Space) -> None:
    def plans(seed: int) -> np.ndarray:
        planner = CrossEntropyPlanner(space, CEMConfig(horizon=10, candidates=6, iterations=2), seed=seed)
        return planner.plan(lambda actions: np.zeros(actions.shape[:2]), batch=2)

    np.testing.assert_array_equal(plans(4), plans(4))
    assert not np.array_equal(plans(4), plans(5))
    np.testing.assert_array_equal(plans(4)[1], plans(5)[0])  # row i is seeded with seed + i


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_rows_planned_together_equal_rows_planned_apart(space: gym.Space) -> None:
    config = CEMConfig(horizon=5, candidates=40, elites=7)
    weights = np.random.default_rng(0).normal(size=(4, 3, 5, *(space.shape or ())))  # (plans, B, T, *action_shape)

    def score(number: int, rows: list[int]) -> Score:
        def values(actions: np.ndarray) -> np.ndarray:
            # Scored row by row, so that the order of summation is the same in both cases.
            return np.array([
                [float(np.dot(w.ravel(), a.ravel())) for a in row]
                for w, row in zip(weights[number, rows], actions, strict=True)
            ])  # fmt: skip

        return values

    together = CrossEntropyPlanner(space, config, seed=3)
    apart = [CrossEntropyPlanner(space, config, seed=3 + row) for row in range(3)]
    for number in range(3):
        plans = together.plan(score(number, [0, 1, 2]), batch=3)
        for row, planner in enumerate(apart):
            np.testing.assert_array_equal(plans[row], planner.plan(score(number, [row]))[0])
    # Row 1 drops out and its neighbours do not notice.
    plans = together.plan(score(3, [0, 2]), batch=[0, 2])
    np.testing.assert_array_equal(plans[0], apart[0].plan(score(3, [0]))[0])
    np.testing.assert_array_equal(plans[1], apart[2].plan(score(3, [2]))[0])


def test_no_choice_dies_out() -> None:
    # The distribution is trained hard on action 0; the moment that 3 pays, it is found.
    planner = CrossEntropyPlanner(gym.spaces.Discrete(4), CEMConfig(horizon=2, iterations=40, candidates=100))
    calls = []

    def score(actions: np.ndarray) -> np.ndarray:
        calls.append(None)
        paying = 0 if len(calls) <= 20 else 3
        return (actions == paying).sum(axis=-1) + 10.0 * (len(calls) > 20) * (actions == 3).all(axis=-1)

    np.testing.assert_array_equal(planner.plan(score), [[3, 3]])


def test_first_candidates_hold_a_direction() -> None:
    def repeats(persistence: float) -> float:
        asked = []
        config = CEMConfig(horizon=50, candidates=200, iterations=1, persistence=persistence)
        planner = CrossEntropyPlanner(gym.spaces.Discrete(4), config)
        planner.plan(lambda actions: asked.append(actions) or np.zeros(actions.shape[:2]))
        return float((asked[0][..., 1:] == asked[0][..., :-1]).mean())

    assert repeats(0.0) == pytest.approx(1 / 4, abs=0.02)
    assert repeats(0.8) == pytest.approx(0.8 + 0.2 / 4, abs=0.02)


def test_a_score_of_another_shape_is_refused() -> None:
    planner = CrossEntropyPlanner(gym.spaces.Discrete(2))
    with pytest.raises(ValueError, match=r"shape \(1, 32, 15\).*\(1, 32\)"):
        planner.plan(lambda actions: actions)


def test_a_space_that_cannot_be_planned_over_is_named() -> None:
    with pytest.raises(UserError, match="Text"):
        CrossEntropyPlanner(gym.spaces.Text(3))


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizon": 0},
        {"candidates": -1},
        {"iterations": 0},
        {"elites": 0},
        {"persistence": 1.0},
        {"smoothing": 0.0},
        {"minimum_std": 0.0},
    ],
    ids=str,
)
def test_a_configuration_that_cannot_work_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        CEMConfig(**wrong)  # type: ignore[arg-type]
