"""Train curricula on equal data and equal processor time, over several seeds, and draw error against horizon.

    python scripts/compare_curricula.py --env ALE/Pong-v5 --size 64 64 --minutes 4 --seeds 0 1 2

One row of panels per simulator, one line per curriculum, its band the spread over seeds: PNG, JSON and a table in
Markdown in --out. What Chiappa et al. (2017) found is checked against the same numbers, as far as its schemes are among
the curricula. The minutes are processor time, so a busy machine is no matter. What is found in --out is used again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import tyro
from comparison import Comparison, compare, tell_mistakes

from dreamplay.curriculum import CURRICULA, curriculum
from dreamplay.json_files import write_json
from dreamplay.whole_files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PUBLISHED = tuple(name for name in CURRICULA if name.startswith(("pdt", "oh", "bptt")))
PANELS = {
    "wrong_pixels": "wrong pixels",
    "psnr": "peak signal to noise, dB",
    "recall": "moving pixels found (recall)",
    "precision": "dreamed moving pixels that are real (precision)",
}
TABLE = {"wrong_pixels": 1, "recall": 3, "precision": 3}  # and their digits
TABLE_HORIZONS = (1, 5, 20, 50, 100)
NEAR, FAR = 1, 100  # steps; in shorter measurements the last horizon


@dataclass(frozen=True)
class Curricula(Comparison):
    """What to compare."""

    steps: int = 20_000
    """Real steps of a random agent to learn from."""
    minutes: float = 4.0
    """Processor time of each training, in minutes."""
    windows: int = 200
    """Held-out windows."""
    curricula: tuple[str, ...] = ("default", "teacher-forcing", *PUBLISHED)
    """Names of `dreamplay.curriculum.CURRICULA`."""
    simulators: tuple[Literal["default", "classic"], ...] = ("default", "classic")
    """Which simulators to train by them."""
    classic_learning_rate: float = 1e-3
    """Of the classic simulator. The published 0.00001 is meant for hundreds of thousands of updates."""
    out: Path = Path("runs/curricula")
    """Folder for data, runs and results."""

    def variants(self) -> list[dict[str, Any]]:
        """All trainings but for their seeds."""
        rates = {"default": {}, "classic": {"learning_rate": self.classic_learning_rate}}
        return [
            {"simulator": simulator, "curriculum": name, **rates[simulator]}
            for simulator in self.simulators
            for name in self.curricula
        ]


class Finding(NamedTuple):
    """A published finding as a comparison of two curricula."""

    claim: str
    metric: str
    horizon: int
    better: str
    worse: str


# Chiappa et al. 2017, section 3.1. Their error is a squared one, so the measure is the signal-to-noise ratio; recall is
# what they saw in their videos.
FINDINGS = (
    Finding("predicting all the time is better far ahead than teacher forcing", "psnr", FAR, "pdt-100", "pdt-0"),
    Finding("predicting all the time is better far ahead than a part of it", "psnr", FAR, "pdt-100", "pdt-33"),
    Finding("but worse near: blurrier", "psnr", NEAR, "pdt-0", "pdt-100"),
    Finding("predictions in a row are better than alternating ones", "psnr", FAR, "pdt-46", "pdt-46-alternating"),
    Finding("a long start in teacher forcing hurts far ahead", "psnr", FAR, "pdt-33", "pdt-0-20-33"),
    Finding("a short one does not", "psnr", FAR, "pdt-0-100", "pdt-33"),
    Finding("carrying the state over two windows helps", "psnr", FAR, "bptt-15-2", "pdt-0-100"),
    Finding("over five it can harm", "psnr", FAR, "bptt-15-2", "bptt-15-5"),
    Finding("the least error may lose the ball", "recall", FAR, "pdt-33", "pdt-100"),
)


def main() -> None:
    """Collect, train all, draw."""
    asked = tyro.cli(Curricula, description=__doc__)
    for name in asked.curricula:
        curriculum(name)
    answer = compare(asked, asked.variants())
    curves = gather(answer["results"])
    findings = check(curves)
    place = asked.out / f"curricula-{asked.name}-{'-'.join(asked.simulators)}"
    write_json(place.with_suffix(".json"), {**answer, "findings": findings})
    text = f"{table(curves)}\n\n{listing(findings)}\n"
    write_whole(place.with_suffix(".md"), text.encode())
    draw(curves, answer, place.with_suffix(".png"))
    print(f"\n{text}\nin {place}.json, .md and .png")


Curves = dict[tuple[str, str], list[dict[str, Any]]]
"""By simulator and curriculum: one curve per seed, each {horizon: {metric: value or None}}."""


def gather(results: list[dict[str, Any]]) -> Curves:
    """The curves of all trainings; under the curriculum "last frame" those of the last frame repeated."""
    curves: Curves = {}
    for result in results:
        simulator = result["settings"]["simulator"]
        curves.setdefault((simulator, result["settings"]["curriculum"]), []).append(result["horizons"])
        curves[simulator, "last frame"] = [result["baselines"]["last frame"]]
    return curves


def values(curves: list[dict[str, Any]], metric: str, horizon: str | int) -> list[float]:
    """A metric at a horizon, one value per seed that has one."""
    found = [curve.get(str(horizon), {}).get(metric) for curve in curves]
    return [value for value in found if value is not None]


def mean(numbers: list[float]) -> float:
    """Their mean."""
    return sum(numbers) / len(numbers)


def table(curves: Curves) -> str:
    """Means over seeds, wrong pixels / recall / precision, as Markdown."""
    there = {int(horizon) for seeds in curves.values() for curve in seeds for horizon in curve}
    horizons = [horizon for horizon in TABLE_HORIZONS if horizon in there]
    rows = [
        "| simulator | curriculum | seeds | " + " | ".join(f"{horizon} ahead" for horizon in horizons) + " |",
        "|---" * (3 + len(horizons)) + "|",
    ]
    for (simulator, name), seeds in curves.items():
        cells = [" / ".join(_number(values(seeds, m, h), digits) for m, digits in TABLE.items()) for h in horizons]
        count = "" if name == "last frame" else str(len(seeds))
        rows.append(f"| {simulator} | {name} | {count} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def check(curves: Curves) -> list[dict[str, Any]]:
    """Which of the published findings hold for each simulator, as far as its curricula were trained."""
    checked = []
    for simulator in dict.fromkeys(key[0] for key in curves):
        for finding in FINDINGS:
            pair = [curves.get((simulator, name)) for name in (finding.better, finding.worse)]
            if None in pair:
                continue
            horizon = max(int(h) for h in pair[0][0] if int(h) <= finding.horizon)
            better, worse = (values(seeds, finding.metric, horizon) for seeds in pair)
            if not (better and worse):
                continue
            measured = {"better_values": better, "worse_values": worse, "verdict": verdict(better, worse)}
            checked.append({"simulator": simulator, **finding._asdict(), "horizon": horizon, **measured})
    return checked


def verdict(better: list[float], worse: list[float]) -> str:
    """Whether what should be better is: with every seed of the one above every seed of the other."""
    said = "holds" if min(better) > max(worse) else "does not" if max(better) < min(worse) else "undecided"
    return said if min(len(better), len(worse)) > 1 else f"{said}, one seed"


def listing(findings: list[dict[str, Any]]) -> str:
    """The findings to read, as Markdown."""
    rows = ["| simulator | published finding | measured | verdict |", "|---|---|---|---|"]
    for f in findings:
        digits = 3 if f["metric"] == "recall" else 2
        sides = [f"{f[side]} {_number(f[f'{side}_values'], digits)}" for side in ("better", "worse")]
        measured = f"{f['metric']} {f['horizon']} ahead: {', '.join(sides)}"
        rows.append(f"| {f['simulator']} | {f['claim']} | {measured} | {f['verdict']} |")
    return "\n".join(rows)


def draw(curves: Curves, answer: dict[str, Any], path: Path) -> None:
    """A row of panels per simulator, a line per curriculum: the mean over seeds, in a band from least to most."""
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    simulators = list(dict.fromkeys(key[0] for key in curves))
    names = list(dict.fromkeys(key[1] for key in curves if key[1] != "last frame"))
    figure = Figure(figsize=(5 * len(PANELS), 4.2 * len(simulators) + 1.2), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(simulators), len(PANELS), squeeze=False, sharey="col")
    colour: Callable[[int], Any] = colormaps["tab20"]
    for row, simulator in zip(grid, simulators, strict=True):
        for axes, (metric, heading) in zip(row, PANELS.items(), strict=True):
            for place, name in enumerate(names):
                _line(axes, curves.get((simulator, name), []), metric, name, color=colour(place % 20))
            _line(axes, curves[simulator, "last frame"], metric, "last frame repeated", color="#888888", ls="--")
            axes.set_title(f"{simulator}: {heading}", fontsize=11, loc="left")
            axes.set_xlabel("horizon (steps since the context)")
            axes.set_xscale("log")
            horizons = list(curves[simulator, "last frame"][0])
            axes.set_xticks([int(h) for h in horizons], horizons)
            axes.minorticks_off()
            if metric == "wrong_pixels":
                axes.set_yscale("symlog", linthresh=1)
            axes.grid(True, color="#e6e6ea", lw=0.8)
            axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=7, frameon=False)
    seeds = len({result["seed"] for result in answer["results"]})
    size = "" if answer["size"] is None else " at {}x{}".format(*answer["size"])
    figure.suptitle(
        f"{answer['env']}{size}: {answer['steps']} random steps, {answer['processor_minutes']:g} minutes of processor "
        f"time, {seeds} seed{'s' if seeds > 1 else ''}; {answer['machine']}"
    )
    figure.savefig(path)


def _line(axes: "Axes", seeds: list[dict[str, Any]], metric: str, label: str, **style: Any) -> None:
    horizons = [h for h in (seeds[0] if seeds else {}) if values(seeds, metric, h)]
    points = [values(seeds, metric, h) for h in horizons]
    x = [int(h) for h in horizons]
    axes.plot(x, [mean(at) for at in points], marker="o", ms=3, lw=1.6, label=label, **style)
    if len(seeds) > 1:
        axes.fill_between(x, [min(at) for at in points], [max(at) for at in points], color=style["color"], alpha=0.15)


def _number(numbers: list[float], digits: int) -> str:
    return f"{mean(numbers):.{digits}f}" if numbers else "–"


if __name__ == "__main__":
    tell_mistakes(main)
