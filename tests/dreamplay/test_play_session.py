"""What each way of moving through a game does to its state."""

import numpy as np
import pytest
from play_toys import StubGame, stub_session

from dreamplay.play.moment import Moment
from dreamplay.play.reality import CONTEXT, Reality
from dreamplay.play.session import LEFT_BEHIND, MOST_BRANCHES, Session

ACTIONS = [1, 2, 0, 2, 1, 1, 0, 2]


def play(session: Session, actions: list[int]) -> list[list[np.ndarray | None]]:
    frames = []
    for action in actions:
        session.step(action)
        frames.append(shown(session.moment))
    return frames


def shown(moment: Moment) -> list[np.ndarray | None]:
    return [side and side.frame for side in (moment.dream, moment.real)]


def same(session: Session) -> bool:
    return np.array_equal(*shown(session.moment))


def test_both_games_start_from_the_same_frame_and_take_the_same_actions():
    game = StubGame()
    session = stub_session(game)
    assert same(session)
    assert game.actions == [0] * (CONTEXT - 1)  # one frame more than actions
    for dream, real in play(session, ACTIONS):
        assert np.array_equal(dream, real)
    assert game.actions[CONTEXT - 1 :] == ACTIONS
    assert (session.moment.step, session.moment.dream.horizon) == (len(ACTIONS), len(ACTIONS))
    assert session.moment.real.total == sum(ACTIONS)
    assert session.moment.wrong == 0


def test_a_moment_knows_all_that_the_dream_says_of_it():
    session = stub_session()
    before = session.moment.dream
    dream = session.step(2).dream
    pixel = int(dream.frame[0, 0, 0])
    assert dream.reward == (pixel % 3 == 0) and dream.total == before.total + dream.reward
    assert dream.termination_probability == (pixel % 4) / 16
    assert dream.uncertainty == pytest.approx(pixel / 1000)
    assert np.isnan(before.uncertainty)


def test_a_game_that_idling_would_lose_leaves_the_player_half_of_that_time():
    game = StubGame(length=7)
    stub_session(game)
    assert game.actions == [0] * 3


def test_without_a_real_game_a_stored_context_starts_the_dream():
    session = stub_session()
    assert session.moment.real is None and session.moment.wrong is None
    contexts = session.dream.simulator.contexts
    assert any(np.array_equal(session.moment.seen, context.observations[-1]) for context in contexts)
    session.step(1)
    assert session.moment.real is None and session.moment.dream.horizon == 1


def test_the_real_game_can_be_played_alone_from_its_first_frame():
    game = StubGame()
    session = Session(None, Reality(game, idle=0))
    assert game.actions == [] and session.moment.dream is None
    session.step(2)
    assert game.actions == [2] and session.moment.real.total == 2
    assert np.array_equal(session.moment.seen, session.moment.real.frame)
    session.seek(-1)
    session.step(1)
    assert game.actions == [1] and session.moment.step == 1
    session.anchor()
    assert "no dream" in session.notice
    session.next_context()
    assert "no contexts" in session.notice
    with pytest.raises(ValueError, match="nothing to play"):
        Session(None, None)


def test_rewinding_shows_the_frames_that_were_seen_and_replays_the_same_ones():
    session = stub_session(StubGame())
    first = shown(session.moment)
    seen = play(session, ACTIONS)
    back = []
    while session.seek(-1):
        back.append(shown(session.moment))
    assert np.array_equal(back, [*reversed(seen[:-1]), first])
    session.seek(3)
    assert np.array_equal(shown(session.moment), seen[2])
    session.seek(-100)
    assert np.array_equal(play(session, ACTIONS), seen)


def test_going_on_from_a_rewound_moment_takes_the_real_game_along():
    game = StubGame()
    session = stub_session(game)
    play(session, ACTIONS)
    session.seek(-5)
    session.step(2)
    assert game.actions[CONTEXT - 1 :] == [*ACTIONS[:3], 2]
    assert same(session)
    assert (session.moment.step, session.notice) == (4, "")
    assert session.moment.real.total == sum(ACTIONS[:3]) + 2


def test_a_real_game_that_cannot_be_played_again_is_left_behind_until_the_dream_is_taken_back():
    session = stub_session(StubGame(drift=7))
    play(session, ACTIONS)
    session.seek(-2)
    session.step(1)
    assert session.notice == LEFT_BEHIND
    assert session.moment.real is None
    session.step(1)
    assert session.moment.real is None and session.moment.dream.horizon == len(ACTIONS)
    session.anchor()
    assert session.moment.real is not None and session.moment.dream.horizon == 0
    assert same(session)
    session.step(1)
    assert session.moment.real is not None and session.moment.dream.horizon == 1


def test_anchoring_gives_the_dream_the_last_real_frames_and_actions():
    session = stub_session(StubGame())
    play(session, ACTIONS)
    session.dream._state["frame"] += 50  # the dream goes astray
    session.step(0)
    assert not same(session) and session.moment.wrong == 6
    given = {}
    reset = session.dream.reset
    session.dream.reset = lambda **arguments: given.update(arguments["options"]["context"]) or reset(**arguments)
    earned = session.moment.dream.total
    session.anchor()
    played = [0] * (CONTEXT - 1) + ACTIONS + [0]
    assert given["actions"].tolist() == played[-(CONTEXT - 1) :]
    assert given["observations"].shape == (CONTEXT, 2, 3, 1)
    assert np.array_equal(given["observations"][-1], session.moment.real.frame)
    assert same(session)
    assert (session.moment.step, session.moment.dream.horizon) == (len(ACTIONS) + 1, 0)
    assert session.moment.dream.total == earned and session.moment.real.total == sum(played)


def test_anchoring_can_be_rewound():
    session = stub_session(StubGame())
    seen = play(session, ACTIONS)
    session.anchor()
    session.seek(-1)
    assert np.array_equal(shown(session.moment), seen[-1])


def test_anchoring_says_why_it_cannot():
    alone = stub_session()
    alone.anchor()
    assert "no real game" in alone.notice
    ended = stub_session(StubGame(length=30))
    play(ended, [0] * 30)
    ended.anchor()
    assert "over" in ended.notice


def test_stored_contexts_follow_one_another_and_leave_the_real_game_where_it_is():
    game = StubGame()
    session = stub_session(game)
    play(session, ACTIONS)
    played = list(game.actions)
    contexts = session.dream.simulator.contexts
    for number in [*range(len(contexts)), 0]:
        session.next_context()
        assert np.array_equal(session.moment.seen, contexts[number].observations[-1])
        assert session.moment.real is None and session.moment.dream.horizon == 0
        assert f"context {number + 1} of {len(contexts)}" in session.notice
    session.step(1)
    assert game.actions == played
    session.anchor()
    assert same(session) and session.moment.real.total == sum(ACTIONS)


def test_a_branch_leaves_the_original_untouched():
    session = stub_session(StubGame())
    play(session, ACTIONS)
    original = list(session.line.moments)
    session.seek(-4)
    fork = session.moment
    session.branch()
    assert session.moment is fork and (session.chosen, session.compared) == (1, 0)
    future = play(session, [0, 0, 2])
    assert same(session)
    assert len(session.branches[0].moments) == len(original)
    assert all(a is b for a, b in zip(session.branches[0].moments, original, strict=True))
    session.choose(0)
    assert session.moment is fork  # where it was left
    session.seek(4)
    assert session.moment is original[-1]
    session.step(1)
    assert same(session) and session.moment.real.total == sum(ACTIONS) + 1
    session.choose(1)
    assert np.array_equal(shown(session.moment), future[-1])
    assert (session.chosen, session.compared) == (1, 0)
    session.step(1)
    assert same(session) and session.moment.real.total == sum(ACTIONS[:4]) + 3


def test_branches_replay_bit_for_bit_at_a_temperature_too():
    session = stub_session()
    session.dream.temperature = 1.0
    seen = play(session, ACTIONS)
    session.seek(-len(ACTIONS))
    session.branch()
    assert np.array_equal([dream for dream, _ in play(session, ACTIONS)], [dream for dream, _ in seen])


def test_branches_have_numbers_up_to_nine():
    session = stub_session()
    for _ in range(MOST_BRANCHES + 2):
        session.branch()
    assert len(session.branches) == MOST_BRANCHES and "already" in session.notice
    session.choose(MOST_BRANCHES)
    assert session.chosen == MOST_BRANCHES - 1 and "no branch 10" in session.notice
    compared = session.compared
    session.choose(session.chosen)
    assert session.compared == compared
    session.start()
    assert len(session.branches) == 1 and session.compared is None


@pytest.mark.parametrize("beside", [True, False])
def test_a_dream_that_ended_stays_while_the_real_game_goes_on(beside: bool):
    session = stub_session(StubGame() if beside else None, endless=False)
    play(session, [0] * 3)
    last = session.moment
    assert last.dream.over and last.over
    session.step(0)
    assert np.array_equal(session.moment.dream.frame, last.dream.frame)
    assert session.moment.dream.horizon == 3
    assert session.moment.step == (4 if beside else 3)


def test_a_real_game_that_ended_stays_while_the_dream_goes_on():
    session = stub_session(StubGame(length=30))
    steps = 30 - (CONTEXT - 1)
    play(session, [0] * steps)
    last = session.moment
    assert last.real.over
    session.step(2)
    assert np.array_equal(session.moment.real.frame, last.real.frame)
    assert session.moment.dream.horizon == steps + 1
    assert session.moment.real.total == last.real.total


def test_each_start_has_its_own_seed_and_the_first_one_repeats():
    firsts = []
    for _ in range(2):
        session = stub_session(StubGame(), seed=3)
        firsts.append(session.moment.seen)
        play(session, ACTIONS)
        session.start()
        assert not np.array_equal(session.moment.seen, firsts[0])
        assert session.moment.step == 0 and not session.seek(-1)
    assert np.array_equal(*firsts)
