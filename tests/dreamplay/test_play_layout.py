"""Panes fit any window and are enlarged by whole numbers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamplay.play.layout import arrange, first_size


@settings(deadline=None)
@given(
    window=st.tuples(st.integers(60, 3000), st.integers(180, 2000)),
    frame=st.tuples(st.integers(1, 600), st.integers(1, 600)),
    count=st.integers(1, 4),
)
def test_panes_lie_apart_inside_the_window(window: tuple[int, int], frame: tuple[int, int], count: int):
    layout = arrange(window, frame, count)
    assert len(layout.panes) == count
    assert layout.up >= 1 and layout.down >= 1 and 1 in (layout.up, layout.down)
    for left, top, width, height in layout.panes:
        assert width == -(-frame[1] // layout.down) * layout.up
        assert height == -(-frame[0] // layout.down) * layout.up
        if layout.down == 1:
            assert left >= 0 and left + width <= window[0] and top + height <= layout.footer[1]
    places = {(left, top) for left, top, _, _ in layout.panes}
    assert len(places) == count


@pytest.mark.parametrize(
    ("window", "columns"), [((1300, 560), 3), ((500, 1600), 1)], ids=["wide: side by side", "tall: one above the other"]
)
def test_the_grid_follows_the_window(window: tuple[int, int], columns: int):
    assert len({left for left, _, _, _ in arrange(window, (64, 64), 3).panes}) == columns


@pytest.mark.parametrize(("window", "grid"), [((960, 430), (4, 2)), ((1400, 300), (8, 1)), ((400, 1400), (2, 4))])
def test_many_panes_leave_no_gaps(window: tuple[int, int], grid: tuple[int, int]):
    panes = arrange(window, (70, 80), 8).panes
    assert (len({left for left, *_ in panes}), len({top for _, top, *_ in panes})) == grid


@settings(deadline=None)
@given(st.integers(1, 1000), st.integers(200, 2000))
def test_the_bar_leads_to_every_moment_that_has_a_pixel(count: int, width: int):
    layout = arrange((width, 400), (64, 64), 3)
    for index in range(0, count, max(1, count // 50)):
        reached = layout.moment_at(layout.place_of(index, count), count)
        assert abs(reached - index) <= count / layout.bar[2]
    assert layout.moment_at(-999, count) == 0 and layout.moment_at(9999, count) == count - 1


@pytest.mark.parametrize("frame", [(10, 10), (70, 80), (210, 160), (400, 400)])
def test_a_new_window_fits_the_desktop_and_shows_all_panes_at_once(frame: tuple[int, int]):
    width, height = first_size(frame, 3, (1920, 1080))
    assert width <= 1920 and height <= 1080
    layout = arrange((width, height), frame, 3)
    assert layout.down == 1
