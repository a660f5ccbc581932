"""Human rendering, without a display."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium as gym
import numpy as np
import pytest

import dreamplay  # noqa: F401  (registers the ids)
from dreamplay.envs.window import Window


@pytest.fixture(autouse=True)
def no_display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import pygame

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.quit()
    yield
    pygame.display.quit()


def shown() -> np.ndarray:
    import pygame

    return pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)


@pytest.mark.parametrize(("height", "width", "factor"), [(10, 10, 50), (12, 14, 36), (70, 80, 6), (600, 400, 1)])
def test_frames_are_shown_enlarged_by_a_whole_factor(height: int, width: int, factor: int) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    window = Window("a test", fps=1000)
    window.show(frame)
    assert np.array_equal(shown(), np.kron(frame, np.ones((factor, factor, 1), np.uint8)))
    window.close()


def test_gray_frames_are_shown_gray() -> None:
    frame = np.arange(100, dtype=np.uint8).reshape(10, 10, 1)
    window = Window("a test", fps=1000)
    window.show(frame)
    assert np.array_equal(shown()[::50, ::50], frame.repeat(3, axis=2))
    window.close()


def test_it_keeps_pace_and_opens_again_after_closing() -> None:
    class Clock:
        ticks: list[int] = []  # noqa: RUF012

        def tick(self, fps: int) -> None:
            self.ticks.append(fps)

    frame = np.zeros((10, 10, 3), np.uint8)
    window = Window("a test", fps=1000)
    window.show(frame)
    window._clock = Clock()
    window._fps = 12
    window.show(frame)
    window.show(frame)
    assert Clock.ticks == [12, 12]
    window.close()
    window.close()
    window.show(frame)
    window.close()


@pytest.mark.parametrize("name", ["Catch", "Bricks", "Rally", "Recall"])
def test_games_show_every_frame(name: str) -> None:
    env = gym.make(f"Dreamplay/{name}-v0", render_mode="human")
    factor = 36 if name == "Rally" else 50
    observation, _ = env.reset(seed=0)
    assert np.array_equal(shown()[::factor, ::factor], observation)
    for action in (1, 2, 0):
        observation = env.step(action)[0]
        assert np.array_equal(shown()[::factor, ::factor], observation)
    assert env.render() is None
    env.close()
