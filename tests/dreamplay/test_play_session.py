"""What each way of moving through a game does to its state."""

import numpy as np
import pytest
from play_toys import StubGame, stub_session

from dreamplay.play.reality import CONTEXT
from dreamplay.play.session import HISTORY, LEFT_BEHIND, Session

ACTIONS = [1, 2, 0, 2, 1, 1, 0, 2]


def play(session: Session, actions: list[int]) -> list[list[np.ndarray | None]]:
    frames = []
    for action in actions:
        session.step(action)
        frames.append(shown(session))
    return frames


def shown(session: Session) -> list[np.ndarray | None]:
    return [session.moment.dream, session.moment.real]


def test_both_games_start_from_the_same_frame_and_take_the_same_actions():
    game = StubGame()
    session = stub_session(game)
    assert np.array_equal(session.moment.dream, session.moment.real)
    assert game.actions == [0] * (CONTEXT - 1)  # one frame more than actions
    for dream, real in play(session, ACTIONS):
        assert np.array_equal(dream, real)
    assert game.actions[CONTEXT - 1 :] == ACTIONS
    assert (session.moment.step, session.moment.horizon) == (len(ACTIONS), len(ACTIONS))
    assert session.moment.real_total == sum(ACTIONS)


def test_a_game_that_idling_would_lose_leaves_the_player_half_of_that_time():
    game = StubGame(length=7)
    stub_session(game)
    assert game.actions == [0] * 3


def test_without_a_real_game_a_stored_context_starts_the_dream():
    session = stub_session()
    assert session.moment.real is None
    contexts = session.dream.simulator.contexts
    assert any(np.array_equal(session.moment.dream, context.observations[-1]) for context in contexts)
    session.step(1)
    assert session.moment.real is None and session.moment.horizon == 1


def test_rewinding_shows_the_frames_that_were_seen_and_replays_the_same_ones():
    session = stub_session(StubGame())
    first = shown(session)
    seen = play(session, ACTIONS)
    back = []
    while session.back():
        back.append(shown(session))
    assert np.array_equal(back, [*reversed(seen[:-1]), first])
    assert np.array_equal(play(session, ACTIONS), seen)


def test_going_on_from_a_rewound_moment_takes_the_real_game_along():
    game = StubGame()
    session = stub_session(game)
    play(session, ACTIONS)
    for _ in range(5):
        session.back()
    session.step(2)
    assert game.actions[CONTEXT - 1 :] == [*ACTIONS[:3], 2]
    assert np.array_equal(session.moment.dream, session.moment.real)
    assert (session.moment.step, session.notice) == (4, "")
    assert session.moment.real_total == sum(ACTIONS[:3]) + 2


def test_a_real_game_that_cannot_be_played_again_is_left_behind_until_the_dream_is_taken_back():
    session = stub_session(StubGame(drift=7))
    play(session, ACTIONS)
    session.back()
    session.back()
    session.step(1)
    assert session.notice == LEFT_BEHIND
    assert session.moment.real is None
    session.step(1)
    assert session.moment.real is None and session.moment.horizon == len(ACTIONS)
    session.anchor()
    assert session.moment.real is not None and session.moment.horizon == 0
    assert np.array_equal(session.moment.dream, session.moment.real)
    session.step(1)
    assert session.moment.real is not None and session.moment.horizon == 1


def test_anchoring_gives_the_dream_the_last_real_frames_and_actions():
    session = stub_session(StubGame())
    play(session, ACTIONS)
    session.dream._state["frame"] += 50  # the dream goes astray
    session.step(0)
    assert not np.array_equal(session.moment.dream, session.moment.real)
    given = {}
    reset = session.dream.reset
    session.dream.reset = lambda **arguments: given.update(arguments["options"]["context"]) or reset(**arguments)
    session.anchor()
    played = [0] * (CONTEXT - 1) + ACTIONS + [0]
    assert given["actions"].tolist() == played[-(CONTEXT - 1) :]
    assert given["observations"].shape == (CONTEXT, 2, 3, 1)
    assert np.array_equal(given["observations"][-1], session.moment.real)
    assert np.array_equal(session.moment.dream, session.moment.real)
    assert (session.moment.step, session.moment.horizon) == (len(ACTIONS) + 1, 0)


def test_anchoring_can_be_rewound():
    session = stub_session(StubGame())
    seen = play(session, ACTIONS)
    session.anchor()
    session.back()
    assert np.array_equal(shown(session), seen[-1])


def test_anchoring_says_why_it_cannot():
    alone = stub_session()
    alone.anchor()
    assert "no real game" in alone.notice
    ended = stub_session(StubGame(length=30))
    play(ended, [0] * 30)
    ended.anchor()
    assert "over" in ended.notice


def test_the_agent_replaces_the_players_actions_only_while_it_plays():
    session = stub_session(StubGame())
    session.agent.act = lambda observation: 2
    session.hand_over()
    session.step(0)
    assert session.moment.action == 2
    session.hand_over()
    session.step(0)
    assert session.moment.action == 0


def test_the_agent_sees_the_dream():
    session = stub_session(StubGame(), agent_plays=True)
    seen = []
    session.agent.act = lambda observation: seen.append(observation) or 1
    before = session.moment.dream
    session.step(0)
    assert np.array_equal(seen, [before])


@pytest.mark.parametrize("beside", [True, False])
def test_a_dream_that_ended_stays_while_the_real_game_goes_on(beside: bool):
    session = stub_session(StubGame() if beside else None, endless=False)
    play(session, [0] * 3)
    last = session.moment
    assert last.dream_over and last.over
    session.step(0)
    assert np.array_equal(session.moment.dream, last.dream)
    assert session.moment.horizon == 3
    assert session.moment.step == (4 if beside else 3)


def test_a_real_game_that_ended_stays_while_the_dream_goes_on():
    session = stub_session(StubGame(length=30))
    steps = 30 - (CONTEXT - 1)
    play(session, [0] * steps)
    last = session.moment
    assert last.real_over
    session.step(2)
    assert np.array_equal(session.moment.real, last.real)
    assert session.moment.horizon == steps + 1
    assert session.moment.real_total == last.real_total


def test_each_start_has_its_own_seed_and_the_first_one_repeats():
    firsts = []
    for _ in range(2):
        session = stub_session(StubGame(), seed=3)
        firsts.append(session.moment.dream)
        play(session, ACTIONS)
        session.start()
        assert not np.array_equal(session.moment.dream, firsts[0])
        assert session.moment.step == 0 and not session.back()
    assert np.array_equal(*firsts)


def test_history_is_bounded():
    session = stub_session()
    for _ in range(HISTORY + 5):
        session.step(0)
    count = 0
    while session.back():
        count += 1
    assert count == HISTORY - 1
    assert session.moment.step == 6
