"""`dreamplay demo`: the whole story on a built-in game."""

import shutil
import time
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from dreamplay.commands.act import Act
from dreamplay.commands.collect import Collect
from dreamplay.commands.evaluate import Evaluate
from dreamplay.commands.train import Train

METRICS = "metrics.json"
SETTINGS = "demo.json"  # written first: marks the folder as a demo's own, an interrupted one's too
OWN = ("data", "run", "dream.mp4", "planner.mp4", "play.mp4", "report.html", METRICS, SETTINGS)
LEAST_STEPS = 1000


@dataclass(frozen=True)
class Demo:
    """The whole story in minutes: collect, train, truth horizon, plan in the dream, act in reality, report.

    With a display it ends by opening the player. Running it again replaces an earlier demo in the same folder, unless
    something else has been put there.
    """

    env: str = "Dreamplay/Bricks-v0"
    """Environment to learn."""

    steps: int = 50_000
    """Real steps to collect, by a random agent."""

    minutes: float = 4.0
    """Length of the training in minutes."""

    horizon: int = 100
    """Largest horizon of the truth horizon, in steps."""

    episodes: int = 10
    """Real episodes of each agent."""

    max_steps: int = 200
    """Steps after which an episode of the planner is cut; the random agent's are not."""

    out: Path = Path("runs/demo")
    """Folder to make."""

    seed: int = 0
    """Seed of everything."""

    json: Path | None = None
    """File to write the numbers to, as in metrics.json."""

    def run(self) -> dict[str, Any]:
        """Run the demo; returns {"exact_frame_rate", "return_random", "return_planner", ...}."""
        from dreamplay.json_files import write_json

        began = time.monotonic()
        self._check()
        self._clear()
        write_json(self.out / SETTINGS, vars(self))
        data, run = self.out / "data", self.out / "run"
        _say("1/5", f"collecting {self.steps} steps of {self.env}")
        collected = Collect(env=self.env, steps=self.steps, out=data, seed=self.seed).run()
        _say("2/5", "learning to predict them")
        trained = Train(data=data, out=run, minutes=self.minutes, seed=self.seed).run()
        _say("3/5", "measuring how long the dream stays true")
        judged = Evaluate(checkpoint=run, horizon=self.horizon, windows=400, seed=self.seed).run()
        _say("4/5", "acting in the real game: at random, then planning in the dream")
        random = Act(checkpoint=run, agent="random", episodes=self.episodes, seed=self.seed).run()
        planner = Act(
            checkpoint=run,
            agent="cem",
            episodes=self.episodes,
            max_steps=self.max_steps,
            video=self.out / "planner.mp4",
            seed=self.seed,
        ).run()
        shutil.copyfile(judged["files"]["mp4"], self.out / "dream.mp4")
        metrics = {
            "env": self.env,
            "real_steps": collected["steps"],
            "training_minutes": trained["minutes"],
            "updates": trained["updates"],
            "exact_frame_rate": {h: at["exact"] for h, at in judged["horizons"].items()},
            "exact_frame_rate_last_frame": {h: at["exact"] for h, at in judged["baselines"]["last frame"].items()},
            "windows": {h: at["windows"] for h, at in judged["horizons"].items()},
            "return_random": random["mean_return"],
            "return_random_ci95": random["ci95"],
            "return_planner": planner["mean_return"],
            "return_planner_ci95": planner["ci95"],
            "returns_random": random["returns"],
            "returns_planner": planner["returns"],
            "minutes": (time.monotonic() - began) / 60,
        }
        _say("5/5", f"report: {self.out / 'report.html'}")
        write_json(self.out / METRICS, metrics)
        self._report(metrics, Path(judged["files"]["png"]))
        self._finish(run)
        return metrics

    def _check(self) -> None:
        """Whatever would stop the demo half-way stops it before an earlier one makes room."""
        from dreamplay.envs.real import make_env
        from dreamplay.errors import UserError

        for option, value, least in (
            ("--steps", self.steps, LEAST_STEPS),
            ("--horizon", self.horizon, 1),
            ("--episodes", self.episodes, 1),
            ("--max-steps", self.max_steps, 1),
            ("--seed", self.seed, 0),
        ):
            if value < least:
                raise UserError(f"{option} {value} is not possible; it must be at least {least}")
        if not (self.minutes > 0 and isfinite(self.minutes)):
            raise UserError(f"--minutes {self.minutes} is not possible; it must be a number above 0")
        make_env(self.env).close()

    def _clear(self) -> None:
        """An earlier demo makes room for this one, nothing else does."""
        from dreamplay.folders import claim

        if (self.out / SETTINGS).is_file() and {path.name for path in self.out.iterdir()} <= set(OWN):
            for path in sorted(self.out.iterdir(), key=lambda path: path.name == SETTINGS):  # the mark goes last
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        claim(self.out)

    def _report(self, metrics: dict[str, Any], plot: Path) -> None:
        from dreamplay.report import Page

        page = Page(
            f"A dream of {self.env}",
            f"{metrics['real_steps']:,} real steps of a random agent, {metrics['training_minutes']:.1f} minutes of "
            f"training, seed {self.seed}",
        )
        page.section(
            "The dream beside the truth",
            "Held-out episodes: after the context frames both sides take the same actions, and the dream sees nothing "
            "but its own frames.",
        )
        page.video(self.out / "dream.mp4")
        page.section("How long it stays true", "Share of frames that are right in every pixel, after so many steps.")
        exact, still = metrics["exact_frame_rate"], metrics["exact_frame_rate_last_frame"]
        page.table(
            ["horizon in steps", "dream", "last frame repeated", "windows"],
            [[h, _number(exact[h], 3), _number(still[h], 3), str(metrics["windows"][h])] for h in exact],
        )
        page.picture(plot)
        page.section(
            "Planning in the dream, acting in reality",
            f"Mean return of {self.episodes} real episodes with its 95 % confidence interval. The planner "
            f"(cross-entropy method) sees only the dream; its episodes are cut after {self.max_steps} steps.",
        )
        page.table(
            ["agent", "mean return", "±"],
            [
                [name, _number(metrics[f"return_{key}"], 2), _number(metrics[f"return_{key}_ci95"], 2)]
                for name, key in (("random", "random"), ("planner in the dream", "planner"))
            ],
        )
        page.video(self.out / "planner.mp4")
        page.section("Go on from here", "Play the dream beside the real game, or record it where there is no display.")
        page.commands([f"dreamplay play {self.out / 'run'}", self._recording()])
        page.write(self.out / "report.html")

    def _recording(self) -> str:
        return f"dreamplay play {self.out / 'run'} --record {self.out / 'play.mp4'}"

    def _finish(self, run: Path) -> None:
        from dreamplay.commands.play import Play
        from dreamplay.errors import UserError
        from dreamplay.play.display import open_display

        try:
            open_display()
        except UserError:
            print(f"no display here; record a video of the dream with: {self._recording()}")
            return
        Play(game=str(run)).run()


def _say(stage: str, text: str) -> None:
    print(f"\n[{stage}] {text}", flush=True)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None or not isfinite(value) else f"{value:.{digits}f}"
