"""`dreamplay play`: a dream in a window beside the real game, the real game alone, or a recording of either."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from dreamplay.envs.card import EnvCard
    from dreamplay.play.reality import Reality
    from dreamplay.play.session import Session
    from dreamplay.simulator import Simulator


@dataclass(frozen=True)
class Play:
    """Play a dream beside the real game, on the same actions; or a real game alone, to record how you play it.

    The game's own keys, arrows or W A S D, or a game controller; H in the window explains the rest. Without the real
    environment the dream is played alone.
    """

    game: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN|ENV")]
    """Run folder of a trained simulator or name of a shipped dream, or the id of an environment to play the real game
    alone."""

    agent: Literal["human", "random", "shooting", "cem", "icem", "mppi", "beam", "policy"] | None = None
    """Who begins: human by default in a window, random in a recording. M hands over between you and the agent, which is
    cem (plans in the dream by the cross-entropy method) where there is a dream, unless you name random, another planner
    or policy (it has learned in the dream)."""

    policy: Path | None = None
    """policy: file that dreamplay learn made; RUN/policy.safetensors by default, for a shipped dream
    policies/NAME.safetensors."""

    record: Path | None = None
    """Write a video (.mp4 or .gif) of an agent's play instead of opening a window; needs no display."""

    picture: Literal["clean", "window"] = "clean"
    """What a recording shows: clean frames of truth, dream and difference, or the whole window with its readings."""

    steps: int = 300
    """Steps to record, one frame each."""

    data: Path | None = None
    """Data folder that receives every real game played, as episodes to train on; it may hold some already. By default
    data/<env>-human for an ENV, nothing for a RUN."""

    moment: Path | None = None
    """File of a saved moment to begin with."""

    out: Path | None = None
    """Folder for what is saved while playing; RUN/play by default, play/NAME for a shipped dream, recordings/<env> for
    an ENV."""

    fps: float | None = None
    """Steps per second; the game's own by default."""

    temperature: float = 0.0
    """0 dreams the most likely frame, 1 draws frames as learned."""

    device: str = "auto"
    """Where the simulator runs: auto, cpu, cuda, mps."""

    backend: Literal["auto", "torch", "onnx"] = "auto"
    """What computes the dream: auto takes ONNX Runtime on a CPU when it is installed."""

    seed: int = 0
    """Seed of the first start; each further start takes the next one."""

    json: Path | None = None
    """File to write the summary to."""

    def run(self) -> dict[str, Any]:
        """Play or record, and return {"env", "beside_reality", "steps", "return", "real_return", "record", "data",
        "episodes"}.

        Steps and returns are those of the last game, None for a side that was not played. `record` is None for a
        window, `data` where no episodes are kept.
        """
        self._check()
        if self.record is None:
            from dreamplay.play.display import open_display

            open_display()
        simulator = self._simulator()
        with ExitStack() as stack:
            card, reality, keep, notice = self._reality(simulator, stack)
            session = self._session(simulator, reality)
            if self.moment is not None:
                from dreamplay.play.moment_file import open_moment

                notice = open_moment(self.moment, session, self._fingerprint())
            self._play(session, simulator, card, notice)
            last = session.moment
        return {
            "env": card.id,
            "beside_reality": simulator is not None and reality is not None,
            "steps": last.step,
            "return": None if last.dream is None else last.dream.total,
            "real_return": None if last.real is None else last.real.total,
            "record": None if self.record is None else str(self.record),
            "data": None if keep is None else str(keep.folder),
            "episodes": None if keep is None else keep.episodes,
        }

    def _simulator(self) -> Simulator | None:
        """What dreams, or None where a real game is to be played alone."""
        if not self._is_run():
            return None
        import torch

        from dreamplay.simulator import load

        # A dream is too small for a second thread to help, and the agent thinks in a thread beside it.
        torch.set_num_threads(1)
        return load(self._run, self.device, self.backend)

    def _reality(self, simulator: Simulator | None, stack: ExitStack) -> tuple[EnvCard, Reality | None, Any, str]:
        """The real game and its card, what keeps its episodes, and why there is none, if so."""
        from dreamplay.envs.real import card_of, make_env
        from dreamplay.episodes import EpisodeWriter
        from dreamplay.errors import UserError
        from dreamplay.folders import data_folder
        from dreamplay.play.reality import Reality, open_reality

        if simulator is None:
            env = make_env(self.game)
            card = card_of(env)
            folder = self.data or (None if self.record else data_folder(card.id + "-human"))
            keep = None if folder is None else stack.enter_context(EpisodeWriter(folder, card, append=True))
            alone = Reality(env, self._controls(card).idle, None if keep is None else keep.add)
            stack.callback(alone.close)
            return card, alone, keep, "" if folder is None else f"every game you play is kept in {folder}"
        card = simulator.card
        keep = None if self.data is None else stack.enter_context(EpisodeWriter(self.data, card, append=True))
        reality, notice = open_reality(self._run, self._controls(card).idle, None if keep is None else keep.add)
        if reality is not None:
            stack.callback(reality.close)
        elif keep is not None:
            raise UserError(f"--data has no real game to keep: {notice}; leave it out")
        return card, reality, keep, notice

    def _session(self, simulator: Simulator | None, reality: Reality | None) -> Session:
        from dreamplay.play.session import Session

        if simulator is None:
            return Session(None, reality, seed=self.seed)
        from dreamplay.envs.dream import DreamEnv

        dream = DreamEnv(simulator, horizon=10**9, temperature=self.temperature)  # a player decides when it is over
        return Session(dream, reality, seed=self.seed)

    def _play(self, session: Session, simulator: Simulator | None, card: EnvCard, notice: str) -> None:
        from dreamplay.folders import slug
        from dreamplay.play.pilot import pilot_for
        from dreamplay.play.player import Setup, play
        from dreamplay.play.trust import Trust
        from dreamplay.shipped import own_folder

        name = self.agent
        if name is None or name == "human":
            name = "random" if self.record is not None or simulator is None else "cem"
        setup = Setup(
            self._controls(card),
            pilot_for(name, card.action_space, simulator, self._policy()),
            self.fps or card.fps,
            self.out or (Path("recordings") / slug(card.id) if simulator is None else own_folder(self._run, "play")),
            "" if simulator is None else self._fingerprint(),
            Trust() if simulator is None else Trust.of(simulator),
        )
        caption = f"Dreamplay: {card.id}"
        if self.record is None:
            session.notice = notice
            play(session, setup, caption, pilot_plays=self.agent not in (None, "human"))
            return
        from dreamplay.play.record import record

        print("\n".join(filter(None, [notice, f"recording {self.steps} steps to {self.record}"])), flush=True)
        record(session, setup, self.record, self.steps, caption if self.picture == "window" else None)

    def _policy(self) -> Path:
        from dreamplay.agents.policy_file import policy_path

        return self.policy or policy_path(self.game)

    def _controls(self, card: EnvCard) -> Any:
        from dreamplay.play.controls import controls_for

        return controls_for(card.keys_to_action, card.action_space)

    @property
    def _run(self) -> Path:
        from dreamplay.shipped import find_run

        return find_run(self.game)

    def _is_run(self) -> bool:
        return (self._run / "checkpoint.json").is_file()

    def _fingerprint(self) -> str:
        from dreamplay.play.moment_file import fingerprint

        return fingerprint(self._run)

    def _check(self) -> None:
        from dreamplay.errors import UserError

        if self.fps is not None and not 0 < self.fps <= 1000:
            raise UserError(f"--fps {self.fps} is out of range; use a number above 0 and up to 1000")
        if self.seed < 0:
            raise UserError(f"--seed {self.seed} is out of range; use 0 or above")
        if self.moment is not None and not self.moment.is_file():
            raise UserError(f"--moment {self.moment} is not a file; F5 saves one while playing")
        if not self._is_run():
            needs = self.agent not in (None, "human", "random")
            for option, given in ((f"--agent {self.agent}", needs), ("--moment", self.moment is not None)):
                if given:
                    raise UserError(f"{option} needs a dream, and {self.game} is not a run folder; name a RUN")
        if self.record is None:
            return
        if self.record.exists():
            raise UserError(f"{self.record} exists and is not overwritten; choose another name")
        if self.record.suffix not in (".mp4", ".gif"):
            raise UserError(f"{self.record} is not a video name; end it in .mp4 or .gif")
        if not self.record.parent.is_dir():
            raise UserError(f"{self.record.parent} is not a folder; make it, or record somewhere else")
        if self.agent == "human":
            raise UserError("a recording has no window to play in; leave out --agent, or use --agent random")
        if self.steps < 1:
            raise UserError(f"--steps {self.steps} records nothing; ask for at least 1")
