"""One judgement holds every measurement, each on its own windows."""

import json

import numpy as np
import pytest
from coins import Coins, coin_episode

from dreamplay.errors import UserError
from dreamplay.judgement import Plan, judge

HELD_OUT = [coin_episode(60, 0.2, seed) for seed in range(3)]
TRAIN = [coin_episode(60, 0.2, 9)]


def test_every_measurement_is_there_and_every_window_is_reported() -> None:
    plan = Plan.draw(HELD_OUT, windows=40, horizon=20, seed=0)
    done: list[int] = []
    against = {"dream": Coins(0.4), "third": Coins(0.2)}
    result = judge(Coins(0.2), TRAIN, HELD_OUT, plan, against=against, on_window=done.append)
    assert sum(done) == plan.work(len(against))
    encoded = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert set(encoded) == {
        *("horizons", "baselines", "context", "windows", "seed"),
        *("futures", "calibration", "from_start", "chance"),
    }
    assert list(encoded["horizons"]) == list(encoded["futures"]["horizons"]) == ["1", "2", "5", "10", "20"]
    assert list(encoded["baselines"]) == ["last frame", "mean frame", "dream", "third"]
    assert list(encoded["from_start"]["baselines"]) == ["dream", "third"], "a run of any name"
    assert encoded["from_start"]["undecided"] == 3 and encoded["from_start"]["on_undecided"]["steps"] == 20
    assert encoded["chance"]["steps"] == 180
    assert abs(encoded["chance"]["difference"]) < 0.02
    assert encoded["futures"]["horizons"]["10"]["diversity"] == pytest.approx(1, abs=0.1)


def test_the_plan_is_drawn_by_its_seed() -> None:
    first, again, other = (Plan.draw(HELD_OUT, 10, 20, seed) for seed in (0, 0, 1))
    assert first == again
    assert [w.start for w in first.windows] != [w.start for w in other.windows]
    assert first.futures == first.windows[::4]


def test_without_a_word_of_chance_there_is_none() -> None:
    quiet = [coin_episode(60, 0.2, 3)]
    quiet[0].chance[:] = False
    result = judge(Coins(0.2), TRAIN, quiet, Plan.draw(quiet, 5, 20, 0))
    assert result.chance is None and result.to_json()["chance"] is None


def test_numbers_below_one_and_nothing_held_out() -> None:
    with pytest.raises(UserError, match="--windows 0"):
        Plan.draw(HELD_OUT, 0, 20, 0)
    with pytest.raises(UserError, match="collect more"):
        Plan.draw([coin_episode(1, 0.5).cut(0, 0)], 5, 20, 0)
    assert np.isfinite(Plan.draw(HELD_OUT, 1, 1, 0).work(0))
