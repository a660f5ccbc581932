"""Several futures of one moment, and how they are drawn over it."""

import numpy as np
import pytest
from play_toys import stub_session

from dreamplay.play.fan import HUES, paths, spread


def fan_of(session, temperature: float, actions=(1, 0, 2, 2)):
    return spread(
        session.dream.simulator, session.moment, np.array(actions), futures=5, temperature=temperature, cause="plan"
    )


def test_at_temperature_zero_every_future_is_the_one_that_will_come():
    session = stub_session()
    session.step(1)
    fan = fan_of(session, 0.0)
    assert fan.origin is session.moment and fan.cause == "plan" and fan.frames.shape == (5, 4, 2, 3, 1)
    endings, rewards = [], []
    for t, action in enumerate([1, 0, 2, 2]):
        dream = session.step(action).dream
        assert all(np.array_equal(future[t], dream.frame) for future in fan.frames)
        endings.append(dream.termination_probability)
        rewards.append(dream.reward)
    assert fan.returns == pytest.approx([sum(rewards)] * 5)
    assert fan.ending == pytest.approx([1 - np.prod(1 - np.array(endings))] * 5)


def test_a_future_that_ends_stays_as_it_is_and_earns_no_more():
    session = stub_session(endless=False)  # ends after three steps
    fan = fan_of(session, 0.0, actions=(1, 0, 2, 2, 2))
    rewards = []
    for action in [1, 0, 2]:
        dream = session.step(action).dream
        rewards.append(dream.reward)
    assert session.moment.over
    assert all(np.array_equal(frame, dream.frame) for future in fan.frames for frame in future[2:])
    assert fan.returns == pytest.approx([sum(rewards)] * 5)
    assert (fan.ending >= 0.75).all()


def test_futures_differ_at_a_temperature_and_the_dream_goes_on_as_if_there_were_none():
    session, still = stub_session(), stub_session()
    fan = fan_of(session, 1.0)
    assert len({future.tobytes() for future in fan.frames}) > 1
    assert np.array_equal(session.step(1).seen, still.step(1).seen)


def test_paths_color_what_changes_by_future_and_time():
    present = np.zeros((2, 3, 1), np.uint8)
    futures = np.zeros((2, 2, 2, 3, 1), np.uint8)
    futures[0, 0, 0, 1] = 9  # the first future moves early here,
    futures[0, 1, 0, 2] = 9  # then there
    futures[1, 1, 1, 0] = 9  # the second one elsewhere
    picture = paths(present, futures)
    assert picture.shape == (2, 3, 3) and picture.dtype == np.uint8
    assert np.array_equal(picture[0, 2], HUES[0]) and np.array_equal(picture[1, 0], HUES[1])
    assert np.array_equal(picture[0, 1], (HUES[0] * np.float32(0.7)).astype(np.uint8))
    assert not picture[0, 0].any() and not picture[1, 1:].any()


def test_what_leaves_at_once_is_where_a_path_begins_and_no_part_of_it():
    present = np.array([[[9], [0], [0]]], np.uint8)  # something is on the left, and moves to the right
    futures = np.array([[[[0], [9], [0]]], [[[0], [0], [9]]]], np.uint8)[None]
    picture = paths(present, futures, light=1.0)
    assert (picture[0, 0] == 9).all()
    assert picture[0, 1].any() and np.array_equal(picture[0, 2], HUES[0])


def test_without_change_paths_are_the_present_dimmed():
    present = np.full((2, 3, 3), 200, np.uint8)
    picture = paths(present, np.broadcast_to(present, (4, 5, 2, 3, 3)))
    assert (picture == 90).all()
