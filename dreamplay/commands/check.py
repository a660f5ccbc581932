"""`dreamplay check`: what is wrong with an environment, a data folder or a run, and what to do."""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from dreamplay.env_options import EnvOptions

if TYPE_CHECKING:
    from dreamplay.checks.cost import Cost
    from dreamplay.checks.finding import Finding
    from dreamplay.episodes import Episodes

    Part = tuple[str, list[Finding]]  # what was looked at, and what was found


@dataclass(frozen=True)
class Check:
    """Find out what is wrong with an environment, a data folder or a run, and say what to do.

    Of an environment: spaces and types, whether seed and actions decide everything, actions that do nothing, and all
    that is asked of data. Of data: damage, frames that never change, rewards, actions, colours, and what a training
    will need, found out by training for some seconds; a contact sheet and histograms are drawn. Of a run: damage, an
    unfinished training, a dream that stands still. Exit status 1 means that training would fail or learn nothing.
    """

    target: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV|RUN|DATA")]
    """Id of an environment, module:Name of your own, a run or data folder, or the name of a shipped dream."""

    steps: int = 1000
    """Steps to record of an environment, by an agent that mostly repeats its last random action."""

    seconds: float = 5.0
    """How long to try training; 0 leaves that out."""

    out: Path | None = None
    """Folder for frames.png and histograms.png; DATA/check by default, none for an environment or a run."""

    prepare: Annotated[EnvOptions, tyro.conf.arg(name="")] = field(default_factory=EnvOptions)

    seed: int = 0
    """Seed of environment, agent and training."""

    json: Path | None = None
    """File to write the findings to."""

    def run(self) -> dict[str, Any]:
        """Check; returns {"target", "kind", "ok", "findings": [{"level", "what", "cure"}], "cost", "files"}."""
        from dreamplay.errors import UserError
        from dreamplay.progress import progress
        from dreamplay.shipped import find_run

        self._check()
        path = find_run(self.target)
        kinds = {"run": path / "checkpoint.json", "data": path / "data.json"}
        kind = next((kind for kind, file in kinds.items() if file.is_file()), "env")
        if kind != "env" and self.prepare.given:
            raise UserError(f"options of the environment have no say in {self.target}, which is there already")
        parts = {"run": self._run_parts, "data": self._data_parts, "env": self._env_parts}[kind]
        state = _State()
        with progress(f"check {self.target}", {"run": 1, "data": 4, "env": 8}[kind], "checks") as bar:
            for name, found in parts(state):
                state.findings += found
                bar.advance(1, name)
        print("\n".join(finding.lines() for finding in state.findings))
        print("\n".join(f"{name}: {file}" for name, file in state.files.items()), end="\n" if state.files else "")
        levels = [finding.level for finding in state.findings]
        ok = "error" not in levels
        print(self._verdict(kind, levels.count("error"), levels.count("warning")))
        return {
            "target": self.target,
            "kind": kind,
            "ok": ok,
            "findings": [asdict(finding) for finding in state.findings],
            "cost": None if state.cost is None else asdict(state.cost),
            "files": {name: str(file) for name, file in state.files.items()},
        }

    def _check(self) -> None:
        from dreamplay.errors import UserError

        for option, value, least in (
            ("--steps", self.steps, 10),
            ("--seconds", self.seconds, 0),
            ("--seed", self.seed, 0),
        ):
            if not least <= value < float("inf"):
                raise UserError(f"{option} {value} is not possible; it must be at least {least}")
        if self.out is not None and self.out.exists() and not self.out.is_dir():
            raise UserError(f"--out {self.out} is a file; name a folder")

    def _run_parts(self, state: "_State") -> "Iterator[Part]":
        from dreamplay.checks.run import check_run
        from dreamplay.shipped import find_run

        yield "run", check_run(find_run(self.target), self.seed)

    def _data_parts(self, state: "_State", folder: Path | None = None) -> "Iterator[Part]":
        """The checks of a data folder; a freshly recorded one is given, and is neither damaged nor kept."""
        from dreamplay.checks.cost import try_training
        from dreamplay.checks.data import check_episodes, check_files
        from dreamplay.checks.finding import of_message
        from dreamplay.episodes import Episodes
        from dreamplay.errors import UserError

        try:
            if folder is None:
                yield "files", check_files(Path(self.target))
            episodes = Episodes.open(folder or self.target)
        except UserError as problem:
            yield "files", [of_message(str(problem))]
            return
        yield "episodes", check_episodes(episodes)
        out = self.out or (Path(self.target) / "check" if folder is None else None)
        if out is not None:
            self._draw(episodes, out, state)
            yield "pictures", []
        if self.seconds > 0 and not any(finding.level == "error" for finding in state.findings):
            state.cost, found = try_training(episodes, self.seconds, self.seed)
            yield "training", found

    def _env_parts(self, state: "_State") -> "Iterator[Part]":
        from dreamplay.agents.random_agent import RandomAgent
        from dreamplay.checks import env as checks
        from dreamplay.checks.finding import note, of_message, warning
        from dreamplay.collect import collect
        from dreamplay.envs.real import card_of
        from dreamplay.episodes import EpisodeWriter
        from dreamplay.errors import UserError

        try:
            env = self.prepare.make(self.target)
        except UserError as problem:
            yield "making", [of_message(str(problem))]
            return
        card = card_of(env)
        yield "making", [note(checks.summary(env, card))]
        found = checks.check_contract(card, self.seed)
        yield "contract", found
        if any(finding.level == "error" for finding in found):
            return
        found = checks.check_recording(env, card, self.seed)
        yield "recording", found
        if found:
            return
        found = checks.check_determinism(card, self.seed)
        yield "determinism", found
        if not any(finding.level == "warning" for finding in found):
            yield "actions", checks.check_actions(card, self.seed)
        with tempfile.TemporaryDirectory() as folder:
            try:
                with EpisodeWriter(folder, card) as writer:
                    done = collect(env, RandomAgent(env.action_space, sticky=0.75), self.steps, writer, seed=self.seed)
            except UserError as problem:
                yield "recording", [of_message(str(problem))]
                return
            finally:
                env.close()
            if not done.returns:
                cure = f"give it a limit: --env-args max_episode_steps={self.steps}"
                yield "recording", [warning(f"no episode ended within {self.steps} steps", cure)]
            yield from self._data_parts(state, Path(folder))

    def _draw(self, episodes: "Episodes", out: Path, state: "_State") -> None:
        from dreamplay.checks.pictures import contact_sheet, histograms

        out.mkdir(parents=True, exist_ok=True)
        for name, draw in (("frames", contact_sheet), ("histograms", histograms)):
            state.files[name] = out / f"{name}.png"
            draw(episodes, state.files[name])

    def _verdict(self, kind: str, errors: int, warnings: int) -> str:
        found = f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"
        if errors:
            return f"{found}: mend the errors first" + (
                "" if kind == "run" else ", training would fail or learn nothing"
            )
        after = {"run": "evaluate", "data": "train --data", "env": "collect"}[kind]
        return f"{found}\nnext: dreamplay {after} {self.target}"


@dataclass
class _State:
    """What has been found so far."""

    findings: "list[Finding]" = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    cost: "Cost | None" = None
