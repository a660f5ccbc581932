"""The table says what was measured within 100 columns; plot and film are files that open."""

from dataclasses import fields
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from rich.console import Console

from dreamplay.baselines import LastFrame
from dreamplay.chance import ChanceMoves
from dreamplay.episodes import Episode
from dreamplay.from_start import FromStart, StartScores
from dreamplay.futures import Futures, Spread
from dreamplay.horizon import TruthHorizon
from dreamplay.horizon_plot import plot
from dreamplay.horizon_scores import AtHorizon, Scores
from dreamplay.horizon_table import table
from dreamplay.horizon_video import choose_clips, pictures
from dreamplay.horizon_windows import choose_windows
from dreamplay.judgement import Judgement
from dreamplay.reliability import Reliability


def scores(windows: int, exact: float | None) -> Scores:
    values = {field.name: exact for field in fields(Scores)}
    values |= {name: None if exact is None else (0.25, 0.75) for name in values if name.endswith("_ci95")}
    values |= dict.fromkeys(("windows", "moved", "came_back", "reward_events", "terminations"), windows)
    if exact is not None:
        values |= {"wrong_pixels": 1234.56, "psnr": 31.25}
    return Scores(**values)


def result(undecided: int) -> Judgement:
    curve = {h: AtHorizon(scores(200 - h, 0.625), scores(undecided, 0.125)) for h in (1, 10)}
    curve[1000] = AtHorizon(scores(0, None), scores(undecided, 0.125))
    names = ("last frame", "mean frame", "runs/a-rather-long-name-of-a-run")
    truth = TruthHorizon(curve, dict.fromkeys(names, curve), 10, 200, 0)
    reliable = Reliability(400, 0.25, 0.5, (0.2, 0.3), 0.125, [{"count": 400, "true": 0.25, "dreamed": 0.5}])
    futures = Futures(
        4,
        {1: Spread(50, 3.0, 2.25, 0.75, (0.5, 1.0)), 10: Spread(50, 0.0, 0.0, None, None)},
        dict.fromkeys(("reward", "termination", "pixel"), reliable),
    )
    right = StartScores(96, 51.0, 0.875, (0.75, 0.9375), 0.5, (0.25, 0.75), 1.0, (0.9, 1.0))
    empty = StartScores(0, None, None, None, None, None, None, None)
    start = FromStart(right, right if undecided else empty)
    chance = ChanceMoves(400, 800, 0.75, 0.625, -0.125, (-0.25, 0.0)) if undecided else None
    return Judgement(truth, futures, start, {names[2]: start}, chance)


def printed(undecided: int) -> list[str]:
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table(result(undecided)))
    return console.export_text().splitlines()


def test_every_number_is_whole_at_100_columns() -> None:
    lines = printed(0)
    assert max(map(len, lines)) <= 100 and not any("…" in line for line in lines)
    row = next(line for line in lines if line.split()[:1] == ["10"])
    numbers = "10 190 dream 0.625 1234.6 31 0.625 0.625 0.625 0.62 0.62 – 0.62/0.62 0.62/0.62"
    assert " ".join(row.split()) == numbers
    empty = next(line for line in lines if line.split()[:1] == ["1000"])
    assert " ".join(empty.split()) == "1000 0 dream – – – – – – – – –/– –/–"
    assert sum("last frame" in line for line in lines) == 2, "not where no window is decided"
    first = next(line for line in lines if line.split()[:1] == ["1"])
    assert first.split()[-3] == "0.75", "diversity, in the dream's row"


def test_chance_has_a_row_only_where_it_had_a_hand() -> None:
    assert not any("dream, chance" in line for line in printed(0))
    rows = [line.split() for line in printed(7) if line.strip().startswith("7 dream, chance")]
    assert len(rows) == 3 and rows[0][:4] == ["7", "dream,", "chance", "0.125"]


def test_what_knows_no_horizon_stands_below() -> None:
    text = " ".join(" ".join(printed(7)).split())
    assert "dream from the start (96 episodes, 2 context frames, 51 steps): return right 0.875 (0.750 to 0.938)" in text
    assert "final reward 0.500, end 1.000" in text and "runs/a-rather-long-name-of-a-run from the start" in text
    assert "dream, chance from the start" in text
    assert "reward 0.5000/0.2500 (0.1250); termination" in text
    assert "(400 steps): moves dreamed/true 0.625/0.750, difference -0.125 (-0.250 to 0.000)" in text
    assert "where chance decides" not in " ".join(printed(0))


@pytest.mark.parametrize("undecided", [0, 7])
def test_the_plot_is_a_picture(tmp_path: Path, undecided: int) -> None:
    picture = iio.imread(plot(result(undecided), tmp_path / "horizon.png"))
    assert picture.shape[0] > 600 and picture.shape[1] > 1000
    dream_colour = (np.abs(picture[..., :3].astype(int) - (0xD1, 0x49, 0x5B)).max(-1) < 8).sum()
    assert dream_colour > 500, "the dream's line is drawn"


def test_the_film_shows_context_then_dream() -> None:
    frames = np.zeros((41, 6, 6, 1), np.uint8)
    frames[20:, 2, 2] = 255  # a light goes on and stays on
    none = np.zeros(40, bool)
    episode = Episode(frames, np.zeros(40, np.int64), np.zeros(40, np.float32), none, none, none)
    windows = [w for w in choose_windows([episode], 500, 1000, np.random.default_rng(0)) if w.start == 5]
    clips = choose_clips(windows, 0)
    film = list(pictures(LastFrame(), clips, 0))
    assert len(film) == 10 + 26 + 7, "ten frames of context, 26 steps, the last one held"
    assert len({picture.shape for picture in film}) == 1
    red = [int(((picture[..., 0] > 200) & (picture[..., 1] < 100)).sum()) for picture in film]
    assert red[:15] == [0] * 15, "observations 5 to 19: nothing is wrong"
    assert set(red[15:]) == {40 * 40}, "one wrong pixel, enlarged 40 times"


def test_clips_are_long_ones() -> None:
    none = np.zeros(300, bool)
    frames = np.zeros((301, 2, 2, 1), np.uint8)
    episode = Episode(frames, np.zeros(300, np.int64), np.zeros(300, np.float32), none, none, none)
    clips = choose_clips(choose_windows([episode], 500, 1000, np.random.default_rng(0)), 0)
    assert [clip.steps for clip in clips] == [100] * 4
    assert len({clip.start for clip in clips}) == 4
