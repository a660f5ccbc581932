"""What the built-in games share: a grid of palette cells, the Gymnasium surface around it, seeding and rendering."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

from dreamplay.envs.window import Window

# pygame's key codes, written as numbers so that no game needs pygame to be described.
ARROW_RIGHT, ARROW_LEFT, ARROW_DOWN, ARROW_UP = 1073741903, 1073741904, 1073741905, 1073741906
LEFT_KEYS = ("a", ARROW_LEFT)
RIGHT_KEYS = ("d", ARROW_RIGHT)
UP_KEYS = ("w", ARROW_UP)
DOWN_KEYS = ("s", ARROW_DOWN)


class GridGame(gym.Env[np.ndarray, Any]):
    """A game drawn on a small grid in a few colours; a subclass supplies the rules.

    A subclass sets `height`, `width`, `colors` (RGB, index = palette class; 0 is the background) and `keys` (for each
    action from 0 on, the keys that mean it), and writes `_start`, `_advance` and `_draw`. Cells are numbered row by
    row: cell = row * width + column.

    Args:
        render_mode: None, "rgb_array" (the frame itself, uint8 (H, W, 3)) or "human" (an upscaled window).
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array"], "render_fps": 10}  # noqa: RUF012 (as gym.Env)

    height: ClassVar[int]
    width: ClassVar[int]
    colors: ClassVar[tuple[tuple[int, int, int], ...]]
    keys: ClassVar[tuple[tuple[str | int, ...], ...]]

    def __init__(self, render_mode: str | None = None) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode {render_mode!r} is not supported; use None, 'rgb_array' or 'human'")
        self.render_mode = render_mode
        self.observation_space = gym.spaces.Box(0, 255, (self.height, self.width, 3), np.uint8)
        self.action_space = gym.spaces.Discrete(len(self.keys))
        self._palette = np.array(self.colors, np.uint8)
        self._shape = (self.height, self.width, 3)
        self._window: Window | None = None
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode. `info["chance"]` is True: the start is drawn at random."""
        super().reset(seed=seed)
        self._start()
        self._over = False
        if self.render_mode == "human":
            self.render()
        return self._frame(), {"chance": True}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Advance by one step. `info["chance"]` says whether this step's outcome drew on randomness.

        Raises:
            ValueError: if the action is not one of the game's.
            RuntimeError: if the episode is over.
        """
        action = int(action)
        if not 0 <= action < len(self.keys):
            raise ValueError(f"action {action} is not in 0..{len(self.keys) - 1}")
        if self._over:
            raise RuntimeError("the episode is over; call reset()")
        reward, self._over, chance = self._advance(action)
        if self.render_mode == "human":
            self.render()
        return self._frame(), reward, self._over, False, {"chance": chance}

    def render(self) -> np.ndarray | None:
        """Return the frame, uint8 (H, W, 3), or show it, by render mode."""
        if self.render_mode == "rgb_array":
            return self._frame()
        if self.render_mode == "human":
            if self._window is None:
                self._window = Window(f"Dreamplay {type(self).__name__}", self.metadata["render_fps"])
            self._window.show(self._frame())
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def get_keys_to_action(self) -> dict[tuple[str | int, ...], int]:
        """The key map that `gymnasium.utils.play` uses: letters and pygame's arrow key codes."""
        return {(key,): action for action, keys in enumerate(self.keys) for key in keys}

    def _frame(self) -> np.ndarray:
        cells = np.frombuffer(self._draw(), np.uint8)  # (H*W,)
        return self._palette.take(cells, axis=0).reshape(self._shape)  # (H, W, 3), a fresh array

    def _start(self) -> None:
        """Set the state at the start of an episode, drawing from `self.np_random`."""
        raise NotImplementedError

    def _advance(self, action: int) -> tuple[float, bool, bool]:
        """Move the state by one step; returns (reward, terminated, chance)."""
        raise NotImplementedError

    def _draw(self) -> bytearray:
        """Return the palette class of each cell, H*W bytes."""
        raise NotImplementedError
