"""A judgement as one picture: eight panels, six of them over the horizon, dream beside baselines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamplay.futures import Futures
from dreamplay.horizon import Curve
from dreamplay.judgement import Judgement

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = (
    ("exact", "exact frames", "share of windows"),
    ("wrong_pixels", "wrong pixels", "pixels per frame"),
    ("recall", "moving pixels found (recall)", "share of true ones"),
    ("precision", "dreamed moving pixels real (precision)", "share of dreamed ones"),
    ("ssim", "structural similarity", "SSIM"),
    ("frozen", "frozen dreams", "share of windows that move"),
)
COLOURS = ("#d1495b", "#8d99ae", "#b8a369", "#2e86ab", "#66a182", "#6a4c93")
LEAST_COUNT = 20  # a bin of fewer is noise
EVENTS = {"reward": "#d1495b", "termination": "#2e86ab", "pixel": "#8d99ae"}


def plot(judgement: Judgement, path: Path, title: str = "truth horizon") -> Path:
    """Draws the dream with its 95 % intervals over windows, the baselines, and what sampled dreams say; a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    truth = judgement.truth
    figure = Figure(figsize=(18, 7.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    curves = {"dream": truth.dream, **truth.baselines}
    panels = figure.subplots(2, 4).T.ravel()
    for axes, (metric, heading, unit) in zip(panels[:6], PANELS, strict=True):
        for place, (name, curve) in reversed(list(enumerate(curves.items()))):
            _draw(axes, curve, metric, name, place)
        _dress(axes, metric == "wrong_pixels", heading, unit)
        _horizons(axes, list(truth.dream))
    handles, labels = panels[0].get_legend_handles_labels()
    _diversity(panels[6], judgement.futures, list(truth.dream))
    _calibration(panels[7], judgement.futures)
    figure.legend(
        handles[::-1], labels[::-1], loc="outside lower center", ncols=min(len(labels), 6), frameon=False, fontsize=11
    )
    figure.suptitle(f"{title}\n{truth.windows} held-out windows, {truth.context} context frames", fontsize=13)
    figure.savefig(path)
    return path


def _draw(axes: Axes, curve: Curve, metric: str, name: str, place: int) -> None:
    points = [(h, at.decided) for h, at in curve.items() if getattr(at.decided, metric) is not None]
    style: dict[str, Any] = {"color": COLOURS[place % len(COLOURS)], "zorder": 3 if place == 0 else 2}
    style |= {"lw": 2.4, "marker": "o", "ms": 5} if place == 0 else {"lw": 1.5, "marker": "o", "ms": 3, "ls": "--"}
    axes.plot([h for h, _ in points], [getattr(at, metric) for _, at in points], label=name, **style)
    if place:
        return
    bounds = [(h, *interval) for h, at in points if (interval := getattr(at, f"{metric}_ci95"))]
    if bounds:
        horizons, low, high = zip(*bounds, strict=True)
        axes.fill_between(horizons, low, high, color=style["color"], alpha=0.15, lw=0)
    if any(at.undecided.windows for at in curve.values()):
        by_chance = [(h, y) for h, at in curve.items() if (y := getattr(at.undecided, metric)) is not None]
        style |= {"lw": 1.5, "ms": 3, "ls": ":"}
        axes.plot([h for h, _ in by_chance], [y for _, y in by_chance], label="dream, where chance had a hand", **style)


def _diversity(axes: Axes, futures: Futures, horizons: list[int]) -> None:
    points = [(h, spread.diversity) for h, spread in futures.spread.items() if spread.diversity is not None]
    axes.axhline(1, color="#22223b", lw=1, ls=":")
    axes.plot([h for h, _ in points], [y for _, y in points], color=COLOURS[0], lw=2.4, marker="o", ms=5)
    bounds = [(h, *spread.diversity_ci95) for h, spread in futures.spread.items() if spread.diversity_ci95]
    if bounds:
        places, low, high = zip(*bounds, strict=True)
        axes.fill_between(places, low, high, color=COLOURS[0], alpha=0.15, lw=0)
    _dress(axes, False, "diversity of sampled futures", "1 = as far apart as from truth")
    axes.set_ylim(-0.03, max(1.5, axes.get_ylim()[1]))
    _horizons(axes, horizons)


def _calibration(axes: Axes, futures: Futures) -> None:
    axes.plot([0, 1], [0, 1], color="#22223b", lw=1, ls=":")
    for event, reliable in futures.calibration.items():
        points = sorted((b["dreamed"], b["true"]) for b in reliable.bins if b["count"] >= LEAST_COUNT)
        axes.plot(
            [x for x, _ in points], [y for _, y in points], color=EVENTS[event], lw=1.5, marker="o", ms=4, label=event
        )
    _dress(axes, False, "calibration", "frequency in truth")
    axes.set_xlabel("probability in the dream")
    axes.legend(frameon=False)


def _dress(axes: Axes, logarithmic: bool, heading: str, unit: str) -> None:
    axes.set_title(heading, fontsize=11.5, loc="left", fontweight="bold")
    axes.set_ylabel(unit)
    if logarithmic:
        axes.set_yscale("symlog", linthresh=1)
        axes.set_ylim(-0.05, 2 * max(axes.get_ylim()[1], 1))
    else:
        axes.set_ylim(-0.03, 1.03)
    axes.grid(True, color="#e6e6ea", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _horizons(axes: Axes, horizons: list[int]) -> None:
    axes.set_xlabel("horizon (steps since the context)")
    axes.set_xscale("log")
    axes.set_xticks(horizons, [str(h) for h in horizons])
    axes.minorticks_off()
