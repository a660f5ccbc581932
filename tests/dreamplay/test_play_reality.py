"""The real game: going back to any point of it, and keeping what was played as data."""

from pathlib import Path

import numpy as np
import pytest
from play_toys import StubGame

from dreamplay.envs.real import card_of, make_env
from dreamplay.episodes import Episode, Episodes, EpisodeWriter
from dreamplay.play.moment import Past
from dreamplay.play.reality import REPLAY_LIMIT, Reality, open_reality
from dreamplay.play.session import Session


def test_points_of_different_courses_can_be_returned_to():
    reality = Reality(StubGame(), idle=0)
    reality.begin(3, idle_first=False)
    for action in [1, 2, 2]:
        reality.step(action)
    first, first_frame = reality.past, reality.frame
    assert reality.return_to(first, {})
    assert reality.return_to(Past(3, first.course, 1, 1.0), {})
    for action in [0, 0]:
        reality.step(action)
    second, second_frame, total = reality.past, reality.frame, reality.total
    assert (first.actions, second.actions, total) == ([1, 2, 2], [1, 0, 0], 1)
    for past, frame in [(first, first_frame), (second, second_frame)]:
        assert reality.return_to(past, {past.steps: frame})
        assert np.array_equal(reality.frame, frame)
    assert reality.total == total


def test_what_idling_earned_is_not_the_players():
    reality = Reality(StubGame(), idle=2)  # even idling earns something here
    reality.begin(0)
    reality.step(1)
    past = reality.past
    assert past.total == 1
    reality.step(2)
    assert reality.return_to(past, {}) and reality.total == 1


def test_a_game_that_goes_another_way_is_noticed():
    reality = Reality(StubGame(drift=1), idle=0)
    reality.begin(0, idle_first=False)
    reality.step(1)
    past, frame = reality.past, reality.frame
    reality.step(1)
    assert not reality.return_to(past, {1: frame})


def test_nobody_waits_for_a_very_long_replay():
    reality = Reality(StubGame(), idle=0)
    reality.begin(0, idle_first=False)
    for _ in range(REPLAY_LIMIT + 2):
        reality.step(0)
    past = reality.past
    assert reality.return_to(past, {})
    assert not reality.return_to(Past(0, past.course, REPLAY_LIMIT + 1, 0.0), {})


def test_a_missing_environment_is_a_notice(tmp_path: Path):
    reality, notice = open_reality(tmp_path / "nothing", 0)
    assert reality is None and "the dream alone" in notice


def kept_games(length: int = 10_000) -> tuple[Session, list[Episode]]:
    kept: list[Episode] = []
    return Session(None, Reality(StubGame(length), idle=0, keep=kept.append)), kept


def test_every_game_is_kept_when_the_next_one_begins_or_at_the_end():
    session, kept = kept_games()
    session.step(1)
    session.step(2)
    assert kept == []
    session.start()
    session.start()  # a game without a step is no episode
    session.step(0)
    session.reality.close()
    assert [episode.actions.tolist() for episode in kept] == [[1, 2], [0]]
    assert kept[0].rewards.tolist() == [1, 2] and not kept[0].terminated.any()


def test_what_was_rewound_is_not_in_the_episode():
    session, kept = kept_games()
    for action in [1, 1, 2, 2]:
        session.step(action)
    session.seek(-2)
    session.step(0)
    frames = [moment.seen for moment in session.line.moments]
    session.start()
    assert kept[0].actions.tolist() == [1, 1, 0]
    assert np.array_equal(kept[0].observations, frames)


def test_the_end_of_a_game_is_in_its_episode():
    session, kept = kept_games(length=3)
    for _ in range(5):
        session.step(1)
    session.start()
    assert kept[0].terminated.tolist() == [False, False, True] and not kept[0].truncated.any()


@pytest.mark.parametrize("game", ["Dreamplay/Catch-v0", "Dreamplay/Rally-v0"])
def test_an_episode_on_disk_is_what_was_played_and_plays_back_identically(tmp_path: Path, game: str):
    env = make_env(game)
    with EpisodeWriter(tmp_path / "data", card_of(env), append=True) as writer:
        session = Session(None, Reality(env, 0, writer.add), seed=5)
        env.action_space.seed(0)
        while not session.moment.over:
            session.step(env.action_space.sample())
        moments = list(session.line.moments)
        session.reality.close()
    (episode,) = Episodes.open(tmp_path / "data")
    assert np.array_equal(episode.observations, [moment.seen for moment in moments])
    again = make_env(game)
    assert np.array_equal(again.reset(seed=5)[0], episode.observations[0])
    for t, action in enumerate(episode.actions):
        frame, reward, terminated, truncated, info = again.step(action)
        assert np.array_equal(frame, episode.observations[t + 1])
        assert reward == episode.rewards[t]
        assert (terminated, truncated, info["chance"]) == (
            episode.terminated[t],
            episode.truncated[t],
            episode.chance[t],
        )
