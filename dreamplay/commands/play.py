"""`dreamplay play`: a dream in a window beside the real game, or a recording of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro


@dataclass(frozen=True)
class Play:
    """Play a dream beside the real game, on the same actions.

    The game's own keys, and: P pause, . one step, Backspace (held) rewind, X take the dream back to reality, M hand
    over to the agent, R new start, H help, Esc quit. Without the real environment the dream is played alone.
    """

    checkpoint: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """Run folder of a trained simulator."""

    agent: Literal["human", "random"] | None = None
    """Who begins: human by default in a window, random in a recording."""

    record: Path | None = None
    """Write a video (.mp4 or .gif) of truth, dream and difference instead of opening a window; needs no display."""

    steps: int = 300
    """Steps to record, one frame each."""

    fps: float | None = None
    """Steps per second; the game's own by default."""

    temperature: float = 0.0
    """0 dreams the most likely frame, 1 draws frames as learned."""

    device: str = "auto"
    """Where the simulator runs: auto, cpu, cuda, mps."""

    seed: int = 0
    """Seed of the first start; each further start takes the next one."""

    json: Path | None = None
    """File to write the summary to."""

    def run(self) -> dict[str, Any]:
        """Play or record, and return {"env", "beside_reality", "steps", "return", "real_return", "record"}.

        Steps and returns are those of the last game. `record` is None for a window.
        """
        self._check()
        if self.record is None:
            from dreamplay.play.display import open_display

            open_display()
        from dreamplay.agents.random_agent import RandomAgent
        from dreamplay.envs.dream import DreamEnv
        from dreamplay.play.controls import controls_for
        from dreamplay.play.reality import open_reality
        from dreamplay.play.session import Session
        from dreamplay.simulator import load

        simulator = load(self.checkpoint, self.device)
        card = simulator.card
        controls = controls_for(card.keys_to_action, card.action_space)
        reality, notice = open_reality(self.checkpoint, controls.idle)
        session = Session(
            DreamEnv(simulator, horizon=10**9, temperature=self.temperature),  # a player decides when it is over
            reality,
            RandomAgent(card.action_space),
            seed=self.seed,
            agent_plays=self.record is not None or self.agent == "random",
        )
        fps = self.fps or card.fps
        if self.record is None:
            from dreamplay.play.loop import play

            session.notice = notice
            play(session, controls, f"Dreamplay: {card.id}", fps)
        else:
            from dreamplay.play.record import record

            print("\n".join(filter(None, [notice, f"recording {self.steps} steps to {self.record}"])), flush=True)
            record(session, self.record, self.steps, fps)
        last = session.moment
        return {
            "env": card.id,
            "beside_reality": reality is not None,
            "steps": last.step,
            "return": last.total,
            "real_return": None if reality is None else last.real_total,
            "record": None if self.record is None else str(self.record),
        }

    def _check(self) -> None:
        from dreamplay.errors import UserError

        if self.fps is not None and not 0 < self.fps <= 1000:
            raise UserError(f"--fps {self.fps} is out of range; use a number above 0 and up to 1000")
        if self.seed < 0:
            raise UserError(f"--seed {self.seed} is out of range; use 0 or above")
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
