"""Train variants on equal data and equal processor time, over several seeds, and put their truth horizons side by side.

    python scripts/compare_training.py --env Dreamplay/Bricks-v0 --vary simulator=default,classic --minutes 3

Data, runs and results go to --out; what is found there is used again, see `comparison.py`.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import tyro
from comparison import Comparison, compare, tell_mistakes

from dreamplay.json_files import write_json

METRICS = ("exact", "wrong_pixels", "recall", "precision", "reward_recall", "reward_precision")


@dataclass(frozen=True)
class Variants(Comparison):
    """What to compare."""

    vary: tuple[str, ...] = ("simulator=default,classic",)
    """Settings of `dreamplay.training.TrainConfig` and their values; all combinations are trained."""


def main() -> None:
    """Collect, train all, print one table."""
    asked = tyro.cli(Variants, description=__doc__)
    answer = compare(asked, variants(asked.vary))
    axes = "-".join(text.partition("=")[0] for text in asked.vary)
    write_json(asked.out / f"comparison-{asked.name}-{axes}.json", answer)
    print_table(answer["results"])


def variants(vary: tuple[str, ...]) -> list[dict[str, Any]]:
    """All combinations of "name=value,value" texts, values taken as numbers where they are."""
    axes = []
    for text in vary:
        name, _, values = text.partition("=")
        axes.append([(name, number(value)) for value in values.split(",")])
    return [dict(combination) for combination in itertools.product(*axes)]


def number(text: str) -> int | float | str:
    """The number that a text is, or the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def print_table(results: list[dict[str, Any]]) -> None:
    """A block per horizon, a row per training."""
    from rich.console import Console
    from rich.table import Table

    table = Table("horizon", "variant", "seed", "updates", *METRICS)
    for horizon in results[0]["horizons"]:
        for result in results:
            at = result["horizons"][horizon]
            cells = ["–" if at.get(metric) is None else f"{at[metric]:.3f}" for metric in METRICS]
            name = ", ".join(f"{key} {value}" for key, value in result["settings"].items())
            table.add_row(horizon, name, str(result["seed"]), str(result["updates"]), *cells)
        table.add_section()
    Console(width=140).print(table)


if __name__ == "__main__":
    tell_mistakes(main)
