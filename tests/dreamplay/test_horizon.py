"""The truth horizon on rollouts whose numbers are known: perfect, wrong by known pixels, chance, short episodes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from dreamplay.dreamer import dream
from dreamplay.episodes import Episode
from dreamplay.errors import UserError
from dreamplay.horizon import TruthHorizon, horizon_grid, sample_frames, truth_horizon
from dreamplay.horizon_windows import Window, batches, choose_windows, inputs
from dreamplay.metrics import PSNR_CAP
from dreamplay.simulator import Rollout

SIZE = 16
BALL = np.array([200, 200, 90], np.uint8)


def frames_of(columns: np.ndarray) -> np.ndarray:
    """A one-pixel ball in row 3 at the given columns (...): uint8 (..., 6, SIZE, 3)."""
    picture = np.zeros((*columns.shape, 6, SIZE, 3), np.uint8)
    picture[..., 3, :, :] = (columns[..., None] == np.arange(SIZE))[..., None] * BALL
    return picture


def episode(actions: Sequence[int], chance: Sequence[int] = (), terminated: bool = False, start: int = 8) -> Episode:
    """The ball moves by action - 1 columns, round a cylinder; arriving in column 0 earns 2. `chance` lists steps."""
    moves = np.array(actions, np.int64)
    columns = (start + np.concatenate([[0], (moves - 1).cumsum()])) % SIZE
    none = np.zeros(len(moves), bool)
    ends, luck = none.copy(), none.copy()
    ends[-1:] = terminated
    luck[list(chance)] = True
    return Episode(frames_of(columns), moves, 2.0 * (columns[1:] == 0).astype(np.float32), ends, none, luck)


@dataclass(frozen=True)
class Ball:
    """Knows the rules; from step `wrong_from` the ball is `off` columns too far, rewards are `late`, `end` ends it."""

    wrong_from: int = 10**6
    off: int = 0
    late: int = 0
    end: int | None = None

    def rollout(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        future_actions: np.ndarray,
        *,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Rollout:
        now = observations[:, -1, 3, :, 0].argmax(-1)
        columns = (now[:, None] + (future_actions - 1).cumsum(1)) % SIZE
        rewards = 2.0 * (np.pad(columns, ((0, 0), (self.late, 0)), constant_values=1)[:, : columns.shape[1]] == 0)
        columns[:, self.wrong_from - 1 :] += self.off
        ends = np.zeros(columns.shape, np.float32)
        if self.end is not None:
            ends[:, self.end - 1] = 1
        return Rollout(frames_of(columns % SIZE), rewards.astype(np.float32), ends, (rewards != 0).astype(np.float32))


def walk(length: int, seed: int, **kwargs) -> Episode:
    return episode(np.random.default_rng(seed).integers(0, 3, length).tolist(), **kwargs)


def measure(simulator: Ball, held_out: Sequence[Episode], **kwargs) -> TruthHorizon:
    return truth_horizon(simulator, [walk(200, 99)], held_out, **kwargs)


def test_a_perfect_dream_is_perfect() -> None:
    result = measure(Ball(), [walk(150, 0), walk(40, 1, terminated=True)], windows=60)
    assert list(result.dream) == [1, 2, 5, 10, 20, 50, 100]
    for at in result.dream.values():
        scores = at.decided
        assert (scores.exact, scores.wrong_pixels, scores.psnr) == (1, 0, PSNR_CAP)
        assert (scores.recall, scores.precision, scores.recall_ci95) == (1, 1, (1, 1))
        assert (scores.ssim, scores.frozen, scores.wrong_pixels_ci95) == (1, 0, (0, 0))
        assert scores.came_back_recall == scores.came_back_precision == (1 if scores.came_back else None)
        assert scores.reward_recall == scores.reward_precision == (1 if scores.reward_events else None)
        assert at.undecided.windows == 0
    assert result.dream[1].decided.windows == 60


def test_errors_of_known_size_from_a_known_step_on() -> None:
    held_out = [episode([1] * 60)]
    result = measure(Ball(wrong_from=5, off=3), held_out, windows=1000)
    assert result.windows == 51  # context frames 0..9 to 50..59, one step left
    for horizon, at in result.dream.items():
        scores, wrong = at.decided, horizon >= 5
        assert scores.windows == 51 - horizon + 1
        assert (scores.exact, scores.wrong_pixels) == ((0, 2) if wrong else (1, 0))
        assert scores.recall == scores.precision == (0 if wrong else 1)
        error = 2 * (200**2 * 2 + 90**2) / (6 * SIZE * 3)
        assert scores.psnr == pytest.approx(10 * np.log10(255**2 / error) if wrong else PSNR_CAP)
    near = measure(Ball(wrong_from=5, off=2), held_out).dream[10].decided
    assert (near.exact, near.wrong_pixels, near.recall, near.precision) == (0, 2, 1, 1)


def test_similarity_and_intervals_of_known_errors() -> None:
    held_out = [episode([1] * 60)]
    scores = measure(Ball(wrong_from=1, off=3), held_out, windows=1000).dream[10].decided
    expected = structural_similarity(*frames_of(np.array([8, 11])), win_size=5, channel_axis=-1)
    assert scores.ssim == pytest.approx(expected) and scores.ssim_ci95 == pytest.approx((expected, expected))
    assert scores.wrong_pixels_ci95 == (2, 2) and scores.psnr_ci95 == pytest.approx((scores.psnr, scores.psnr))
    assert scores.frozen is None and scores.moved == 0, "nothing moved in truth"


def test_a_dream_that_stands_still_while_truth_moves_is_frozen() -> None:
    held_out = [episode([1] * 14 + [2] * 8)]  # 22 steps; the ball rests until observation 14
    result = measure(Ball(), held_out, windows=1000)
    still = {h: (at.decided.moved, at.decided.frozen) for h, at in result.baselines["last frame"].items()}
    # windows begin at observations 9 to 21; at horizon h they have seen motion if they end past observation 14
    assert still == {1: (8, 1), 2: (8, 1), 5: (8, 1), 10: (4, 1)}
    assert all(at.decided.frozen == 0 for at in result.dream.values())
    assert result.dream[10].decided.frozen_ci95 == pytest.approx((0, 0.4899), abs=1e-4)


def test_what_comes_back_after_an_action_and_its_inverse() -> None:
    held_out = [episode([1] * 9 + [2, 0, 1, 1, 1])]  # right and back, then rest
    for dreamer, right in ((Ball(), 1), (Ball(wrong_from=2, off=1), 0)):
        at = {h: s.decided for h, s in measure(dreamer, held_out, windows=1000).dream.items()}
        assert (at[1].came_back, at[1].came_back_recall, at[1].came_back_precision) == (0, None, None)
        assert (at[2].came_back, at[2].came_back_recall) == (1, right), "of the window from observation 9 on only"
        assert (at[5].came_back, at[5].came_back_recall) == (1, right), "the stretch remembers ten steps"
        assert at[5].came_back_precision == (1 if right else None)


def test_only_windows_that_last_count_and_the_largest_horizon_is_reported() -> None:
    result = measure(Ball(), [episode([1] * 30), episode([1] * 12)], windows=500, horizon=15)
    assert {h: at.decided.windows for h, at in result.dream.items()} == {1: 24, 2: 22, 5: 17, 10: 12, 15: 7}
    assert horizon_grid(21, 1000).tolist() == [1, 2, 5, 10, 20]
    assert horizon_grid(21, 7).tolist() == [1, 2, 5, 7]


def test_what_chance_had_a_hand_in_is_scored_apart() -> None:
    held_out = [episode([1] * 20, chance=[14])]  # observation 15 drew on chance
    result = measure(Ball(wrong_from=5, off=1), held_out, windows=500)
    # the last context frame of the 11 windows is observation 9..19; horizon h is clean if it ends by 14 or starts at 15
    expected = {1: (10, 1), 2: (8, 2), 5: (2, 5), 10: (0, 2)}
    for horizon, (decided, undecided) in expected.items():
        at = result.dream[horizon]
        assert (at.decided.windows, at.undecided.windows) == (decided, undecided), horizon
    assert result.dream[10].decided.exact is None and result.dream[10].undecided.exact == 0
    assert result.dream[5].decided.exact == 0 and result.dream[2].undecided.exact == 1
    encoded = result.to_json()["horizons"]
    assert encoded["2"]["windows"] == 8 and encoded["2"]["undecided"] == 2 and encoded["2"]["exact"] == 1
    assert encoded["10"]["exact"] is None and encoded["10"]["on_undecided"]["windows"] == 2


def test_chance_before_the_context_ends_is_known() -> None:
    result = measure(Ball(), [episode([1] * 20, chance=range(9))], windows=500)
    assert all(at.undecided.windows == 0 for at in result.dream.values())


def test_a_reward_one_step_late_is_a_miss_and_a_false_alarm() -> None:
    # 9 steps within the context; then the ball walks left from column 3, reaches 0 at horizon 3 and stays away
    held_out = [episode([1] * 9 + [0, 0, 0, 0, 0, 0], start=3)]
    windows = [Window(held_out[0], 0, 10, 6)]
    assert dream(Ball(late=1), windows, 0)[0].rewards.tolist() == [0, 0, 0, 2, 0, 0]
    late = measure(Ball(late=1), held_out, windows=100).dream[5].decided
    assert late.reward_events == 3 and late.reward_recall == 0 and late.reward_precision == 0
    good = measure(Ball(), held_out, windows=100).dream[5].decided
    assert good.reward_events == 3 and good.reward_recall == 1 and good.reward_precision == 1


def test_an_end_counts_in_windows_that_end_before_the_horizon() -> None:
    held_out = [episode([1] * 14, terminated=True)]  # windows of 5, 4, 3, 2, 1 steps, all of them end
    result = measure(Ball(end=3), held_out, windows=100).dream
    three, five = result[2].decided, result[5].decided
    assert (three.terminations, three.termination_recall) == (2, 0)
    assert (five.terminations, five.termination_recall) == (5, 0.2)
    # it says "the end" at step 3 in the windows of 5, 4 and 3 steps; the other two are over by then
    assert five.termination_precision == pytest.approx(1 / 3)


def test_an_end_or_reward_after_chance_is_no_error() -> None:
    result = measure(Ball(), [episode([1] * 14, chance=[13], terminated=True)], windows=100).dream[5]
    assert result.decided.terminations == 0 and result.decided.termination_recall is None
    assert result.undecided.terminations == 5 and result.undecided.termination_recall == 0


def test_baselines_stand_on_the_same_windows() -> None:
    held_out = [episode([2] * 14, start=0)]  # the ball runs from one side to the other
    result = measure(Ball(), held_out, windows=1000, against={"other": Ball(wrong_from=2, off=1)})
    assert list(result.baselines) == ["last frame", "mean frame", "other"]
    last = {h: at.decided for h, at in result.baselines["last frame"].items()}
    assert {h: (at.recall, at.exact, at.wrong_pixels) for h, at in last.items()} == {
        1: (1, 0, 2),
        2: (1, 0, 2),
        5: (0, 0, 2),
    }
    other = {h: at.decided.exact for h, at in result.baselines["other"].items()}
    assert other == {1: 1, 2: 0, 5: 0}
    assert all(a.decided.windows == last[h].windows for h, a in result.dream.items())


def test_batches_do_not_change_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    held_out = [walk(70, 0, terminated=True), walk(33, 1), walk(5, 2), walk(1, 3)]
    done: list[int] = []
    whole = measure(Ball(wrong_from=7, off=1, late=1), held_out, windows=80, on_window=done.append)
    assert sum(done) == 3 * whole.windows
    monkeypatch.setattr("dreamplay.horizon_windows.BATCH_BYTES", 1)
    assert measure(Ball(wrong_from=7, off=1, late=1), held_out, windows=80) == whole


def test_json_holds_no_nan() -> None:
    result = measure(Ball(), [walk(30, 0, chance=[12])])
    encoded = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert set(encoded["horizons"]) == {"1", "2", "5", "10", "20"}
    at = encoded["horizons"]["1"]
    assert {"exact", "wrong_pixels", "psnr", "recall", "precision", "windows", "undecided", "exact_ci95"} <= set(at)
    assert encoded["context"] == 10 and encoded["windows"] == 21
    assert set(encoded["baselines"]) == {"last frame", "mean frame"}


def test_windows_are_all_drawn_once_and_by_the_seed() -> None:
    episodes = [walk(30, 0), walk(10, 1), walk(9, 2), walk(1, 3), walk(0, 4)]

    def places(count: int, seed: int) -> list[tuple[int, int, int, int]]:
        windows = choose_windows(episodes, count, 1000, np.random.default_rng(seed))
        return [
            (next(i for i, e in enumerate(episodes) if e is w.episode), w.start, w.context, w.steps) for w in windows
        ]

    every = (
        [(0, s, 10, 21 - s) for s in range(21)]
        + [(1, 0, 10, 1)]
        + [(2, s, 4, 6 - s) for s in range(6)]
        + [(3, 0, 1, 1)]
    )
    assert places(1000, 0) == every
    assert len(set(places(7, 0))) == 7 and set(places(7, 0)) < set(every)
    assert places(7, 0) == places(7, 0) != places(7, 1)


def test_every_fourth_window_goes_on_past_a_hundred_steps() -> None:
    windows = choose_windows([walk(400, 0)], 40, 1000, np.random.default_rng(0))
    assert [w.steps for w in windows[::4]] == [400 - w.now for w in windows[::4]]
    assert all(w.steps == min(100, 400 - w.now) for i, w in enumerate(windows) if i % 4)
    assert {w.steps for w in choose_windows([walk(400, 0)], 40, 30, np.random.default_rng(0))} <= set(range(31))


def test_a_window_is_aligned_in_time() -> None:
    whole = walk(40, 5)
    window = Window(whole, 7, 10, 12)
    observations, actions, future = inputs([window, Window(whole, 20, 10, 3)])
    assert (observations[0] == whole.observations[7:17]).all() and (actions[0] == whole.actions[7:16]).all()
    assert (future[0] == whole.actions[16:28]).all()
    assert (future[1, :3] == whole.actions[29:32]).all() and (future[1, 3:] == whole.actions[31]).all()
    assert (window.true_frames(np.array([1, 12])) == whole.observations[[17, 28]]).all()


def test_batches_hold_one_context_length_and_every_window() -> None:
    windows = choose_windows([walk(100, 0), walk(6, 1)], 200, 1000, np.random.default_rng(0))
    parts = list(batches(windows))
    assert sorted(i for part in parts for i in part) == list(range(len(windows)))
    assert all(len({windows[i].context for i in part}) == 1 and len(part) <= 64 for part in parts)


def test_sampled_frames_are_spread_evenly() -> None:
    episodes = [walk(9, 0), walk(19, 1)]
    whole = np.concatenate([e.observations for e in episodes])
    assert (sample_frames(episodes, 1000) == whole).all()
    assert (sample_frames(episodes, 4) == whole[[0, 9, 19, 29]]).all()


@pytest.mark.parametrize(("kwargs", "message"), [({"windows": 0}, "--windows 0"), ({"horizon": -1}, "--horizon -1")])
def test_numbers_below_one(kwargs: dict[str, int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        measure(Ball(), [walk(30, 0)], **kwargs)


def test_no_steps_held_out() -> None:
    with pytest.raises(UserError, match="collect more"):
        measure(Ball(), [walk(0, 0)])
