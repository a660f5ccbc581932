"""`dreamplay improve`: the loop that closes; data are collected where the agent goes."""

import json as json_module
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import tyro

from dreamplay.commands.act import Act
from dreamplay.commands.collect import Collect
from dreamplay.commands.learn import Learn, check_temperature
from dreamplay.commands.train import Train
from dreamplay.env_options import EnvOptions

STATE = "improve.json"  # written first and after each round
COLUMNS = ("round", "real steps", "return while collecting", "dreamed return", "real return", "±")


@dataclass(frozen=True)
class Improve:
    """Collect, learn a simulator, learn a policy in its dream, and collect with that, round after round.

    The first round collects at random, later ones with the policy. The simulator goes on from where it was, on all
    data so far; the policy is learned anew, for the one before has learned in a dream that was less true. DIR holds
    data, run (with the policy in it), best (a copy of run after the round that earned most), the table as improve.json
    and improve.png.
    """

    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV")]
    """Id of an environment, or module:Name of your own."""

    rounds: int = 3
    """Rounds in all, those done before included."""

    steps: int = 20000
    """Real steps to collect in each round."""

    minutes: float = 4.0
    """Minutes to train the simulator in each round."""

    learn_minutes: float = 3.0
    """Minutes to learn the policy in each round. The longer, the more it learns of what the dream gets wrong."""

    dream_steps: int | None = None
    """Steps after which a dream that the policy learns in begins anew; 100 by default, see dreamplay learn."""

    temperature: float | None = None
    """What dreams that the policy learns in make of what they leave open; 1 by default, see dreamplay learn."""

    careful: bool = False
    """Let the policy believe its dream only where that is sure, see dreamplay learn."""

    epsilon: float = 0.1
    """Probability, from 0 to 1, that an action of a collecting policy is a random one."""

    episodes: int = 20
    """Real episodes that judge the policy after each round; they are not learned from."""

    max_steps: int | None = None
    """Steps after which a judging episode is cut; by default only the environment ends it."""

    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder to make; improved/<env> by default."""

    resume: bool = False
    """Continue in --out where it stopped, in the middle of a round too; without a start there, start."""

    prepare: Annotated[EnvOptions, tyro.conf.arg(name="")] = field(default_factory=EnvOptions)

    seed: int = 0
    """Seed of everything."""

    json: Path | None = None
    """File to write the table to."""

    def run(self) -> dict[str, Any]:
        """Run the rounds.

        Returns {"env", "random_return", "random_ci95", "rounds": [...], "run", "policy", "best", "plot"}.
        A round is {"round", "real_steps", "collected_return", "dreamed_return", "real_return", "ci95", "returns"};
        "real_steps" counts all that were learned from so far.
        """
        from dreamplay.folders import slug
        from dreamplay.json_files import plain

        self._check()
        out = self.out or Path("improved") / slug(self.env)
        state = self._open(out)
        run, best, plot = out / "run", out / "best", out / "improve.png"
        policy = run / "policy.safetensors"
        for number in range(len(state["rounds"]), self.rounds):
            print(f"\n[round {number + 1} of {self.rounds}]", flush=True)
            self._collect(out, number, state)
            minutes = self.minutes * (number + 1)
            Train(data=out / "data", out=run, minutes=minutes, resume=True, seed=self.seed).run()
            forget_if_older(policy, run)
            learned = Learn(
                run,
                out=policy,
                minutes=self.learn_minutes,
                dream_steps=self.dream_steps,
                temperature=self.temperature,
                careful=self.careful,
                resume=True,
                seed=self.seed + number,
            ).run()
            if "random" not in state:
                state["random"] = self._judge(run, "random")
            judged = self._judge(run, "policy")
            if all(judged["mean_return"] > entry["real_return"] for entry in state["rounds"]):
                keep_copy(run, best)
            state["rounds"].append(
                plain(
                    {  # as a resumed loop reads it
                        "round": number + 1,
                        "real_steps": self.steps * (number + 1),
                        "collected_return": state["collected"][number],
                        "dreamed_return": learned["dreamed_return"],
                        "real_return": judged["mean_return"],
                        "ci95": judged["ci95"],
                        "returns": judged["returns"],
                    }
                )
            )
            self._keep(out, state)
            print(f"\n{self._table(state)}", flush=True)
        draw(state["rounds"], state["random"]["mean_return"], plot, f"{self.env}: a policy learned in the dream")
        earned = max(state["rounds"], key=lambda entry: entry["real_return"])
        print(f"plot: {plot}\nbest: round {earned['round']}, next: dreamplay act {best} --agent policy")
        return {
            "env": self.env,
            "random_return": state["random"]["mean_return"],
            "random_ci95": state["random"]["ci95"],
            "rounds": state["rounds"],
            "run": str(run),
            "policy": str(policy),
            "best": str(best),
            "plot": str(plot),
        }

    def _check(self) -> None:
        from dreamplay.errors import UserError

        for option, value, least in (
            ("--rounds", self.rounds, 1),
            ("--steps", self.steps, 1),
            ("--episodes", self.episodes, 2),
            ("--max-steps", self.max_steps, 1),
            ("--dream-steps", self.dream_steps, 1),
            ("--seed", self.seed, 0),
        ):
            if value is not None and value < least:
                raise UserError(f"{option} {value} is not possible; it must be at least {least}")
        for option, minutes in (("--minutes", self.minutes), ("--learn-minutes", self.learn_minutes)):
            if not (minutes > 0 and isfinite(minutes)):
                raise UserError(f"{option} {minutes} is not possible; it must be a number above 0")
        check_temperature(self.temperature)
        if not 0 <= self.epsilon <= 1:
            raise UserError(f"--epsilon {self.epsilon} is no probability; choose one from 0 to 1")
        self.prepare.make(self.env).close()

    def _open(self, out: Path) -> dict[str, Any]:
        """What was done before, and the settings that it was done with."""
        from dreamplay.errors import UserError
        from dreamplay.folders import claim

        # What a later call may change at will says nothing of the rounds before.
        settings = {k: v for k, v in asdict(self).items() if k not in ("rounds", "out", "resume", "json")}
        settings = json_module.loads(json_module.dumps(settings))
        if not (self.resume and (out / STATE).is_file()):
            claim(out)
            state: dict[str, Any] = {"settings": settings, "collected": [], "rounds": []}
            self._keep(out, state)
            return state
        try:
            state = json_module.loads((out / STATE).read_text(encoding="utf-8"))
            before = dict(state["settings"])
            done = len(state["rounds"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{out / STATE} cannot be read ({error!r}); choose another folder with --out") from None
        changed = [name for name in settings if settings[name] != before.get(name)]
        if changed:
            option = "--" + changed[0].replace("_", "-") if changed[0] != "env" else "ENV"
            was = before.get(changed[0])
            raise UserError(f"{out} was begun with {option} {was}; give the same, or choose another folder with --out")
        if done >= self.rounds:
            print(f"{out} has its {done} rounds; to go on, give more --rounds")
        return state

    def _collect(self, out: Path, number: int, state: dict[str, Any]) -> None:
        """The steps of a round, less those that an interrupted one has stored already."""
        from dreamplay.episodes import Episodes

        data, policy = out / "data", out / "run" / "policy.safetensors"
        if number < len(state["collected"]):
            return
        stored = Episodes.open(data).steps if (data / "data.json").is_file() else 0
        missing, mean = self.steps * (number + 1) - stored, None
        if missing > 0:
            collected = Collect(
                env=self.env,
                steps=missing,
                agent="random" if number == 0 else str(policy),
                epsilon=self.epsilon if number else 0.0,
                out=data,
                append=True,
                prepare=self.prepare,
                seed=self.seed + stored,  # an interrupted round goes on with other episodes
            ).run()
            mean = collected["mean_return"]
        state["collected"].append(mean)
        self._keep(out, state)

    def _judge(self, run: Path, agent: Any) -> dict[str, Any]:
        # Far from the seeds that data are collected with.
        seed = 10**6 + self.seed
        return Act(run, agent=agent, episodes=self.episodes, max_steps=self.max_steps, seed=seed).run()

    def _keep(self, out: Path, state: dict[str, Any]) -> None:
        from dreamplay.json_files import write_json

        write_json(out / STATE, state)

    def _table(self, state: dict[str, Any]) -> str:
        """One line for each round, and one for the random agent."""
        rows = [["random", "", "", "", _number(state["random"]["mean_return"]), _number(state["random"]["ci95"])]]
        for entry in state["rounds"]:
            numbers = [_number(entry[k]) for k in ("collected_return", "dreamed_return", "real_return", "ci95")]
            rows.append([str(entry["round"]), str(entry["real_steps"]), *numbers])
        widths = [max(len(row[i]) for row in [list(COLUMNS), *rows]) for i in range(len(COLUMNS))]
        lines = [list(COLUMNS), *rows]
        return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in lines)


def forget_if_older(policy: Path, run: Path) -> None:
    """Removes a policy that learned in what the simulator was before; one of a round that was stopped goes on."""
    from dreamplay.agents.policy_file import read_policy, weights_of
    from dreamplay.envs.dream_loading import load_simulator

    if policy.is_file() and read_policy(policy)[1]["simulator"] != weights_of(load_simulator(str(run))):
        policy.unlink()


def keep_copy(run: Path, copy: Path) -> None:
    """Copies a run with its policy over an earlier copy, which stays until the new one is whole."""
    from shutil import copytree, rmtree

    fresh = copy.with_name(copy.name + ".new")
    rmtree(fresh, ignore_errors=True)
    copytree(run, fresh)
    rmtree(copy, ignore_errors=True)
    fresh.rename(copy)


def draw(rounds: list[dict[str, Any]], random: float, path: Path, title: str) -> None:
    """Draws the returns of real episodes over the real steps learned from; a PNG.

    Args:
        rounds: as `Improve.run` returns them.
        random: mean return of the random agent.
        path: the file.
        title: above the plot.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    steps = [entry["real_steps"] for entry in rounds]
    means = [entry["real_return"] for entry in rounds]
    bars = [entry["ci95"] or 0.0 for entry in rounds]
    axes.errorbar(steps, means, yerr=bars, marker="o", lw=2, capsize=3, label="policy, real episodes (95 %)")
    axes.axhline(random, color="#8d99ae", ls="--", label="random agent")
    axes.set_xlabel("real steps learned from")
    axes.set_ylabel("return of an episode")
    axes.set_xlim(left=0)
    axes.set_title(title, loc="left", fontweight="bold", fontsize=11)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color="#e6e6ea")
    figure.savefig(path)


def _number(value: float | None) -> str:
    return "–" if value is None or not isfinite(value) else f"{value:.2f}"
