"""Progress on stderr: a live bar in a terminal, a plain line now and then anywhere else."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TextIO

BAR_SECONDS = 0.1
LINE_SECONDS = 10.0


class Progress:
    """Counts what is done, and shows it at most once per `interval`.

    Args:
        show: shows this object's state; called with it.
        total: how much there is to do.
        interval: seconds between two calls of `show`.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        show: Callable[["Progress"], None],
        total: float,
        interval: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.done = 0.0
        self._status: str | Callable[[], str] = ""
        self._show = show
        self._interval = interval
        self._clock = clock
        self._start = self._shown = clock()

    def advance(self, n: float = 1, status: str | Callable[[], str] = "") -> None:
        """Count `n` more as done; a status text, or what makes it when it is shown, stays until the next one."""
        self.done += n
        self._status = status or self._status
        now = self._clock()
        if now - self._shown >= self._interval and self.done < self.total:  # the end is told once, when the loop ends
            self._shown = now
            self._show(self)

    @property
    def status(self) -> str:
        """The latest one."""
        return self._status() if callable(self._status) else self._status

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return self._clock() - self._start

    @property
    def rate(self) -> float:
        """Done per second since the start."""
        return self.done / max(self.seconds, 1e-9)

    @property
    def remaining(self) -> float | None:
        """Seconds left at this rate; None while nothing is done."""
        return max(0.0, self.total - self.done) / self.rate if self.done else None


@contextmanager
def progress(
    description: str,
    total: float,
    unit: str,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Progress]:
    """Show how far a loop is, at what rate, how long it still takes, and a free text.

    Args:
        description: what is going on, in a word or two.
        total: how much there is to do, in units.
        unit: of what is counted, in the plural: "steps".
        stream: where to; stderr by default.
        clock: seconds, monotonic; for tests.

    Yields:
        The `Progress` to call `advance(n, status)` on.

    Example:
        >>> with progress("collect", total=3, unit="steps") as bar:
        ...     for _ in range(3):
        ...         bar.advance(1)
    """
    stream = sys.stderr if stream is None else stream
    if stream.isatty():
        with _bar(description, total, unit, stream, clock) as state:
            yield state
        return
    state = Progress(lambda s: print(line(description, unit, s), file=stream, flush=True), total, LINE_SECONDS, clock)
    try:
        yield state
    finally:
        print(line(description, unit, state, last=True), file=stream, flush=True)


def line(description: str, unit: str, state: Progress, last: bool = False) -> str:
    """One plain line about the state, such as `collect: 5000/20000 steps, 1250 steps/s, 0:00:12 left, 7 episodes`."""
    parts = [f"{description}: {_number(state.done)}/{_number(state.total)} {unit}", f"{_number(state.rate)} {unit}/s"]
    if last:
        parts.append(f"{_duration(state.seconds)} in all")
    elif state.remaining is not None:
        parts.append(f"{_duration(state.remaining)} left")
    return ", ".join([*parts, *([state.status] if state.status else [])])


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


@contextmanager
def _bar(description: str, total: float, unit: str, stream: TextIO, clock: Callable[[], float]) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    )
    with RichProgress(*columns, console=Console(file=stream)) as rich:
        task = rich.add_task(description, total=total, text="")

        def show(state: Progress, last: bool = False) -> None:
            text = line(description, unit, state, last).removeprefix(f"{description}: ")
            rich.update(task, completed=state.done, text=text)

        state = Progress(show, total, BAR_SECONDS, clock)
        try:
            yield state
        finally:
            show(state, last=True)
