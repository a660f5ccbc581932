"""The simulator: uint8 frames and plain actions around a network, and a folder that it is loaded from."""

import json

import gymnasium as gym
import numpy as np
import pytest
import torch
from networks import loud

from dreamplay.actions import action_size, encode_actions
from dreamplay.classic import ClassicNetwork
from dreamplay.frames import PaletteFrames, Patches
from dreamplay.network import Network
from dreamplay.rewards import RewardBins
from dreamplay.simulator import (
    Simulator,
    build_network,
    describe_network,
    repeat,
    rows,
)
from toys import ClockEnv, clock_card

SIDE = 12
COLOURS = [[0], [90], [255]]
FRAMES = {
    "default": PaletteFrames(Patches((SIDE, SIDE), 4), np.array(COLOURS, np.uint8)).to_json(),
    "colour": {"kind": "colour", "channels": 1, "size": [SIDE, SIDE], "side": 4},
    "classic": {"kind": "raw", "mean": [0.3]},
}
B, N, T = 3, 5, 4


def simulator(kind: str, action_space: gym.Space | None = None, seed: int = 0) -> Simulator:
    """Random weights, loud enough that the copied frame does not win everywhere."""
    card = clock_card(ClockEnv(action_space=action_space))
    card = type(card)(**vars(card) | {"observation_space": gym.spaces.Box(0, 255, (SIDE, SIDE, 1), np.uint8)})
    bins = RewardBins(np.array([-1, 0, 2], np.float32), True)
    network = {"kind": "classic" if kind == "classic" else "default", "frames": FRAMES[kind], "config": {}}
    torch.manual_seed(seed)
    built = build_network(network, card, bins)
    if isinstance(built, Network):
        loud(built)
    return Simulator(built, card, bins, [])


def inputs(sim: Simulator, seed: int = 0, b: int = B, n: int = N, t: int = T):
    """Context frames (B, n, H, W, C), actions (B, n-1, ...), and future actions (B, T, ...)."""
    rng = np.random.default_rng(seed)
    observations = np.array(COLOURS, np.uint8)[rng.integers(0, 3, (b, n, SIDE, SIDE))]
    sim.card.action_space.seed(seed)
    actions = np.array([[sim.card.action_space.sample() for _ in range(n - 1 + t)] for _ in range(b)])
    return observations, actions[:, : n - 1], actions[:, n - 1 :]


def copied(state):
    return {name: value.clone() for name, value in state.items()}


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(params=["default", "colour", "classic"])
def sim(request) -> Simulator:
    return simulator(request.param)


def test_start_and_step_are_an_unroll_of_the_network_by_hand(sim):
    observations, actions, future = inputs(sim)
    state = sim.start(observations, actions)
    network, space = sim.network, sim.card.action_space
    with torch.no_grad():
        frames = network.frames.encode(observations)
        hidden = network.initial(frames[:, 0])
        for t in range(N - 1):
            _, hidden = network.step(frames[:, t], torch.from_numpy(encode_actions(space, actions[:, t])), hidden)
        picture = network.frames.picture(frames[:, -1])
        for t in range(T):
            state, step = sim.step(state, future[:, t])
            action = torch.from_numpy(encode_actions(space, future[:, t]))
            said, hidden = network.step(picture["frame"], action, hidden)
            picture, _ = network.frames.dreamed(said.frame, picture)
            error = np.abs(step.observations.astype(int) - network.frames.decode(picture["frame"])).max()
            assert error <= (0 if isinstance(sim.network.frames, PaletteFrames) else 1), (
                "unrolled at once or step by step: a hair's difference"
            )
            assert np.array_equal(step.rewards, sim.rewards.values[said.reward.argmax(-1)])
            probability = torch.sigmoid(said.termination).numpy()
            np.testing.assert_allclose(step.termination_probability, probability, atol=1e-4)
            assert np.array_equal(step.terminated, probability > 0.5)
            expected = said.reward.softmax(-1).numpy() @ sim.rewards.values
            np.testing.assert_allclose(step.expected_rewards, expected, atol=1e-4)
    assert step.observations.shape == (B, SIDE, SIDE, 1) and step.observations.dtype == np.uint8
    assert (step.rewards.dtype, step.terminated.dtype) == (np.float32, np.bool_)
    assert step.termination_probability.dtype == np.float32


def test_the_future_depends_on_frames_actions_and_past(sim):
    observations, actions, future = inputs(sim)
    base = sim.rollout(observations, actions, future).termination_probability
    other_frame, other_past = observations.copy(), actions.copy()
    other_frame[0, -1] = 255 - other_frame[0, -1]
    other_past[0] = (other_past[0] + 1) % 5
    for arguments in (
        (other_frame, actions, future),
        (observations, other_past, future),
        (observations, actions, (future + (np.arange(B) == 0)[:, None]) % 5),
    ):
        changed = sim.rollout(*arguments).termination_probability
        assert not np.array_equal(changed[0], base[0])
        np.testing.assert_allclose(changed[1:], base[1:], atol=1e-5)


def test_rows_do_not_depend_on_each_other(sim):
    observations, actions, future = inputs(sim)
    together = sim.rollout(observations, actions, future)
    for i in range(B):
        alone = sim.rollout(observations[i : i + 1], actions[i : i + 1], future[i : i + 1])
        assert np.abs(alone.observations[0].astype(int) - together.observations[i]).max() <= 1
        np.testing.assert_allclose(alone.termination_probability[0], together.termination_probability[i], atol=1e-4)


def test_a_step_leaves_the_state_as_it_was(sim):
    observations, actions, future = inputs(sim)
    state = sim.start(observations, actions)
    before = copied(state)
    after, _ = sim.step(state, future[:, 0])
    uniforms = np.random.default_rng(0).random((B, sim.draws), np.float32)
    sim.step(state, future[:, 1], temperature=1.0, uniforms=uniforms)
    assert same(state, before) and not same(state, after)
    assert all(len(value) == B for value in state.values())
    assert all(value.is_contiguous() for value in state.values()), "a view would drag its whole context along"
    assert same(sim.step(state, future[:, 0])[0], after)


def test_a_context_may_be_a_single_frame(sim):
    observations, _, future = inputs(sim, n=1)
    state = sim.start(observations, np.zeros((B, 0), np.int64))
    _, step = sim.step(state, future[:, 0])
    assert step.observations.shape == (B, SIDE, SIDE, 1)
    assert set(state) == set(sim.start(*inputs(sim)[:2]))


def test_a_rollout_is_its_steps(sim):
    observations, actions, future = inputs(sim)
    for temperature in (0.0, 1.0):
        rollout = sim.rollout(observations, actions, future, temperature=temperature, seed=7)
        state, rng = sim.start(observations, actions), np.random.default_rng(7)
        for t in range(T):
            uniforms = rng.random((B, sim.draws), np.float32) if temperature else None
            state, step = sim.step(state, future[:, t], temperature=temperature, uniforms=uniforms)
            assert np.array_equal(rollout.observations[:, t], step.observations)
            assert np.array_equal(rollout.rewards[:, t], step.rewards)
            assert np.array_equal(rollout.termination_probability[:, t], step.termination_probability)
            assert np.array_equal(rollout.reward_probability[:, t], step.reward_probability)
        assert rollout.observations.shape == (B, T, SIDE, SIDE, 1)


def test_uncertainty_is_the_entropy_of_the_frame_and_unknown_to_the_classic_network(sim):
    observations, actions, future = inputs(sim)
    state = sim.start(observations, actions)
    answer = sim.uncertainty(state, future[:, 0])
    assert answer.shape == (B,) and answer.dtype == np.float32
    if isinstance(sim.network, ClassicNetwork):
        assert np.isnan(answer).all()
    else:
        encoded = torch.from_numpy(encode_actions(sim.card.action_space, future[:, 0]))
        with torch.no_grad():
            said, _ = sim.network.step(state["frame"], encoded, state)
        np.testing.assert_allclose(answer, sim.network.frames.entropy(said.frame).numpy(), rtol=1e-5)
        assert (answer > 0).all()


def test_undecoded_steps_go_the_same_way(sim):
    observations, actions, future = inputs(sim)
    state = sim.start(observations, actions)
    decoded, undecoded = sim.step(state, future[:, 0]), sim.step(state, future[:, 0], decode=False)
    assert undecoded[1].observations.size == 0
    assert same(decoded[0], undecoded[0])
    assert np.array_equal(decoded[1].rewards, undecoded[1].rewards)


def test_uniforms_decide_what_is_sampled():
    sim = simulator("default")
    observations, actions, future = inputs(sim, b=200)
    state = sim.start(observations, actions)
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 200, sim.draws), np.float32)
    _, one = sim.step(state, future[:, 0], temperature=1.0, uniforms=first)
    _, again = sim.step(state, future[:, 0], temperature=1.0, uniforms=first)
    _, other = sim.step(state, future[:, 0], temperature=1.0, uniforms=second)
    for name in one._fields:
        assert np.array_equal(getattr(one, name), getattr(again, name))
    assert not np.array_equal(one.observations, other.observations)
    assert np.array_equal(one.terminated, first[:, 1] < one.termination_probability)
    assert not np.array_equal(one.rewards, other.rewards)
    with pytest.raises(AssertionError, match="uniforms"):
        sim.step(state, future[:, 0], temperature=1.0)


def test_samples_have_the_learned_frequencies_and_cold_ones_are_all_the_likeliest():
    sim = simulator("default")
    observations, actions, future = (np.repeat(array, 4000, 0) for array in inputs(sim, b=1))
    state = sim.start(observations, actions)
    uniforms = np.random.default_rng(0).random((4000, sim.draws), np.float32)
    _, warm = sim.step(state, future[:, 0], temperature=1.0, uniforms=uniforms)
    _, cold = sim.step(state, future[:, 0], temperature=1e-4, uniforms=uniforms)
    assert (cold.observations == cold.observations[0]).all() and (cold.rewards == cold.rewards[0]).all()
    assert abs(warm.terminated.mean() - warm.termination_probability.mean()) < 0.03
    assert abs(warm.rewards.mean() - warm.expected_rewards.mean()) < 0.1
    with torch.no_grad():
        moments, _ = sim.network.observe(
            state["frame"][:1, None],
            torch.from_numpy(encode_actions(sim.card.action_space, future[:1, :1])),
            {name: value[:1] for name, value in state.items() if name != "frame"},
        )
        prior = sim.network.prior(moments.known).unflatten(-1, sim.network.latent).softmax(-1)[0]  # (L, M)
    first = sim.network.latent[1] ** np.arange(sim.network.latent[0])
    drawn = (uniforms[:, 2:, None] >= prior.cumsum(-1).numpy()).sum(-1) @ first  # which of all combinations
    futures = {int(which): np.unique(warm.observations[drawn == which], axis=0) for which in np.unique(drawn)}
    assert all(len(frames) == 1 for frames in futures.values())  # a latent decides the whole frame
    assert len({frames.tobytes() for frames in futures.values()}) > 1


def test_rows_and_repeat():
    sim = simulator("default")
    state = sim.start(*inputs(sim)[:2])
    assert same(rows(state, torch.tensor([2, 0])), {name: value[[2, 0]] for name, value in state.items()})
    assert same(rows(state, slice(1, 2)), {name: value[1:2] for name, value in state.items()})
    assert same(rows(repeat(state, 2), torch.tensor([0, 2, 4])), state)
    assert same(rows(repeat(state, 2), torch.tensor([1, 3, 5])), state)


@pytest.mark.parametrize(
    "space",
    [
        gym.spaces.Discrete(3, start=2),
        gym.spaces.MultiDiscrete([2, 3]),
        gym.spaces.MultiBinary(4),
        gym.spaces.Box(-2, 2, (2,), np.float32),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["default", "classic"])
def test_every_kind_of_action_will_do(kind, space):
    sim = simulator(kind, space)
    observations, actions, future = inputs(sim)
    assert sim.rollout(observations, actions, future).rewards.shape == (B, T)
    assert action_size(space) == encode_actions(space, future).shape[-1]


@pytest.mark.parametrize("kind", ["default", "colour", "classic"])
def test_a_description_rebuilds_the_network(kind):
    sim = simulator(kind)
    description = json.loads(json.dumps(describe_network(sim.network)))
    rebuilt = build_network(description, sim.card, sim.rewards)
    rebuilt.load_state_dict(sim.network.state_dict())
    other = Simulator(rebuilt, sim.card, sim.rewards, [])
    arguments = inputs(sim)
    assert np.array_equal(sim.rollout(*arguments).observations, other.rollout(*arguments).observations)
