"""Progress, on a clock that the test turns."""

import io

import pytest

from dreamplay.progress import progress


class Clock:
    def __init__(self) -> None:
        self.seconds = 50.0

    def __call__(self) -> float:
        return self.seconds


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_come_every_ten_seconds_and_at_the_end():
    stream, clock = io.StringIO(), Clock()
    with progress("collect", 100, "steps", stream=stream, clock=clock) as bar:
        for step in range(100):
            clock.seconds += 0.25
            bar.advance(1, f"{step // 10} episodes" if step % 10 == 0 and step else "")
    assert stream.getvalue().splitlines() == [
        "collect: 40/100 steps, 4 steps/s, 0:00:15 left, 3 episodes",
        "collect: 80/100 steps, 4 steps/s, 0:00:05 left, 7 episodes",
        "collect: 100/100 steps, 4 steps/s, 0:00:25 in all, 9 episodes",
    ]


def test_the_end_is_told_once_also_where_a_line_is_due():
    stream, clock = io.StringIO(), Clock()
    with progress("train", 2, "updates", stream=stream, clock=clock) as bar:
        for _ in range(2):
            clock.seconds += 10
            bar.advance()
    assert stream.getvalue().splitlines() == [
        "train: 1/2 updates, 0.1 updates/s, 0:00:10 left",
        "train: 2/2 updates, 0.1 updates/s, 0:00:20 in all",
    ]


def test_the_last_line_comes_after_an_exception_too():
    stream, clock = io.StringIO(), Clock()
    with pytest.raises(KeyboardInterrupt), progress("collect", 100, "steps", stream=stream, clock=clock) as bar:
        clock.seconds += 4
        bar.advance(30)
        raise KeyboardInterrupt
    assert stream.getvalue() == "collect: 30/100 steps, 7.5 steps/s, 0:00:04 in all\n"


def test_nothing_done_is_no_division_by_zero():
    stream = io.StringIO()
    with progress("train", 2.5, "minutes", stream=stream, clock=Clock()):
        pass
    assert stream.getvalue() == "train: 0/2.5 minutes, 0 minutes/s, 0:00:00 in all\n"


def test_a_line_goes_to_stderr_by_default(capsys):
    with progress("collect", 1, "steps"):
        pass
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("collect: 0/1 steps")


def test_a_terminal_gets_a_bar_with_rate_remaining_time_and_status(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    stream, clock = Terminal(), Clock()
    with progress("collect", 100, "steps", stream=stream, clock=clock) as bar:
        clock.seconds += 2
        bar.advance(50, "[3] episodes")
    assert "50/100 steps, 25 steps/s" in stream.getvalue()
    assert "[3] episodes" in stream.getvalue()  # brackets are text here, not markup
