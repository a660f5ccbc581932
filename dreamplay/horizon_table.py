"""A judgement as one table for 100 columns: what each horizon tells, and below it what whole dreams tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dreamplay.chance import ChanceMoves
from dreamplay.confidence import Interval
from dreamplay.from_start import CONTEXT, FromStart, StartScores
from dreamplay.futures import Futures, Spread
from dreamplay.horizon_scores import Scores
from dreamplay.judgement import Judgement
from dreamplay.reliability import Reliability

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("exact", "wrong", "dB", "SSIM", "found", "real", "still", "back", "varied", "reward", "end")
LEGEND = (
    "n: held-out windows, each after {context} context frames. wrong: pixels. found: share of true moving pixels with "
    "a dreamed one within 2 px; real: the other way round. still: the dream stood still for ten steps in which the "
    "truth moved. back: of what left its place and came back within ten steps, what the dream brings back. varied: "
    "distance between sampled dreams over their distance from truth, 1 when calibrated. reward, end: events up to "
    "there dreamed on exactly the right step, found/real."
)
CHANCE_LEGEND = " dream, chance: windows in which the game drew on randomness."


def table(judgement: Judgement, title: str = "truth horizon") -> Table:
    """All numbers: a block of rows per horizon, the dream first; what chance had a hand in has a row of its own."""
    from rich import box
    from rich.table import Table

    truth = judgement.truth
    chance = any(at.undecided.windows for at in truth.dream.values())
    legend = LEGEND.format(context=truth.context) + CHANCE_LEGEND * chance
    caption = "\n".join([*notes(judgement), legend])
    view = Table(title=title, caption=caption, caption_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    view.padding = 0
    for name in ("step", "n"):
        view.add_column(name, justify="right", no_wrap=True)
    view.add_column("", max_width=18, overflow="fold")
    for name in COLUMNS:
        view.add_column(name, justify="right", no_wrap=True)
    for horizon, at in truth.dream.items():
        rows = [("dream", at.decided)]
        if at.decided.windows:
            rows += [(name, curve[horizon].decided) for name, curve in truth.baselines.items()]
        if at.undecided.windows:
            rows.append(("dream, chance", at.undecided))
        for place, (name, scores) in enumerate(rows):
            first, by_chance = place == 0, scores is at.undecided
            spread = judgement.futures.spread.get(horizon) if first else None
            view.add_row(
                str(horizon) if first else "",
                str(scores.windows) if first or by_chance else "",
                name,
                *_cells(scores, spread),
                style="bold" if first else "dim italic" if by_chance else None,
                end_section=place == len(rows) - 1,
            )
    return view


def _cells(scores: Scores, spread: Spread | None) -> list[str]:
    return [
        number(scores.exact),
        number(scores.wrong_pixels, 1),
        number(scores.psnr, 0),
        number(scores.ssim),
        number(scores.recall),
        number(scores.precision),
        number(scores.frozen, 2),
        number(scores.came_back_recall, 2),
        "" if spread is None else number(spread.diversity, 2),
        f"{number(scores.reward_recall, 2)}/{number(scores.reward_precision, 2)}",
        f"{number(scores.termination_recall, 2)}/{number(scores.termination_precision, 2)}",
    ]


def notes(judgement: Judgement) -> list[str]:
    """A line for each measurement that knows no single horizon."""
    lines = []
    for name, start in {"dream": judgement.from_start, **judgement.from_start_beside}.items():
        lines += _start_lines(name, start)
    lines.append(_calibration_line(judgement.futures))
    if judgement.chance is not None:
        lines.append(_chance_line(judgement.chance))
    return lines


def _start_lines(name: str, start: FromStart) -> list[str]:
    groups = ((name, start.decided), (f"{name}, chance", start.undecided))
    return [_start_line(label, scores) for label, scores in groups if scores.episodes]


def _start_line(name: str, scores: StartScores) -> str:
    what = f"{scores.episodes} episodes, {CONTEXT} context frames, {number(scores.steps, 0)} steps"
    return (
        f"{name} from the start ({what}): return right {_sure(scores.return_right, scores.return_right_ci95)}, "
        f"final reward {number(scores.final_reward_right)}, end {number(scores.end_right)}"
    )


def _calibration_line(futures: Futures) -> str:
    events = "; ".join(f"{event} {_reliable(reliable)}" for event, reliable in futures.calibration.items())
    return f"calibration, frequency dreamed/true (expected error): {events}"


def _reliable(reliable: Reliability) -> str:
    return f"{number(reliable.dreamed, 4)}/{number(reliable.true, 4)} ({number(reliable.error, 4)})"


def _chance_line(chance: ChanceMoves) -> str:
    return (
        f"where chance decides ({chance.steps} steps): moves dreamed/true "
        f"{number(chance.dreamed)}/{number(chance.true)}, difference {_sure(chance.difference, chance.difference_ci95)}"
    )


def _sure(value: float | None, interval: Interval) -> str:
    return number(value) if interval is None else f"{number(value)} ({interval[0]:.3f} to {interval[1]:.3f})"


def number(value: float | None, digits: int = 3) -> str:
    """The number, or a dash where there was nothing to count."""
    return "–" if value is None else f"{value:.{digits}f}"
