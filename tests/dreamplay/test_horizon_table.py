"""The table says what was measured within 100 columns; plot and film are files that open."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from rich.console import Console

from dreamplay.baselines import LastFrame
from dreamplay.episodes import Episode
from dreamplay.horizon import TruthHorizon
from dreamplay.horizon_report import plot, table
from dreamplay.horizon_scores import AtHorizon, Scores
from dreamplay.horizon_video import choose_clips, pictures
from dreamplay.horizon_windows import choose_windows


def scores(windows: int, exact: float | None) -> Scores:
    some = None if exact is None else (0.25, 0.75)
    return Scores(
        windows=windows,
        exact=exact,
        exact_ci95=some,
        wrong_pixels=None if exact is None else 1234.56,
        psnr=None if exact is None else 31.25,
        recall=exact,
        recall_ci95=some,
        precision=exact,
        precision_ci95=some,
        reward_events=windows,
        reward_recall=exact,
        reward_precision=exact,
        terminations=windows,
        termination_recall=exact,
        termination_precision=exact,
    )


def result(undecided: int) -> TruthHorizon:
    curve = {h: AtHorizon(scores(200 - h, 0.625), scores(undecided, 0.125)) for h in (1, 10)}
    curve[1000] = AtHorizon(scores(0, None), scores(undecided, 0.125))
    names = ("last frame", "mean frame", "runs/a-rather-long-name-of-a-run")
    return TruthHorizon(curve, dict.fromkeys(names, curve), 10, 200, 0)


def printed(undecided: int) -> list[str]:
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table(result(undecided)))
    return console.export_text().splitlines()


def test_every_number_is_whole_at_100_columns() -> None:
    lines = printed(0)
    assert max(map(len, lines)) <= 100 and not any("…" in line for line in lines)
    row = next(line for line in lines if line.split()[:1] == ["10"])
    assert " ".join(row.split()) == "10 190 dream 0.625 1234.6 31.2 0.625 0.625 0.62/0.62 0.62/0.62"
    empty = next(line for line in lines if line.split()[:1] == ["1000"])
    assert " ".join(empty.split()) == "1000 0 dream – – – – – –/– –/–"
    assert sum("last frame" in line for line in lines) == 3


def test_chance_has_a_row_only_where_it_had_a_hand() -> None:
    assert not any("dream, chance" in line for line in printed(0))
    rows = [line.split() for line in printed(7) if "dream, chance" in line]
    assert len(rows) == 3 and rows[0][:4] == ["7", "dream,", "chance", "0.125"]


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
