"""Which keys mean which action: from the game's own key map, or a sensible one for its action space."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import gymnasium as gym
import numpy as np

ARROWS = ("left", "right", "up", "down")
LETTERS = {"a": "left", "d": "right", "w": "up", "s": "down"}  # by their place on the keyboard
UPRIGHT = {"up": "right", "down": "left"}  # Atari's paddles: Pong's goes up by what its joystick calls right


@dataclass(frozen=True)
class Controls:
    """A key map: combinations of keys and the action each means. Keys are named as pygame names them.

    Attributes:
        combinations: (keys, action) pairs.
        idle: The action when no combination is pressed.
        aliases: Keys that are others by another name, such as W, A, S and D for the arrows: both may be mixed.
    """

    combinations: tuple[tuple[frozenset[str], Any], ...]
    idle: Any
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """Every key that means something to the game."""
        named = dict.fromkeys(key for keys, _ in self.combinations for key in sorted(keys))
        return list(dict.fromkeys([*named, *(alias for alias, key in self.aliases.items() if key in named)]))

    def action(self, pressed: Sequence[str]) -> Any:
        """The action of the largest combination within the pressed keys (oldest first); the newest key breaks a tie."""
        age = {self.aliases.get(key, key): index for index, key in enumerate(pressed)}
        best, chosen = (0, -1), self.idle
        for keys, action in self.combinations:
            if keys <= age.keys():
                rank = (len(keys), max(age[key] for key in keys))
                if rank > best:
                    best, chosen = rank, action
        return chosen


def controls_for(keys_to_action: Iterable[tuple[Iterable[str], Any]], space: gym.Space) -> Controls:
    """The controls of a game. W, A, S and D are the arrows too wherever that contradicts nothing in its key map.

    A game that knows left and right only is also played with down and up.

    Args:
        keys_to_action: The game's own (keys, action) pairs; when there are none the action space decides: digits and
            arrows for Discrete, arrows for the first two dimensions of everything else.
        space: The game's action space.
    """
    idle = idle_action(space)
    combinations: list[tuple[frozenset[str], Any]] = []
    for names, action in keys_to_action:
        keys = frozenset("space" if name == " " else name.lower() for name in names)
        value = _in_space(space, action)
        if keys:
            combinations.append((keys, value))
        else:
            idle = value
    chosen = tuple(combinations) or _default(space, idle)
    merged = _with_arrows(chosen)
    if merged is None:
        return Controls(chosen, idle)
    named = {key for keys, _ in merged for key in keys}
    sideways = {"left", "right"} <= named and named.isdisjoint(UPRIGHT)
    aliases = LETTERS | UPRIGHT | {letter: UPRIGHT[LETTERS[letter]] for letter in "ws"} if sideways else LETTERS
    return Controls(merged, idle, aliases)


def idle_action(space: gym.Space) -> Any:
    """The action that does least: the first of a Discrete space, zero (or what is nearest) in every other."""
    if isinstance(space, gym.spaces.Discrete):
        return int(space.start)
    if isinstance(space, gym.spaces.Box):
        return np.clip(np.zeros(space.shape, space.dtype), space.low, space.high)
    if isinstance(space, gym.spaces.MultiDiscrete):
        return np.array(space.start, space.dtype)
    return np.zeros(space.shape or (), space.dtype)


def _with_arrows(combinations: tuple[tuple[frozenset[str], Any], ...]) -> tuple[tuple[frozenset[str], Any], ...] | None:
    """The same combinations with arrows for letters; None if a letter means something else than its arrow."""
    merged: dict[frozenset[str], Any] = {}
    for keys, action in combinations:
        renamed = frozenset(LETTERS.get(key, key) for key in keys)
        if renamed in merged and not np.array_equal(merged[renamed], action):
            return None
        merged[renamed] = action
    return tuple(merged.items())


def _in_space(space: gym.Space, action: Any) -> Any:
    return int(action) if isinstance(space, gym.spaces.Discrete) else np.asarray(action, space.dtype)


def _default(space: gym.Space, idle: Any) -> tuple[tuple[frozenset[str], Any], ...]:
    if isinstance(space, gym.spaces.Discrete):
        return _default_discrete(int(space.start), int(space.n))
    moves = _moves(space, np.ravel(idle))
    combinations = []
    for chosen in product(*[[None, *dimension.items()] for dimension in moves]):
        action = idle.copy()
        for i, move in enumerate(chosen):
            if move is not None:
                action.reshape(-1)[i] = move[1]
        combinations.append((frozenset(move[0] for move in chosen if move is not None), action))
    return tuple(combinations[1:])  # the first is no key at all


def _default_discrete(start: int, n: int) -> tuple[tuple[frozenset[str], Any], ...]:
    digits = [(str(i), i) for i in range(min(n, 10))]
    # With two actions neither is idle (CartPole); with more the first usually is.
    arrows = zip(ARROWS, range(0 if n == 2 else 1, n), strict=False)
    return tuple((frozenset([key]), start + i) for key, i in [*digits, *arrows])


def _moves(space: gym.Space, idle: np.ndarray) -> list[dict[str, Any]]:
    """For each of the first dimensions, the keys that drive it and the value each gives."""
    axes = [("left", "right"), ("down", "up")]
    if isinstance(space, gym.spaces.Box):
        low = np.nan_to_num(space.low.ravel(), neginf=-1.0)  # an unbounded dimension is driven at strength one
        high = np.nan_to_num(space.high.ravel(), posinf=1.0)
        return [dict(zip(keys, ends, strict=True)) for keys, *ends in zip(axes, low, high, strict=False)]
    if isinstance(space, gym.spaces.MultiDiscrete):
        counts = space.nvec.ravel()
        return [
            {key: first + min(i, n - 1) for i, key in enumerate(keys, start=1)}
            for keys, first, n in zip(axes, idle, counts, strict=False)
        ]
    return [{arrow: 1} for arrow, _ in zip(ARROWS, idle, strict=False)]
