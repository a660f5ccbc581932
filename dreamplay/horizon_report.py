"""The truth horizon to read and to look at: a table and a plot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamplay.horizon import Curve, TruthHorizon
from dreamplay.horizon_scores import Scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.table import Table

PANELS = (
    ("exact", "exact frames", "share of windows"),
    ("wrong_pixels", "wrong pixels", "pixels per frame"),
    ("recall", "moving pixels found (recall)", "share of true ones"),
    ("precision", "dreamed moving pixels real (precision)", "share of dreamed ones"),
)
COLOURS = ("#d1495b", "#8d99ae", "#b8a369", "#2e86ab", "#66a182", "#6a4c93")


def table(result: TruthHorizon, title: str = "truth horizon") -> Table:
    """All numbers, a block of rows per horizon, for 100 columns; what chance had a hand in has a row of its own."""
    from rich import box
    from rich.table import Table

    caption = (
        f"{result.windows} held-out windows after {result.context} context frames. steps: since the context. found: "
        "share of true moving pixels with a dreamed one within 2 px; real: the other way round. reward, end: events up "
        "to there dreamed on exactly the right step, found/real. chance: windows in which the game drew on randomness."
    )
    view = Table(title=title, caption=caption, caption_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    view.collapse_padding = True
    for name in ("steps", "windows"):
        view.add_column(name, justify="right", no_wrap=True)
    view.add_column("", max_width=18, overflow="fold")
    for name in ("exact", "wrong px", "PSNR dB", "found", "real", "reward", "end"):
        view.add_column(name, justify="right", no_wrap=True)
    for horizon, at in result.dream.items():
        rows = [("dream", at.decided)]
        rows += [(name, curve[horizon].decided) for name, curve in result.baselines.items()]
        if at.undecided.windows:
            rows.append(("dream, chance", at.undecided))
        for place, (name, scores) in enumerate(rows):
            first, chance = place == 0, scores is at.undecided
            view.add_row(
                str(horizon) if first else "",
                str(scores.windows) if first or chance else "",
                name,
                *_cells(scores),
                style="bold" if first else "dim italic" if chance else None,
                end_section=place == len(rows) - 1,
            )
    return view


def _cells(scores: Scores) -> list[str]:
    return [
        _number(scores.exact),
        "–" if scores.wrong_pixels is None else f"{scores.wrong_pixels:.1f}",
        "–" if scores.psnr is None else f"{scores.psnr:.1f}",
        _number(scores.recall),
        _number(scores.precision),
        f"{_number(scores.reward_recall, 2)}/{_number(scores.reward_precision, 2)}",
        f"{_number(scores.termination_recall, 2)}/{_number(scores.termination_precision, 2)}",
    ]


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def plot(result: TruthHorizon, path: Path, title: str = "truth horizon") -> Path:
    """Four panels over the horizon, dream beside baselines, with the dream's 95 % interval over windows; a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 7), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    curves = {"dream": result.dream, **result.baselines}
    panels = figure.subplots(2, 2).ravel()
    for axes, (metric, heading, unit) in zip(panels, PANELS, strict=True):
        for place, (name, curve) in reversed(list(enumerate(curves.items()))):
            _draw(axes, curve, metric, name, place)
        _dress(axes, list(result.dream), metric, heading, unit)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles[::-1], labels[::-1], loc="outside lower center", ncols=min(len(labels), 5), frameon=False, fontsize=11
    )
    figure.suptitle(f"{title}\n{result.windows} held-out windows, {result.context} context frames", fontsize=13)
    figure.savefig(path)
    return path


def _draw(axes: Axes, curve: Curve, metric: str, name: str, place: int) -> None:
    points = [(h, at.decided) for h, at in curve.items() if getattr(at.decided, metric) is not None]
    style: dict[str, Any] = {"color": COLOURS[place % len(COLOURS)], "zorder": 3 if place == 0 else 2}
    style |= {"lw": 2.4, "marker": "o", "ms": 5} if place == 0 else {"lw": 1.5, "marker": "o", "ms": 3, "ls": "--"}
    axes.plot([h for h, _ in points], [getattr(at, metric) for _, at in points], label=name, **style)
    bounds = [(h, *interval) for h, at in points if (interval := getattr(at, f"{metric}_ci95", None))]
    if place == 0 and bounds:
        horizons, low, high = zip(*bounds, strict=True)
        axes.fill_between(horizons, low, high, color=style["color"], alpha=0.15, lw=0)


def _dress(axes: Axes, horizons: list[int], metric: str, heading: str, unit: str) -> None:
    axes.set_title(heading, fontsize=11.5, loc="left", fontweight="bold")
    axes.set_xlabel("horizon (steps since the context)")
    axes.set_ylabel(unit)
    axes.set_xscale("log")
    axes.set_xticks(horizons, [str(h) for h in horizons])
    axes.minorticks_off()
    if metric == "wrong_pixels":
        axes.set_yscale("symlog", linthresh=1)
        axes.set_ylim(-0.05, 2 * max(axes.get_ylim()[1], 1))
    else:
        axes.set_ylim(-0.03, 1.03)
    axes.grid(True, color="#e6e6ea", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
