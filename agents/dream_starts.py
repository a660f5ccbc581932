"""Where dreams to learn in begin: states of the simulator that lived through real episodes from their first frame on.

What an episode showed long ago may decide what is right now, so a state follows its episode over the whole way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from dreamplay.actions import encode_actions
from dreamplay.episodes import Episode
from dreamplay.simulator import Simulator, State, state_at

STATES, STEPS = 8192, 100_000  # a policy learns few starts by heart
MOST_BYTES = 2**29


def dream_starts(
    simulator: Simulator,
    episodes: Sequence[Episode],
    rng: np.random.Generator,
    *,
    states: int = STATES,
    steps: int = STEPS,
    on_progress: Callable[[float], None] | None = None,
) -> State:
    """States at the beginning of episodes and at random moments within.

    Args:
        simulator: follows the episodes.
        episodes: real ones, taken in random order until there are enough states or steps.
        rng: chooses episodes and moments.
        states: how many states at most, and no more than half a gigabyte of them; of more, as many are drawn.
        steps: real steps to follow at most.
        on_progress: called now and then with the part that is done, in (0, 1].

    Returns:
        A state of at most `states` rows, at least 1; where an episode has terminated no dream begins.
    """
    size = sum(part.nbytes for part in _first(simulator, episodes[0]).values())
    states = max(1, min(states, MOST_BYTES // size))
    total = min(steps, sum(len(episode) for episode in episodes))
    every = max(1, total // states)
    kept, followed = [], 0
    for index in rng.permutation(len(episodes)):
        episode = episodes[index]
        state = _first(simulator, episode)
        kept.append(state)
        time = 0
        while followed < total:
            ahead = int(rng.integers(1, 2 * every + 1))
            if time + ahead > len(episode) - 1:  # the last frame begins nothing
                break
            until = time + ahead
            actions, frames = episode.actions[None, time:until], episode.observations[None, time + 1 : until + 1]
            state = _follow(simulator, state, actions, frames)
            kept.append(state)
            time = until
            followed += ahead
            if on_progress is not None:
                on_progress(min(1.0, followed / total))
        if followed >= total:
            break
    chosen = [kept[i] for i in rng.permutation(len(kept))[:states]]
    return {name: torch.cat([state.pop(name) for state in chosen]) for name in list(chosen[0])}


def _first(simulator: Simulator, episode: Episode) -> State:
    """The state of one row at the first frame."""
    return simulator.start(episode.observations[None, :1], episode.actions[None, :0])


@torch.inference_mode()
def _follow(simulator: Simulator, state: State, actions: np.ndarray, observations: np.ndarray) -> State:
    """The state after T real steps: actions (1, T, ...) and the frames they led to, uint8 (1, T, H, W, C)."""
    network, device = simulator.network, simulator.device
    frames = network.frames.encode(observations).to(device)  # (1, T, ...)
    given = torch.cat([state["frame"].unsqueeze(1), frames[:, :-1]], 1)
    encoded = torch.from_numpy(encode_actions(simulator.card.action_space, np.asarray(actions))).to(device)
    _, hidden = network.observe(given, encoded, state)
    return state_at(network, frames[:, -1], hidden)
