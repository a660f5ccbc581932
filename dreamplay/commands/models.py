"""`dreamplay models`: the dreams that come with the package."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

HORIZONS = ("20", "100")  # steps ahead, of which the list tells


@dataclass(frozen=True)
class Models:
    """List the dreams that come with Dreamplay: their names stand wherever a RUN is asked for.

    Found and real are shares of moving pixels, within two pixels: of those in truth, how many the dream has, and of
    those it dreams, how many are real, that many steps after the last real frame. Each folder holds a README.md that
    tells data, recipe and licence.
    """

    seed: int = 0
    """Taken as by every command; nothing in a list is drawn."""

    json: Path | None = None
    """File to write the list to."""

    def run(self) -> dict[str, Any]:
        """List; returns {"models": [see `dreamplay.shipped.describe`]}."""
        from rich import box
        from rich.console import Console
        from rich.table import Table

        from dreamplay.shipped import describe, names

        models = [describe(name) for name in names()]
        view = Table(box=box.SIMPLE_HEAD, show_edge=False)
        view.add_column("name", no_wrap=True)
        for column in ("environment", "frames"):
            view.add_column(column)
        for column in (*(f"found / real, {horizon} ahead" for horizon in HORIZONS), "MB"):
            view.add_column(column, justify="right")
        view.add_column("learned from")
        for model in models:
            height, width, _ = model["frame"]
            curve = [_shares(model["horizons"].get(horizon)) for horizon in HORIZONS]
            made = model["origin"].get("summary", "")
            view.add_row(
                model["name"], model["env"], f"{height} x {width}", *curve, f"{model['bytes'] / 1e6:.1f}", made
            )
        console = Console()
        if not console.is_terminal:
            console = Console(width=140)  # rich takes 80 columns for a file or a pipe, which cuts words
        console.print(view)
        if models:
            print(f"\nnext: dreamplay play {models[0]['name']}")
        return {"models": models}


def _shares(scores: dict[str, Any] | None) -> str:
    if scores is None:
        return "not measured"
    return " / ".join("none" if scores[key] is None else f"{scores[key]:.2f}" for key in ("recall", "precision"))
