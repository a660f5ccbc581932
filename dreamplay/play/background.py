"""One job at a time beside the event loop: a planner that thinks, futures that are dreamed."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from typing import Any


class Background:
    """A worker that takes a job when it has none, and keeps its result until that is asked for.

    Args:
        wake: Called from the worker when a result is ready.
        executor: Runs the jobs; a thread of its own by default.
    """

    def __init__(self, wake: Callable[[], object] = lambda: None, executor: Executor | None = None) -> None:
        self._wake = wake
        self._executor = executor or ThreadPoolExecutor(1)
        self._running: tuple[Any, Future] | None = None

    @property
    def busy(self) -> bool:
        """Whether a job runs, or its result has not been taken."""
        return self._running is not None

    def offer(self, key: Any, job: Callable[[], Any]) -> bool:
        """Start a job, under a key that comes back with its result, unless there is one already."""
        if self._running is not None:
            return False
        future = self._executor.submit(job)
        self._running = key, future
        future.add_done_callback(lambda _: self._wake())
        return True

    def take(self, patience: float = 0.0) -> tuple[Any, Any] | None:
        """(key, result) of a job that is done, once; None before. What the job raised is raised here.

        Args:
            patience: Seconds to wait for a job that is nearly done.
        """
        if self._running is None or not wait([self._running[1]], patience).done:
            return None
        (key, future), self._running = self._running, None
        return key, future.result()

    def close(self) -> None:
        """Wait for nothing: what runs is left to itself and forgotten."""
        self._executor.shutdown(wait=False, cancel_futures=True)
