"""Running episodes: seeds, counts, rows side by side, and the command around it."""

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.agents.acting import Acted, run_episodes
from dreamplay.agents.cem import CEMConfig, CrossEntropyPlanner
from dreamplay.agents.planning_agent import PlanningAgent
from dreamplay.agents.random_agent import RandomAgent
from dreamplay.agents.scoring import DreamScorer
from dreamplay.commands.act import Act
from dreamplay.envs.card import EnvCard, Preparation
from dreamplay.errors import UserError
from toys import ClockEnv, StubSimulator


class Chancy(ClockEnv):
    """Episodes of 1 to 12 steps, as the seed has it; random pixels, and a reward that depends on them."""

    def reset(self, **arguments: Any) -> Any:
        _, info = super().reset(**arguments)
        self.lengths = (int(self.np_random.integers(1, 13)),)
        return self._noise(), info

    def step(self, action: Any) -> Any:
        _, _, *flags = super().step(action)
        observation = self._noise()
        return observation, float(observation[0, 0, 0]) + float(action), *flags

    def _noise(self) -> np.ndarray:
        return self.np_random.integers(0, 256, (2, 4, 1), dtype=np.uint8)


class Copycat:
    """Acts out the time it counts itself, and logs what it is told."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def reset(self, seed: int | None = None) -> None:
        self.log.append(("reset", seed))

    def act(self, observation: np.ndarray) -> int:
        return int(observation[0, 0, 0]) % 5

    def observe(self, observation: np.ndarray, action: int, reward: float, terminated: bool, truncated: bool) -> None:
        self.log.append((int(observation[0, 0, 0]), action, reward, terminated, truncated))


def dreaming_agent() -> PlanningAgent:
    simulator = StubSimulator(gym.spaces.Discrete(5))
    config = CEMConfig(horizon=3, candidates=10, iterations=2)
    return PlanningAgent(CrossEntropyPlanner(gym.spaces.Discrete(5), config), DreamScorer(simulator))


def test_episodes_are_counted_seeded_and_summed() -> None:
    envs: list[ClockEnv] = []

    def make() -> ClockEnv:
        envs.append(ClockEnv(lengths=(3, 4, 2)))
        return envs[-1]

    ended = []
    acted = run_episodes(make, Copycat(), 3, seed=40, on_episode=lambda *episode: ended.append(episode))
    assert [env.seeds for env in envs] == [[40, 41, 42]]
    # The reward of step t is 100 t + action, and the action is t.
    assert acted.returns == [303.0, 606.0, 101.0]
    assert acted.lengths == [3, 4, 2]
    assert ended == [(0, 303.0, 3), (1, 606.0, 4), (2, 101.0, 2)]


def test_the_agent_is_told_what_reality_answered() -> None:
    agent = Copycat()
    run_episodes(lambda: ClockEnv(lengths=(3,)), agent, 1)
    assert agent.log[1:] == [(1, 0, 0.0, False, False), (2, 1, 101.0, False, False), (3, 2, 202.0, True, False)]


def test_a_limit_of_steps_cuts_the_episode() -> None:
    agent = Copycat()
    acted = run_episodes(lambda: ClockEnv(ends="never"), agent, 2, max_steps=2)
    assert acted.lengths == [2, 2]
    assert agent.log[1:3] == [(1, 0, 0.0, False, False), (2, 1, 101.0, False, True)]


def test_environment_and_agent_have_seeds_of_their_own() -> None:
    agent, env = Copycat(), ClockEnv()
    run_episodes(lambda: env, agent, 3, seed=7)
    seeds = [seed for word, seed in (entry for entry in agent.log if entry[0] == "reset")]
    assert seeds == [seeds[0], seeds[0] + 1, seeds[0] + 2]
    assert not set(seeds) & {seed for seed in env.seeds if seed is not None}


@pytest.mark.parametrize("make_agent", [lambda: RandomAgent(gym.spaces.Discrete(5), sticky=0.5), dreaming_agent])
def test_an_episode_does_not_depend_on_the_others(make_agent: Any) -> None:
    all_six = run_episodes(Chancy, make_agent(), 6, seed=3)
    assert len(set(all_six.returns)) == 6
    for episode in range(6):
        alone = run_episodes(Chancy, make_agent(), 1, seed=3 + episode)
        assert (alone.returns, alone.lengths) == (
            all_six.returns[episode : episode + 1],
            all_six.lengths[episode : episode + 1],
        )


@pytest.mark.parametrize("rows", [1, 3, 4, 16])
def test_rows_side_by_side_equal_one_episode_after_another(rows: int) -> None:
    made = []

    def make() -> Chancy:
        made.append(Chancy())
        return made[-1]

    acted = run_episodes(make, dreaming_agent(), 8, seed=5, rows=rows)
    one_by_one = run_episodes(Chancy, dreaming_agent(), 8, seed=5, rows=1)
    assert len(made) == min(rows, 8)
    assert len(set(acted.lengths)) > 3
    assert (acted.returns, acted.lengths) == (one_by_one.returns, one_by_one.lengths)


def test_every_frame_of_an_episode_is_shown() -> None:
    seen: dict[int, list[int]] = {episode: [] for episode in range(5)}

    def show(episodes: Any, frames: Any) -> None:
        for episode, frame in zip(episodes, frames, strict=True):
            seen[episode].append(int(frame[0, 0, 0]))

    acted = run_episodes(lambda: ClockEnv(lengths=(3, 2)), dreaming_agent(), 5, rows=2, on_frames=show)
    assert acted.lengths == [3, 3, 2, 2, 2]
    assert seen == {episode: list(range(length + 1)) for episode, length in enumerate(acted.lengths)}


def test_environments_are_closed_even_when_something_breaks() -> None:
    closed = []

    class Breaking(ClockEnv):
        def step(self, action: Any) -> Any:
            raise RuntimeError("broken")

        def close(self) -> None:
            closed.append(self)

    with pytest.raises(RuntimeError, match="broken"):
        run_episodes(Breaking, dreaming_agent(), 3)
    assert len(closed) == 3


@pytest.mark.parametrize("wrong", [{"episodes": 0}, {"seed": -1}, {"max_steps": 0}, {"rows": 0}], ids=str)
def test_numbers_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        run_episodes(ClockEnv, Copycat(), **{"episodes": 1, **wrong})


def test_mean_interval_and_speed() -> None:
    acted = Acted(returns=[1.0, 2.0, 3.0, 6.0], lengths=[10, 20, 30, 40], seconds=4.0)
    assert acted.mean_return == 3.0
    # Sample variance (4 + 1 + 0 + 9) / 3, standard error its root over two.
    assert acted.ci95 == pytest.approx(1.96 * (14 / 3) ** 0.5 / 2)
    assert acted.actions_per_second == 25.0
    assert np.isnan(Acted([1.0], [1], 1.0).ci95)


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run of a stub that dreams of a real, registered environment."""
    monkeypatch.setitem(gym.registry, "Clock-v0", gym.envs.registration.EnvSpec("Clock-v0", entry_point=TwoPixels))
    card = EnvCard("Clock-v0", {}, Preparation(), TwoPixels().observation_space, gym.spaces.Discrete(3), [], 10)
    (tmp_path / "checkpoint.json").write_text(json.dumps({"env": card.to_json()}))
    return tmp_path


class TwoPixels(ClockEnv):
    """A clock with the frames and actions of the stub."""

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(lengths=(4,), action_space=gym.spaces.Discrete(3))
        self.observation_space = gym.spaces.Box(0, 255, (2, 3, 1), np.uint8)

    def _frame(self, last_action: int) -> np.ndarray:
        return super()._frame(last_action)[:, :3]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> StubSimulator:
    simulator = StubSimulator()
    for user in ("dreamplay.envs.dream", "dreamplay.envs.dream_loading"):
        monkeypatch.setattr(f"{user}.load_simulator", lambda *_, **__: simulator)
    return simulator


def test_act_at_random_in_reality_needs_no_simulator(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = Act(run_folder, episodes=3, seed=1).run()
    assert (answer["agent"], answer["env"]) == ("random", "Clock-v0")
    assert (answer["in"], answer["episodes"], answer["lengths"]) == ("real", 3, [4, 4, 4])
    assert answer["mean_return"] == pytest.approx(np.mean(answer["returns"]))
    assert answer["actions_per_second"] > 0
    assert f"mean return {answer['mean_return']:.2f} ± {answer['ci95']:.2f}" in capsys.readouterr().out
    assert Act(run_folder, episodes=3, seed=1).run()["returns"] == answer["returns"]
    assert Act(run_folder, episodes=1, seed=2).run()["returns"] == answer["returns"][1:2]


def test_act_plans_in_the_dream_and_acts_in_reality(run_folder: Path, stub: StubSimulator) -> None:
    answer = Act(run_folder, agent="cem", episodes=2, horizon=5, candidates=7, iterations=2, max_steps=3).run()
    assert (answer["agent"], answer["env"], answer["in"], answer["lengths"]) == ("cem", "Clock-v0", "real", [3, 3])
    assert stub.steps == 3 * 5 * 2 + 2  # both episodes in one batch; after two steps of three they are followed


@pytest.mark.parametrize("agent", ["shooting", "cem", "icem", "mppi", "beam"])
def test_act_knows_every_planner(run_folder: Path, stub: StubSimulator, agent: Any) -> None:
    act = Act(run_folder, agent=agent, episodes=2, horizon=3, candidates=4, samples=2, quantile=0.5)
    answer = act.run()
    assert (answer["agent"], answer["lengths"]) == (agent, [4, 4])
    assert act.run()["returns"] == answer["returns"]


def test_act_plans_as_far_as_the_dream_stays_true(
    run_folder: Path, stub: StubSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = {"horizons": {"1": {"recall": 0.9}, "2": {"recall": 0.8}, "5": {"recall": 0.2}}}
    monkeypatch.setattr(stub, "horizon", measured, raising=False)
    Act(run_folder, agent="cem", episodes=1, horizon="auto", iterations=3, max_steps=1).run()
    assert stub.steps == 3 * 2


def test_act_cannot_know_how_far_a_dream_is_true_that_was_never_measured(run_folder: Path, stub: StubSimulator) -> None:
    with pytest.raises(UserError, match="dreamplay evaluate"):
        Act(run_folder, agent="cem", horizon="auto").run()


def test_act_in_the_dream(run_folder: Path, stub: StubSimulator) -> None:
    stub.lengths = (6,)
    answer = Act(run_folder, agent="random", where="dream", episodes=3).run()
    assert (answer["in"], answer["lengths"]) == ("dream", [6, 6, 6])
    assert answer["env"] == stub.card.id


def test_act_in_the_dream_draws_chance_unless_the_likeliest_is_asked_for(run_folder: Path, stub: StubSimulator) -> None:
    stub.lengths = (60,)
    drawn, drawn_again, likeliest = (
        Act(run_folder, agent="random", where="dream", episodes=1, temperature=temperature).run()["returns"]
        for temperature in (1.0, 1.0, 0.0)
    )
    assert drawn == drawn_again != likeliest
    assert Act(run_folder, agent="random", where="dream", episodes=1).run()["returns"] == drawn


@pytest.mark.parametrize(
    "wrong",
    [
        {"episodes": 0},
        {"max_steps": 0},
        {"horizon": -1},
        {"candidates": 0},
        {"iterations": 0},
        {"samples": 0},
        {"seed": -1},
        {"video": Path("missing", "video.mp4")},
        {"video": Path("video.txt")},
    ],
    ids=str,
)
def test_act_refuses_what_it_cannot_do(run_folder: Path, wrong: dict[str, Any]) -> None:
    option, value = next(iter(wrong.items()))
    with pytest.raises(UserError, match=f"--{option.replace('_', '-')} {value}"):
        Act(run_folder, **wrong).run()


def test_act_never_writes_over_a_video(run_folder: Path) -> None:
    video = run_folder / "kept.mp4"
    video.write_bytes(b"mine")
    with pytest.raises(UserError, match="exists"):
        Act(run_folder, episodes=1, video=video).run()
    assert video.read_bytes() == b"mine"


def test_act_wants_a_run_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no checkpoint\.json"):
        Act(tmp_path).run()


def test_act_records_the_first_episode(run_folder: Path) -> None:
    video = run_folder / "first.gif"
    Act(run_folder, episodes=2, video=video).run()
    import imageio.v3 as iio

    assert len(iio.imread(video)) == 5  # four steps, and the frame before them
