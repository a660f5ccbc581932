"""What each shipped dream is made of. `scripts/pretrain.py` follows these."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Play:
    """A part of the data: who acts, how long, and how often at random."""

    agent: str
    """"random", "sticky", "follower" (an Atari game's memory, see `follower`) or "teacher" (learned, see `teacher`)."""
    steps: int
    """Steps to record."""
    epsilon: float = 0.0
    """Probability that an action is a random one."""
    aim: int = 0
    """Follower: how far it aims beside the rule, at most: rallies at other angles."""
    slack: int = 5
    """Follower: distance that is near enough."""
    number: int = 0
    """Follower: which of the best rules. Teacher: which snapshot, the first being the worst player."""


@dataclass(frozen=True)
class Recipe:
    """How one dream is made."""

    env: str
    """Id of the environment."""
    plays: tuple[Play, ...]
    """What is learned from, in this order."""
    held_out: tuple[Play, ...]
    """What the dream is judged on: none of it is learned from."""
    minutes: float
    """Training of the simulator."""
    data_licence: str
    """Of what it was learned from."""
    looks: str
    """What a person sees who plays it: what the figures do not tell."""
    size: tuple[int, int] | None = None
    """Height and width of frames in pixels; None = as the environment has them."""
    network_size: str = "base"
    """Of the default simulator."""
    teacher_minutes: float = 0.0
    """Lessons of a teacher, if any play needs one."""
    seed: int = 0
    """Of everything."""
    settings: dict[str, object] = field(default_factory=dict)
    """Further options of `dreamplay train`."""
    trained_on: str | None = None
    """What the shipped dream was trained on, if not on the machine that judged it."""


ATARI_LICENCE = (
    "Frames of the game as run by the Arcade Learning Environment (ale-py, GPL-2.0-only; game ROMs as distributed with "
    "it, copyright of their owners). The weights hold no code and no ROM; some start contexts of ten small frames each "
    "are stored beside them. The dream is part of Dreamplay and under its MIT licence as far as that can reach."
)
OWN_LICENCE = "Frames of a game that is part of Dreamplay: MIT, as the dream."

# From bad to good, and everything between: a dream is asked about all of it.
BALL_AND_PADDLE = (
    Play("random", 10_000),
    Play("sticky", 10_000),
    Play("follower", 15_000, epsilon=0.5, aim=6),
    Play("follower", 20_000, epsilon=0.3, aim=8, number=1),
    Play("follower", 25_000, epsilon=0.15, aim=8),
    Play("follower", 20_000, epsilon=0.05, aim=6),
)
# Judged on the best that was learned by lessons, which is in no data, and on a follower that aims by another rule.
UNSEEN_BALL_AND_PADDLE = (
    Play("teacher", 6_000, number=3),
    Play("follower", 6_000, epsilon=0.1, aim=6, slack=2, number=2),
)

GPU = "one NVIDIA H100 80GB, which both Atari trainings shared"
ON_A_GPU: dict[str, object] = {"batch_steps": 1024, "precision": "float32"}

RECIPES = {
    "pong": Recipe(
        "ALE/Pong-v5",
        (*BALL_AND_PADDLE, *(Play("teacher", 10_000, epsilon=0.05, number=number) for number in range(3))),
        UNSEEN_BALL_AND_PADDLE,
        8.7,  # on the GPU below, for 24,331 updates; a core of a CPU takes hours for as many
        ATARI_LICENCE,
        "For ten steps it is the game, mostly to the pixel. Then it is a game of its own and stays one: paddles are "
        "whole, balls are served, fly, are missed and, now and then, returned, and a digit changes with each point. "
        "The opponent's paddle is sometimes ragged for a few frames, while it is not settled where it goes, and now "
        "and then two balls fly at once.",
        size=(70, 80),
        teacher_minutes=20.0,
        settings=ON_A_GPU,
        trained_on=GPU,
    ),
    "breakout": Recipe(
        "ALE/Breakout-v5",
        BALL_AND_PADDLE,
        UNSEEN_BALL_AND_PADDLE,
        8.7,  # as above, for 24,968 updates
        ATARI_LICENCE,
        "Paddle, walls and bricks are right for a hundred steps and longer. Balls are served, fly, break a brick and "
        "are missed, and the score counts, in 300 steps as well as at first; but after a few steps the ball is not "
        "where the real one is: at 64x64 only two of three frames that have a ball show it.",
        size=(64, 64),
        teacher_minutes=20.0,
        settings=ON_A_GPU,
        trained_on=GPU,
    ),
    "bricks": Recipe(
        "Dreamplay/Bricks-v0",
        (
            Play("random", 40_000),
            Play("sticky", 20_000),
            *(Play("teacher", 60_000, epsilon=0.1, number=number) for number in range(3)),
        ),
        (Play("teacher", 5_000, epsilon=0.05, number=3),),
        12.0,
        OWN_LICENCE,
        "Right to the pixel for a hundred steps in 0.88 of the windows; what goes wrong is a brick in a wall of few.",
        teacher_minutes=3.0,
    ),
}
