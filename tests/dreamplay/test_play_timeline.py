"""The moments of a game, and standing somewhere among them."""

from play_toys import stub_session

from dreamplay.play.moment import Moment
from dreamplay.play.timeline import HISTORY, Timeline


def moment(step: int) -> Moment:
    return Moment(step, 0, stub_session().moment.dream, None)


def line(*steps: int) -> Timeline:
    dream = stub_session().moment.dream
    return Timeline([Moment(step, 0, dream, None) for step in steps])


def steps(timeline: Timeline) -> list[int]:
    return [moment.step for moment in timeline.moments]


def test_going_on_from_an_earlier_moment_forgets_what_came_after():
    timeline = line(0, 1, 2, 3)
    timeline.seek(1)
    assert timeline.moment.step == 1 and not timeline.newest
    timeline.append(moment(2))
    assert steps(timeline) == [0, 1, 2] and timeline.newest


def test_seeking_stops_at_the_ends():
    timeline = line(0, 1, 2)
    timeline.seek(-5)
    assert timeline.at == 0
    timeline.seek(99)
    assert timeline.at == 2


def test_history_is_bounded_and_the_oldest_goes_first():
    timeline, dream = line(0), stub_session().moment.dream
    for step in range(1, HISTORY + 6):
        timeline.append(Moment(step, 0, dream, None))
    assert len(timeline.moments) == HISTORY and timeline.moments[0].step == 6
    assert timeline.moment.step == HISTORY + 5


def test_a_branch_shares_moments_and_nothing_else():
    timeline = line(0, 1, 2, 3)
    timeline.seek(2)
    twin = timeline.branch()
    assert steps(twin) == [0, 1, 2] and twin.newest and twin.origin == 2
    assert all(a is b for a, b in zip(twin.moments, timeline.moments, strict=False))
    twin.append(moment(3))
    timeline.seek(0)
    assert steps(timeline) == [0, 1, 2, 3] and twin.moment.step == 3


def test_the_moment_of_a_step_is_the_last_one_of_it_or_the_nearest():
    timeline = line(5, 6, 6, 7)  # the dream was taken back to reality at step 6
    assert timeline.at_step(6) is timeline.moments[2]
    assert timeline.at_step(1) is timeline.moments[0]
    assert timeline.at_step(50) is timeline.moments[3]


def test_recent_moments_end_at_the_present_one():
    timeline = line(0, 1, 2, 3)
    timeline.seek(2)
    assert [m.step for m in timeline.recent(2)] == [1, 2]
    assert [m.step for m in timeline.recent(10)] == [0, 1, 2]
