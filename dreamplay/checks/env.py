"""What is wrong with an environment."""

from __future__ import annotations

import re
import time
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.checks.finding import Finding, error, note, of_message, warning
from dreamplay.collect import Running
from dreamplay.envs.card import EnvCard
from dreamplay.envs.images import OBSERVATION, RENDER
from dreamplay.envs.making import open_raw
from dreamplay.envs.real import make_env
from dreamplay.errors import UserError

STEPS = 200
PREFIXES = (0, 10, 30, 60)  # steps before an action is tried
HOLD = 5  # steps for which it is held
LARGEST = 18  # actions, or dimensions of them, that are tried
SECONDS = 10.0
# Of Gymnasium's warnings, those that make no difference here: floats are taken too, and the pace is anyone's choice.
HARMLESS = ("render fps", "is out of date", "Overriding environment", "RGB-array rendering should return")


def summary(env: gym.Env[np.ndarray, Any], card: EnvCard) -> str:
    """Where its frames come from and what became of them, in words."""
    preparation = card.preparation
    sources = {OBSERVATION: "its image observations", RENDER: "what it renders as rgb_array"}
    source = sources.get(preparation.source, f"its observation {preparation.source!r}")
    height, width, channels = card.observation_space.shape
    text = f"frames are {source}, {height} x {width} x {channels}"
    if preparation.stride != (1, 1):
        text += ", every {}. row and {}. column".format(*preparation.stride)
    if isinstance(env.get_wrapper_attr("raw_observation_space"), gym.spaces.Dict):
        keys = ", ".join(env.get_wrapper_attr("raw_observation_space").spaces)
        text += f" (--source takes another: {keys})"
    return text


def check_contract(card: EnvCard, seed: int) -> list[Finding]:
    """What Gymnasium's own checker says of some steps."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            mode = "rgb_array" if card.preparation.source == RENDER else None
            env = open_raw(card.id, card.kwargs, card.preparation.wrappers, mode, check=True)
            env.reset(seed=seed)
            for action in _actions(card, seed, 20, env):
                if mode is not None:
                    env.render()
                _, _, terminated, truncated, _ = env.step(action)
                if terminated or truncated:
                    env.reset()
            env.close()
        except (AssertionError, gym.error.Error) as problem:
            said = " ".join(str(problem).split())
            return [error(f"it breaks Gymnasium's rules: {said}", "mend it; gymnasium.utils.env_checker says more")]
        except UserError as problem:
            return [of_message(str(problem))]
        except Exception as problem:  # whatever a user's own code raises
            place = traceback.extract_tb(problem.__traceback__)[-1]
            said = f"{type(problem).__name__}: {' '.join(str(problem).split())}"
            return [error(f"it fails with {said}", f"look at {place.filename}, line {place.lineno}, in {place.name}")]
    texts = {_plain(str(entry.message)) for entry in caught if issubclass(entry.category, UserWarning)}
    return [warning(f"Gymnasium says: {text}", "mend the environment if it is yours") for text in sorted(texts) if text]


def check_determinism(card: EnvCard, seed: int) -> list[Finding]:
    """Whether seed and actions decide everything, and whether the seed decides anything."""
    first, again, other = (list(_play(card, s, seed)) for s in (seed, seed, seed + 1))
    different = next((i for i, pair in enumerate(zip(first, again, strict=False)) if pair[0] != pair[1]), None)
    if different is not None or len(first) != len(again):
        step = min(len(first), len(again)) if different is None else different
        return [
            warning(
                f"not deterministic: with the same seed and actions it goes another way at step {step}",
                "draw every random number from self.np_random, which reset(seed=seed) seeds; until then chance counts "
                "as the dream's error",
            )
        ]
    same = first == other
    return [
        note("deterministic: seed and actions decide everything"),
        note("another seed changes nothing: every episode starts alike" if same else "other seeds, other episodes"),
    ]


def check_actions(card: EnvCard, seed: int) -> list[Finding]:
    """Which actions make no difference to what is seen; the environment must be deterministic."""
    tried = _tried(card)
    seen: dict[str, list[bytes]] = {name: [] for name in tried}
    began = time.monotonic()
    env = make_env(card)
    for length in PREFIXES:
        if time.monotonic() - began > SECONDS:
            break
        prefix = list(_actions(card, seed + length, length, env))
        for name, action in tried.items():
            seen[name].append(_after(env, prefix, action, seed))
    env.close()
    groups: dict[tuple[bytes, ...], list[str]] = {}
    for name, frames in seen.items():
        groups.setdefault(tuple(frames), []).append(name)
    alike = [names for names in groups.values() if len(names) > 1]
    if len(groups) == 1 and len(tried) > 1:
        return [
            warning(
                f"no action makes a difference within {HOLD} steps of anything tried",
                "does step() use its action? does what is rendered show its effect?",
            )
        ]
    if isinstance(card.action_space, gym.spaces.Discrete):
        return [note(f"actions {' and '.join(names)} look the same in everything tried") for names in alike]
    idle = next((names for names in alike if "idle" in names), [])
    idle_dimensions = sorted({name.split()[0] for name in idle} - {"idle"}, key=int)
    dead = [d for d in idle_dimensions if {f"{d} low", f"{d} high"} & tried.keys() <= set(idle)]
    return [note(f"dimension {', '.join(dead)} of the actions made no difference in anything tried")] if dead else []


def check_recording(env: gym.Env[np.ndarray, Any], card: EnvCard, seed: int) -> list[Finding]:
    """Whether some steps can be recorded: frames of one size, rewards that are numbers."""
    try:
        running = Running(card, env.reset(seed=seed)[0])
        for action in _actions(card, seed, STEPS, env):
            observation, reward, terminated, truncated, info = env.step(action)
            running.add(action, reward, terminated, truncated, info.get("chance", False), observation)
            if running.over:
                running = Running(card, env.reset()[0])
    except UserError as problem:
        return [of_message(str(problem))]
    return []


def _play(card: EnvCard, seed: int, action_seed: int) -> Iterator[tuple[bytes, float, bool]]:
    env = make_env(card)
    frame, _ = env.reset(seed=seed)
    yield frame.tobytes(), 0.0, False
    for action in _actions(card, action_seed, STEPS, env):
        frame, reward, terminated, truncated, _ = env.step(action)
        yield frame.tobytes(), float(reward), bool(terminated)
        if terminated or truncated:
            frame, _ = env.reset()
            yield frame.tobytes(), 0.0, False
    env.close()


def _actions(card: EnvCard, seed: int, count: int, env: Any) -> Iterator[Any]:
    """Random actions that mostly repeat the last one: what an action does shows better so."""
    space = env.action_space
    space.seed(seed)
    rng = np.random.default_rng(seed)
    action = space.sample()
    for _ in range(count):
        if rng.random() < 0.25:
            action = space.sample()
        yield action


def _tried(card: EnvCard) -> dict[str, Any]:
    """Actions to compare, by a name: every one there is, or each dimension at its ends with the others idle."""
    space = card.action_space
    if isinstance(space, gym.spaces.Discrete):
        return {str(space.start + i): int(space.start + i) for i in range(min(int(space.n), LARGEST))}
    if isinstance(space, gym.spaces.Box):
        low, high = np.nan_to_num(space.low, neginf=-1.0), np.nan_to_num(space.high, posinf=1.0)
    else:
        low = np.zeros(space.shape or (), np.int64) + getattr(space, "start", 0)
        high = low + (space.nvec - 1 if isinstance(space, gym.spaces.MultiDiscrete) else 1)
    idle = np.clip(np.zeros(space.shape or ()), low, high).astype(space.dtype)
    tried = {"idle": idle}
    for d in range(min(idle.size, LARGEST)):
        for end, bound in (("low", low), ("high", high)):
            action = idle.copy()
            action.reshape(-1)[d] = np.ravel(bound)[d]
            if not np.array_equal(action, idle):
                tried[f"{d} {end}"] = action
    return tried


def _after(env: gym.Env[np.ndarray, Any], prefix: list[Any], action: Any, seed: int) -> bytes:
    """What is seen while an action is held, as far as the episode goes."""
    frame, _ = env.reset(seed=seed)
    seen = []
    for t, taken in enumerate([*prefix, *[action] * HOLD]):
        frame, reward, terminated, truncated, _ = env.step(taken)
        if t >= len(prefix):
            seen.append(frame.tobytes() + np.float64(reward).tobytes())
        if terminated or truncated:
            break
    return b"".join(seen)


def _plain(message: str) -> str:
    """A warning of Gymnasium's without colours and label; "" for what does not matter here."""
    text = re.sub(r"\x1b\[\d+m", "", message).removeprefix("WARN: ")
    text = " ".join(text.split())
    return "" if any(part in text for part in HARMLESS) else text
