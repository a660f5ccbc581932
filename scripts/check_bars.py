"""Do evaluations meet the bars that Dreamplay sets itself? One line per bar and run.

    python scripts/check_bars.py runs/Dreamplay-Catch-v0 runs/Dreamplay-Bricks-v0 runs/Dreamplay-Recall-v0

Each run has to have been evaluated (`dreamplay evaluate RUN`). Rally's bars are in check_chance.py, CartPole's is in
read_pole_angle.py.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

FRAMES = {"20": 0.99, "100": 0.97}  # exact frames, by horizon
BARS: dict[str, list[tuple[str, ...]]] = {
    "Dreamplay/Catch-v0": [("horizons", h, "exact") for h in FRAMES],
    "Dreamplay/Bricks-v0": [("horizons", h, "exact") for h in FRAMES],
    "Dreamplay/Recall-v0": [("from_start", "final_reward_right")],
}
FINAL_REWARD = 0.98


@dataclass(frozen=True)
class Bars:
    """Which runs to look at."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders."""


def check(evaluation: dict[str, Any]) -> list[tuple[str, float | None, float]]:
    """(what, measured, bar) for each bar of the environment."""
    lines = []
    for path in BARS.get(evaluation["data"]["env"], []):
        value: Any = evaluation
        for key in path:
            value = value[key] if value is not None and key in value else None
        lines.append((" ".join(path), value, FRAMES.get(path[1], FINAL_REWARD)))
    return lines


def main() -> None:
    """Print a line per bar; exit status 1 if one is not met."""
    all_met = True
    for run in tyro.cli(Bars).runs:
        file = run / "evaluation" / "horizon.json"
        if not file.is_file():
            sys.exit(f"{run} has no evaluation; run `dreamplay evaluate {run}` first")
        evaluation = json.loads(file.read_text(encoding="utf-8"))
        for what, measured, bar in check(evaluation):
            met = measured is not None and measured >= bar
            all_met &= met
            print(f"{'met    ' if met else 'NOT MET'} {run}: {what} {measured} (bar {bar})")
    sys.exit(not all_met)


if __name__ == "__main__":
    main()
