"""What playing needs besides the game itself."""

from dataclasses import dataclass, field
from pathlib import Path

from dreamplay.play.controls import Controls
from dreamplay.play.pilot import Pilot
from dreamplay.play.trust import Trust


@dataclass(frozen=True)
class Setup:
    """Keys, agent, pace and folder.

    Attributes:
        controls: The key map.
        pilot: The agent that M hands over to.
        fps: Steps per second.
        folder: Where what is saved goes.
        checkpoint: Tells the simulator from others, for moments saved.
        trust: What the simulator is used to.
    """

    controls: Controls
    pilot: Pilot
    fps: float
    folder: Path
    checkpoint: str = ""
    trust: Trust = field(default_factory=Trust)
