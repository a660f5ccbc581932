"""`dreamplay evaluate`: how long the dream of a checkpoint stays true."""

import json as json_format
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from dreamplay.envs.card import EnvCard
    from dreamplay.episodes import Episodes
    from dreamplay.simulator import Simulator
    from dreamplay.training import Training

FPS = 15


@dataclass(frozen=True)
class Evaluate:
    """Measure the truth horizon: how many steps a dream stays true, as numbers, a plot and a video.

    Dream and truth start from the same 10 real frames of held-out episodes and take the same actions. Beside that it
    samples futures (are they diverse, and as probable as they say?), takes the moves of chance one by one, and dreams
    whole episodes from their first two frames. What is written is derived from the run: evaluating a run again replaces
    its own earlier evaluation, and nothing else.
    """

    checkpoint: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Run folder of the simulator to judge, or the name of a shipped dream."""

    data: Path | None = None
    """Data folder whose held-out episodes are the truth; by default the one the run was trained on."""

    held_out: Path | None = None
    """Data folder of which every episode is the truth, such as what an agent plays that was not learned from; by
    default a tenth of the data, which is kept out of the training. Background and mean frame are then taken from
    --data, or else from these."""

    against: tuple[Path, ...] = ()
    """Further runs to judge on the same windows, such as one trained with --simulator classic."""

    windows: int = 200
    """Windows to dream, fewer if the held-out episodes have fewer; at horizon h those count that last h steps.
    Every fourth of them is dreamt past 100 steps."""

    horizon: int = 1000
    """Largest horizon in steps, as far as the held-out episodes last."""

    out: Path | None = None
    """Folder for horizon.json, horizon.png and horizon.mp4; RUN/evaluation by default, evaluation/NAME for a shipped
    dream."""

    device: str = "auto"
    """Where to dream: auto, cpu, cuda."""

    backend: Literal["auto", "torch", "onnx"] = "auto"
    """What computes the dream: auto takes ONNX Runtime on a CPU when it is installed."""

    seed: int = 0
    """Seed that draws the windows."""

    json: Path | None = None
    """File to write the numbers to, as in horizon.json."""

    def run(self) -> dict[str, Any]:
        """Evaluate; returns `Judgement.to_json` with "run", "data" and "files" added."""
        from rich.console import Console

        from dreamplay.horizon_plot import plot
        from dreamplay.horizon_table import table
        from dreamplay.horizon_video import choose_clips, pictures
        from dreamplay.json_files import write_json
        from dreamplay.judgement import Plan, judge
        from dreamplay.progress import progress
        from dreamplay.shipped import find_run
        from dreamplay.simulator import load
        from dreamplay.video import write_video

        run = find_run(self.checkpoint)
        simulator = load(run, self.device, self.backend)
        against = self._against(simulator)
        episodes = open_data(self.data or self.held_out, simulator, run)
        truth = episodes if self.held_out is None else open_data(self.held_out, simulator, run)
        train, held_out = episodes.split()
        if self.held_out is not None:
            held_out = list(truth)
        plan = Plan.draw(held_out, self.windows, self.horizon, self.seed)
        folder = output_folder(self.out, run)
        with progress("evaluate", plan.work(len(against)), "windows") as bar:
            result = judge(simulator, train, held_out, plan, against=against, on_window=bar.advance)
        answer = result.to_json() | {
            "run": str(run.resolve()),
            "data": {
                "folder": str(truth.folder),
                "env": episodes.card.id,
                "held_out_episodes": len(held_out),
                "held_out_steps": sum(len(episode) for episode in held_out),
            },
        }
        files = {kind: folder / f"horizon.{kind}" for kind in ("json", "png", "mp4")}
        write_json(files["json"], answer)
        plot(result, files["png"], title=f"truth horizon of {episodes.card.id}")
        clips = choose_clips(plan.windows, self.seed)
        write_video(files["mp4"], pictures(simulator, clips, self.seed), fps=min(episodes.card.fps, FPS))
        console = Console()
        if not console.is_terminal:
            console = Console(width=100)  # rich takes 80 columns for a file or a pipe, which cuts numbers
        console.print(table(result, title=f"truth horizon of {episodes.card.id}"))
        console.print("\n".join(f"{kind}: {path}" for kind, path in files.items()), soft_wrap=True, highlight=False)
        if not against:
            console.print(self._how_to_compare(episodes.folder), soft_wrap=True, highlight=False)
        return answer | {"files": {kind: str(path) for kind, path in files.items()}}

    def _how_to_compare(self, data: Path) -> str:
        run = self.checkpoint
        classic = run.with_name(f"{run.name}-classic")
        return (
            f"beside the published simulator: dreamplay train --data {data.resolve()} --simulator classic --minutes M "
            f"--out {classic} && dreamplay evaluate {run} --against {classic}"
        )

    def _against(self, simulator: "Simulator") -> "dict[str, Simulator]":
        from dreamplay.errors import UserError
        from dreamplay.simulator import load

        others = {}
        for run in self.against:
            other = load(run, self.device, self.backend)
            if spaces(other.card) != spaces(simulator.card):
                raise UserError(
                    f"--against {run} dreams {describe(other.card)}, {self.checkpoint} {describe(simulator.card)}; "
                    "compare runs of one environment"
                )
            others[str(run)] = other
        return others


def open_data(data: Path | None, simulator: "Simulator | Training", run: Path) -> "Episodes":
    """The data of a simulator: what was asked for, else what the run says it was trained on.

    Raises:
        UserError: there is no such folder, or its frames or actions are not the simulator's.
    """
    from dreamplay.episodes import Episodes
    from dreamplay.errors import UserError
    from dreamplay.shipped import shipped_name

    if data is None:
        if (name := shipped_name(run)) is not None:
            raise UserError(
                f"{name} is shipped without its data; collect some (dreamplay collect {name} --out data/{name}) and "
                f"name them: --data data/{name}"
            )
        if simulator.data_folder is None:
            raise UserError(f"{run} does not say which data it was trained on; name a data folder with --data")
        data = run / simulator.data_folder  # an absolute path stands for itself
        if not data.is_dir():
            raise UserError(f"the data {run} was trained on is no longer at {data}; name a data folder with --data")
    episodes = Episodes.open(data)
    if spaces(episodes.card) != spaces(simulator.card):
        raise UserError(
            f"{data} holds {describe(episodes.card)}, {run} dreams {describe(simulator.card)}; "
            "name other data with --data"
        )
    return episodes


def output_folder(out: Path | None, run: Path) -> Path:
    """The folder to write to: the run's own, or one that is new, empty, or an earlier evaluation of the same run.

    Raises:
        UserError: it holds something else, or a file is in its way.
    """
    from dreamplay.folders import claim
    from dreamplay.shipped import own_folder, shipped_name

    if out is None and shipped_name(run) is not None:
        out = own_folder(run, "evaluation")
    if out is None:
        folder = run / "evaluation"
        return folder if folder.is_dir() else claim(folder)
    return out if _evaluates(out, run) else claim(out)


def _evaluates(folder: Path, run: Path) -> bool:
    try:
        return json_format.loads((folder / "horizon.json").read_text(encoding="utf-8"))["run"] == str(run.resolve())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def spaces(card: "EnvCard") -> tuple[Any, ...]:
    """What has to be equal for a simulator and data to fit: frame shape and action space."""
    return card.observation_space.shape, card.action_space


def describe(card: "EnvCard") -> str:
    """Frames and actions in words."""
    return f"frames {card.observation_space.shape} with actions {card.action_space} ({card.id})"
