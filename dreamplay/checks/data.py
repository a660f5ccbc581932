"""What is wrong with recorded episodes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np

from dreamplay.checks.finding import Finding, error, note, of_message, warning
from dreamplay.episodes import Episode, Episodes, read_index
from dreamplay.errors import UserError
from dreamplay.frames import MAX_COLOURS, PaletteFrames, Patches, choose_frames
from dreamplay.selection import sample_frames
from dreamplay.shards import file_hash

FEW_STEPS = 1000
CONTEXT = 10
FEW_COLOURS = 8
DARK = 32  # gray levels: what never gets brighter is hardly seen
RARE, COMMON = 0.002, 0.95  # of all actions
PAIRS = 500


def check_files(folder: Path) -> list[Finding]:
    """Whether every file of a data folder is as it was written.

    Raises:
        UserError: `data.json` is missing or unreadable.
    """
    _, shards = read_index(folder)
    found = []
    for shard in shards:
        for name, expected in shard["sha256"].items():
            path = folder / shard["name"] / name
            try:
                actual = file_hash(path)
            except OSError as problem:
                found.append(error(f"{path} cannot be read ({problem.strerror})", "copy it again, or collect anew"))
                continue
            if actual != expected:
                found.append(error(f"{path} is damaged: its SHA-256 is not that in data.json", "copy it again"))
    old = sum(not shard["sha256"] for shard in shards)
    if old:
        found.append(note(f"{old} of {len(shards)} shards were written without checksums; damage cannot be seen"))
    elif not found:
        found.append(note(f"the files of all {len(shards)} shards are as they were written"))
    return found


def check_episodes(episodes: Episodes) -> list[Finding]:
    """What the episodes of a data folder lack."""
    found = [note(_summary(episodes))]
    try:
        episodes.split()
    except UserError as problem:
        found.append(of_message(str(problem)))
    if episodes.steps < FEW_STEPS:
        found.append(warning(f"{episodes.steps} steps are few", "collect more, some 20000 to begin with: --append"))
    return [*found, *_rewards(episodes), *_ends(episodes), *_actions(episodes), *_frames(episodes), *_twins(episodes)]


def action_counts(episodes: Episodes) -> np.ndarray:
    """How often each action of a Discrete space was taken, int (n,)."""
    space = episodes.card.action_space
    assert isinstance(space, gym.spaces.Discrete)
    return np.bincount(np.concatenate([e.actions for e in episodes]) - space.start, minlength=int(space.n))


def _summary(episodes: Episodes) -> str:
    height, width, channels = episodes.card.observation_space.shape
    return (
        f"{episodes.steps} steps in {len(episodes)} episodes of {episodes.card.id}: frames {height} x {width} x "
        f"{channels}, actions {episodes.card.action_space}"
    )


def _rewards(episodes: Episodes) -> Iterator[Finding]:
    rewards = np.concatenate([episode.rewards for episode in episodes])
    if not np.isfinite(rewards).all():
        count = int((~np.isfinite(rewards)).sum())
        yield error(f"{count} rewards are no finite numbers", "mend the environment's step() and collect again")
        return
    if not rewards.any():
        yield warning(
            "no step was rewarded: the dream will know no reward, and planning in it is blind",
            "collect with an agent that earns something (--agent, --epsilon), or longer; to play it does not matter",
        )
        return
    values, share = np.unique(rewards), np.count_nonzero(rewards) / len(rewards)
    amount = (
        f"{values[0]:.3g}" if len(values) == 1 else f"{len(values)} values from {values[0]:.3g} to {values[-1]:.3g}"
    )
    yield note(f"{share:.1%} of the steps are rewarded, {amount}")


def _ends(episodes: Episodes) -> Iterator[Finding]:
    terminated = sum(bool(episode.terminated[-1]) for episode in episodes)
    truncated = sum(bool(episode.truncated[-1]) for episode in episodes)
    lengths = [len(episode) for episode in episodes]
    if not terminated:
        yield note("no episode terminated: the dream will never end by itself")
    yield note(f"{terminated} episodes terminated, {truncated} were truncated; {min(lengths)} to {max(lengths)} steps")
    if max(lengths) < CONTEXT:
        yield warning(
            f"no episode lasts {CONTEXT} steps, the context that a dream starts from",
            "judge it by short horizons only, or record longer episodes",
        )
    if len(episodes) == 1:
        yield warning("there is a single episode: its end is held out", "collect more, and give it a time limit")
    chance = sum(int(episode.chance.sum()) for episode in episodes)
    if chance:
        yield note(f"{chance / episodes.steps:.1%} of the steps drew on chance, as the environment says")


def _actions(episodes: Episodes) -> Iterator[Finding]:
    space = episodes.card.action_space
    actions = np.concatenate([np.asarray(episode.actions).reshape(len(episode), -1) for episode in episodes])
    if not np.isfinite(actions).all():
        yield error("some actions are no finite numbers", "mend the agent and collect again")
        return
    if isinstance(space, gym.spaces.Discrete):
        share = action_counts(episodes) / episodes.steps
        never = [str(i + space.start) for i in np.flatnonzero(share == 0)]
        rare = [str(i + space.start) for i in np.flatnonzero((share > 0) & (share < RARE))]
        if never:
            yield warning(f"never taken: action {', '.join(never)}; the dream will guess", "collect with --epsilon 0.2")
        if rare:
            yield warning(f"hardly ever taken: action {', '.join(rare)}", "collect with --epsilon 0.2")
        if share.max() > COMMON and not never:
            yield warning(
                f"action {share.argmax() + space.start} is {share.max():.0%} of all", "collect with --epsilon"
            )
        return
    constant = np.flatnonzero(actions.min(0) == actions.max(0))
    if len(constant):
        places = ", ".join(map(str, constant))
        yield warning(f"always the same: dimension {places} of the actions", "collect with --epsilon 0.2")


def _frames(episodes: Episodes) -> Iterator[Finding]:
    moved = _moving(episodes)
    if not moved.any():
        yield error(
            "the frames never change: there is nothing to learn",
            "look at them (frames.png); is it render() that shows the game, or another --source?",
        )
        return
    yield note(f"{moved.mean():.1%} of the {moved.size} pixels ever change")
    samples = sample_frames(list(episodes), np.random.default_rng(0))
    if samples.max() < DARK:
        yield warning(
            f"no pixel is brighter than {samples.max()} of 255: symbols, not pictures? the dream can be learned, but a "
            "person will see next to nothing",
            "take what is rendered: --source render, or a wrapper that draws",
        )
    colours = _colours(samples)
    frames = choose_frames(Patches(samples.shape[1:3], 1), [samples])
    if isinstance(frames, PaletteFrames):
        stand_for = "" if colours == frames.channels else f", {frames.channels} of which stand for those near them"
        yield note(f"{colours} colours{stand_for}: a palette, each pixel a choice among them, crisp")
        return
    coarse = _colours(samples // 16)
    yield note(f"more than {MAX_COLOURS} colours: intensities, which may blur")
    if coarse <= FEW_COLOURS and samples.shape[-1] == 3:
        yield warning(
            f"they are shades of about {coarse} colours, as lossy compression leaves them",
            "record without loss (.npz, not video or JPEG)",
        )


def _moving(episodes: Episodes) -> np.ndarray:
    """Which pixels differ between two frames that follow each other, bool (H, W), over evenly spread pairs."""
    ends = np.cumsum([len(episode) for episode in episodes])
    moved = np.zeros(episodes.card.observation_space.shape[:2], bool)
    for place in np.unique(np.linspace(0, ends[-1] - 1, PAIRS).astype(int)):
        index = int(np.searchsorted(ends, place, side="right"))
        episode = episodes[index]
        t = int(place - ends[index] + len(episode))
        moved |= (episode.observations[t] != episode.observations[t + 1]).any(-1)
    return moved


def _colours(samples: np.ndarray) -> int:
    packed = np.zeros(samples.shape[:-1], np.uint32)
    for channel in range(samples.shape[-1]):
        packed = (packed << 8) | samples[..., channel]
    return len(np.unique(packed))


def _twins(episodes: Episodes) -> Iterator[Finding]:
    counts = Counter(_fingerprint(episode) for episode in episodes)
    twins = len(episodes) - len(counts)
    if twins:
        yield warning(
            f"{twins} of {len(episodes)} episodes are copies of another: held-out ones are known from training",
            "collect with other --seed values, or with an agent that acts more at random",
        )


def _fingerprint(episode: Episode) -> bytes:
    digest = hashlib.sha256(np.ascontiguousarray(episode.actions).tobytes())
    digest.update(np.ascontiguousarray(episode.observations[[0, -1]]).tobytes())
    return digest.digest()
