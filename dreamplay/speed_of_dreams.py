"""What `dreamplay bench` lets run: dreams of every kind, and the real environment in every form it comes in.

Each is a function that takes a few steps with random actions through the public interface and returns how many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gymnasium as gym

from dreamplay.envs.registration import DREAM_ID
from dreamplay.rates import Work

if TYPE_CHECKING:
    from dreamplay.envs.card import EnvCard
    from dreamplay.simulator import Simulator

PIECE = 64  # steps of a piece of work, at least


def of_env(env: gym.Env[Any, Any], seed: int) -> Work:
    """One environment, reset where an episode ends."""
    env.action_space.seed(seed)
    actions = [env.action_space.sample() for _ in range(997)]  # drawn before: drawing is not what is measured
    env.reset(seed=seed)
    taken = 0

    def work() -> int:
        nonlocal taken
        for _ in range(PIECE):
            _, _, terminated, truncated, _ = env.step(actions[taken % len(actions)])
            taken += 1
            if terminated or truncated:
                env.reset()
        return PIECE

    return work


def of_vector_env(envs: gym.vector.VectorEnv[Any, Any, Any], seed: int) -> Work:
    """Many environments at once, which reset themselves."""
    envs.action_space.seed(seed)
    actions = [envs.action_space.sample() for _ in range(31)]
    envs.reset(seed=seed)
    taken = 0

    def work() -> int:
        nonlocal taken
        calls = max(1, PIECE // envs.num_envs)
        for _ in range(calls):
            envs.step(actions[taken % len(actions)])
            taken += 1
        return calls * envs.num_envs

    return work


def of_dream(checkpoint: str, backend: str, batch: int, seed: int) -> Work:
    """Dreams with frames, as Gymnasium makes them."""
    if batch == 1:
        return of_env(gym.make(DREAM_ID, checkpoint=checkpoint, device="cpu", backend=backend), seed)
    return of_vector_env(gym.make_vec(DREAM_ID, batch, checkpoint=checkpoint, device="cpu", backend=backend), seed)


def of_frame_free(simulator: Simulator, batch: int, seed: int) -> Work:
    """Dreams without frames, as planners roll them."""
    space = gym.vector.utils.batch_space(simulator.card.action_space, batch)
    space.seed(seed)
    actions = [space.sample() for _ in range(31)]
    start = simulator.contexts[0]
    state = simulator.start(start.observations[None].repeat(batch, 0), start.actions[None].repeat(batch, 0))
    taken = 0

    def work() -> int:
        nonlocal taken, state
        calls = max(1, PIECE // batch)
        for _ in range(calls):
            state, _ = simulator.step(state, actions[taken % len(actions)], decode=False)
            taken += 1
        return calls * batch

    return work


def real_envs(card: EnvCard, batch: int) -> dict[str, Callable[[], tuple[Callable[[Any, int], Work], Any]]]:
    """The real environment, one and many, by name: what makes it and what measures it.

    For Atari that is also Gymnasium's own preparation and the emulator's native vector environment, both gray and of
    the checkpoint's frame size.

    Args:
        card: of the checkpoint.
        batch: B, how many in a vector environment.
    """
    from dreamplay.envs import atari
    from dreamplay.envs.real import make_env

    found: dict[str, Any] = {"prepared as for the dream": lambda: (of_env, make_env(card))}
    if not atari.is_atari(card.id):
        found[f"{batch} in a SyncVectorEnv"] = lambda: (
            of_vector_env,
            gym.vector.SyncVectorEnv([lambda: make_env(card)] * batch),
        )
        return found
    height, width, _ = card.observation_space.shape or (0, 0, 0)

    def preprocessed() -> Any:
        _register_atari()
        raw = gym.make(card.id, frameskip=1, repeat_action_probability=0.0)
        return of_env, gym.wrappers.AtariPreprocessing(raw, screen_size=(width, height))

    def native() -> Any:
        _register_atari()
        return of_vector_env, gym.make_vec(
            card.id, batch, img_height=height, img_width=width, stack_num=1, num_threads=1
        )

    return found | {"AtariPreprocessing": preprocessed, f"{batch} in ALE's vector env": native}


def _register_atari() -> None:
    import ale_py

    from dreamplay.envs.atari import quieten

    gym.register_envs(ale_py)
    quieten(ale_py)
