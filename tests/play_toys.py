"""A real game for the player's tests: it plays by the rules of the stub simulator, so that dream and truth agree."""

from concurrent.futures import Executor, Future
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.envs.dream import DreamEnv
from dreamplay.play.reality import Reality
from dreamplay.play.session import Session
from toys import StubSimulator

KEYS = [(["left"], 1), (["right"], 2)]


class StubGame(gym.Env[np.ndarray, Any]):
    """The stub simulator's rule as a real game: the frame grows by 1 + the sum of all actions modulo 8.

    Args:
        length: steps until it terminates.
        drift: added to the frames of game i, i times; anything but 0 makes the game impossible to play again.
    """

    def __init__(self, length: int = 10_000, drift: int = 0) -> None:
        self.observation_space = gym.spaces.Box(0, 255, (2, 3, 1), np.uint8)
        self.action_space = gym.spaces.Discrete(3)
        self.length, self.drift, self.games = length, drift, 0
        self.actions: list[int] = []

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.games += 1
        self.actions = []
        self._total = 0
        self._value = int(self.np_random.integers(100)) + self.drift * self.games
        return self._frame(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.actions.append(int(action))
        self._total = (self._total + int(action)) % 8
        self._value += 1 + self._total
        return self._frame(), float(action), len(self.actions) >= self.length, False, {}

    def _frame(self) -> np.ndarray:
        return ((self._value + 10 * np.arange(6)) % 256).astype(np.uint8).reshape(2, 3, 1)


class AtOnce(Executor):
    """Runs every job while it is submitted: what runs beside the loop becomes predictable."""

    def submit(self, job: Any, /, *arguments: Any, **named: Any) -> Future:
        future: Future = Future()
        future.set_result(job(*arguments, **named))
        return future


class WhenTold(Executor):
    """Keeps jobs until `work` is called."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Future, Any]] = []

    def submit(self, job: Any, /, *arguments: Any, **named: Any) -> Future:
        self.jobs.append((Future(), job))
        return self.jobs[-1][0]

    def work(self) -> None:
        for future, job in self.jobs:
            future.set_result(job())
        self.jobs.clear()


class ScriptedAgent:
    """Takes the same action always, and remembers what it was told.

    Args:
        action: what it does.
        plan: what it says that it means to do.
    """

    def __init__(self, action: int = 2, plan: np.ndarray | None = None) -> None:
        self.action, self.plan = action, plan
        self.log: list[tuple[Any, ...]] = []

    def reset(self, seed: int | None = None) -> None:
        self.log.append(("reset", seed))

    def act(self, observation: np.ndarray) -> int:
        self.log.append(("act", int(observation[0, 0, 0])))
        return self.action

    def observe(self, observation: np.ndarray, action: Any, reward: float, terminated: bool, truncated: bool) -> None:
        self.log.append(("observe", int(observation[0, 0, 0]), action))


def stub_session(game: StubGame | None = None, *, endless: bool = True, **settings: Any) -> Session:
    """A session of a stub dream, beside a game if there is one."""
    simulator = StubSimulator(lengths=(0,) if endless else (3,), keys_to_action=KEYS)
    reality = None if game is None else Reality(game, idle=0)
    return Session(DreamEnv(simulator, horizon=10**9), reality, **settings)
