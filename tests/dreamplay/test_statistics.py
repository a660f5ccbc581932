"""Statistics: known answers, and parts that add up to the whole."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dreamplay.episodes import Episode, Episodes, EpisodeWriter
from dreamplay.statistics import Range, Statistics
from toys import ClockEnv, clock_card

CARD = clock_card(ClockEnv())

EPISODES = [
    {
        "rewards": np.array(rewards, np.float32),
        "terminated": np.array([False] * (len(rewards) - 1) + [end == "terminated"]),
        "truncated": np.array([False] * (len(rewards) - 1) + [end == "truncated"]),
        "chance": np.array([True] + [False] * (len(rewards) - 1)),
    }
    for rewards, end in (([0, 1, 0], "terminated"), ([0, -2], "truncated"), ([5], "budget"))
]


def make(length: int, seed: int = 0) -> Episode:
    rng = np.random.default_rng(seed)
    frames, never = rng.integers(0, 256, (length + 1, 2, 4, 1), np.uint8), np.zeros(length, bool)
    rewards = rng.normal(size=length).astype(np.float32)
    return Episode(frames, rng.integers(0, 5, length), rewards, never, never, rng.random(length) < 0.5)


def test_known_answers():
    assert Statistics.of(EPISODES) == Statistics(
        lengths=Range(3, 6.0, 1.0, 3.0),
        rewards=Range(6, 4.0, -2.0, 5.0),
        rewarded=3,
        returns=Range(2, -1.0, -2.0, 1.0),
        terminated=1,
        truncated=1,
        chance=3,
    )
    assert Range().mean is None and Range.of(np.array([1.0, 2.0])).mean == 1.5


@given(st.lists(st.sampled_from(range(3)), min_size=2, max_size=8), st.integers(1, 7))
def test_parts_add_up_to_the_whole(which, cut):
    chosen = [EPISODES[i] for i in which]
    parts = [part for part in (chosen[:cut], chosen[cut:]) if part]
    assert Statistics.total([Statistics.of(part) for part in parts]) == Statistics.of(chosen)


def test_they_survive_json():
    statistics = Statistics.of(EPISODES)
    assert Statistics.from_json(json.loads(json.dumps(statistics.to_json()))) == statistics


def test_a_folder_holds_those_of_all_its_shards(tmp_path):
    for seed in (1, 2):
        with EpisodeWriter(tmp_path, CARD, append=True) as writer:
            writer.add(make(4, seed))
    index = json.loads((tmp_path / "data.json").read_text())
    episodes = [{name: getattr(episode, name) for name in EPISODES[0]} for episode in Episodes.open(tmp_path)]
    whole = Statistics.of(episodes)
    stored = Statistics.from_json(index["statistics"])
    np.testing.assert_allclose(stored.rewards.sum, whole.rewards.sum)
    assert (stored.lengths, stored.rewarded, stored.chance) == (whole.lengths, whole.rewarded, whole.chance)


def test_folders_from_before_there_were_any_open_and_go_on(tmp_path):
    with EpisodeWriter(tmp_path, CARD) as writer:
        writer.add(make(4))
    index = json.loads((tmp_path / "data.json").read_text())
    del index["statistics"], index["shards"][0]["statistics"], index["shards"][0]["sha256"]
    (tmp_path / "data.json").write_text(json.dumps(index))
    with EpisodeWriter(tmp_path, CARD, append=True) as writer:
        writer.add(make(5))
    assert Episodes.open(tmp_path).steps == 9
    assert json.loads((tmp_path / "data.json").read_text())["statistics"] is None
