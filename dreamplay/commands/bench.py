"""`dreamplay bench`: how fast a run dreams, beside the environment it was learned from."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    from rich.table import Table

    from dreamplay.rates import Rates, Work


@dataclass(frozen=True)
class Bench:
    """Measure dream steps a second beside the real environment, in the same run on the same core.

    All take turns, round by round: what else the machine does meets all alike, and ratios are taken within a round.
    """

    checkpoint: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Run folder, as `dreamplay train` leaves it, or the name of a shipped dream."""

    batches: tuple[int, ...] = (1, 16, 64, 256)
    """How many dreams at once."""

    backends: tuple[str, ...] = ()
    """torch, onnx; by default all that are installed."""

    real_batch: int = 64
    """How many real environments at once, in the vector environment beside the dreams."""

    rounds: int = 5
    """Turns of each; the median counts."""

    seconds: float = 0.5
    """Length of a turn."""

    seed: int = 0
    """Seed of the environments and of the random actions."""

    json: Path | None = None
    """File to write the figures to."""

    def run(self) -> dict[str, Any]:
        """Measure, and return {"dream", "real", "ratios", "matmul_gflops", "machine", "env", "frame"}.

        "dream" holds steps a second by "BACKEND BATCH frames" and "BACKEND BATCH frame-free", "real" by what the real
        environment is made with, "ratios" a dream over a real one: a single dream over single environments, many over
        many. Each is {"min", "median", "max"} over the rounds.
        """
        self._check()
        from rich.console import Console

        from dreamplay.progress import progress
        from dreamplay.rates import machine, matmul_rate, measure, one_core
        from dreamplay.simulator import load

        card = load(self.checkpoint, "cpu", "torch").card
        with one_core():
            dreams, real = self._dreams(), self._real()
            works = {"matmul": matmul_rate(), **dreams, **real}
            with progress(f"bench {card.id}", len(works) * self.rounds, "turns") as bar:
                rates = measure(works, rounds=self.rounds, seconds=self.seconds, on_turn=bar.advance)
        many = {name for name in real if name[0].isdigit()}
        ratios = {
            f"{dream} / {other}": rates[dream] / rates[other]
            for dream in dreams
            for other in real
            if (other in many) == (int(dream.split()[1]) > 1)
        }
        gflops = {name: value / 1e9 for name, value in rates["matmul"].to_json().items()}
        console = Console(width=None if Console().is_terminal else 110)
        console.print(_table(f"{card.id}, steps per second on one core", {k: rates[k] for k in (*dreams, *real)}, 0))
        console.print(_table("ratio, round by round", ratios, 2))
        console.print(f"product of two matrices in the same run: {gflops['median']:.0f} GFLOP/s", highlight=False)
        return {
            "env": card.id,
            "frame": card.observation_space.shape,
            "dream": {name: rates[name].to_json() for name in dreams},
            "real": {name: rates[name].to_json() for name in real},
            "ratios": {name: ratio.to_json() for name, ratio in ratios.items()},
            "matmul_gflops": gflops,
            "machine": machine(),
        }

    def _check(self) -> None:
        from dreamplay.errors import UserError
        from dreamplay.onnx_backend import check_installed

        for option, values, least in (
            ("--batches", self.batches, 1),
            ("--real-batch", (self.real_batch,), 1),
            ("--rounds", (self.rounds,), 1),
            ("--seed", (self.seed,), 0),
        ):
            for value in values:
                if value < least:
                    raise UserError(f"{option} {value} is not possible; it must be at least {least}")
        if not self.batches:
            raise UserError("--batches names no number of dreams; give at least one, such as --batches 1 64")
        if not 0 < self.seconds <= 60:
            raise UserError(f"--seconds {self.seconds} is out of range; use a number above 0 and up to 60")
        for backend in self.backends:
            if backend not in ("torch", "onnx"):
                raise UserError(f"--backends {backend} is unknown; use torch, onnx or both")
            if backend == "onnx":
                check_installed()

    def _dreams(self) -> "dict[str, Work]":
        from dreamplay.envs.dream_loading import load_simulator
        from dreamplay.onnx_backend import is_installed
        from dreamplay.speed_of_dreams import of_dream, of_frame_free

        run = str(self.checkpoint)
        works = {}
        for backend in self.backends or ("torch", *(["onnx"] if is_installed() else [])):
            simulator = load_simulator(run, "cpu", backend)
            for batch in self.batches:
                works[f"{backend} {batch} frames"] = of_dream(run, backend, batch, self.seed)
                works[f"{backend} {batch} frame-free"] = of_frame_free(simulator, batch, self.seed)
        return works

    def _real(self) -> "dict[str, Work]":
        import sys

        import gymnasium as gym

        from dreamplay.envs.dream_loading import load_simulator
        from dreamplay.errors import UserError
        from dreamplay.speed_of_dreams import real_envs

        works = {}
        for name, make in real_envs(load_simulator(str(self.checkpoint), "cpu", "torch").card, self.real_batch).items():
            try:
                measure, env = make()
            except (UserError, ImportError, gym.error.DependencyNotInstalled) as error:
                print(f"not measured, {name}: {' '.join(str(error).split())}", file=sys.stderr)
                continue
            works[name] = measure(env, self.seed)
        return works


def _table(title: str, rates: "dict[str, Rates]", digits: int) -> "Table":
    from rich import box
    from rich.table import Table

    view = Table("", "median", "min", "max", title=title, box=box.SIMPLE_HEAD, show_edge=False)
    for column in view.columns[1:]:
        column.justify = "right"
    for name, rate in rates.items():
        numbers = rate.to_json()
        view.add_row(name, *(f"{numbers[key]:,.{digits}f}" for key in ("median", "min", "max")))
    return view
