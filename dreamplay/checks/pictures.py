"""Recorded episodes at a glance: a contact sheet of frames, histograms of actions and rewards."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np

from dreamplay.episodes import Episodes

COLUMNS, ROWS = 8, 4
PANE = 120


def contact_sheet(episodes: Episodes, path: Path) -> None:
    """Frames evenly spread over the data, in their order, each with episode and step.

    Args:
        episodes: at least one.
        path: PNG file, replaced.
    """
    from PIL import Image, ImageDraw, ImageFont

    ends = np.cumsum([len(episode.observations) for episode in episodes])
    places = np.unique(np.linspace(0, ends[-1] - 1, COLUMNS * ROWS).astype(int))
    height, width, _ = episodes.card.observation_space.shape
    scale = max(1, PANE // max(height, width))
    font = ImageFont.load_default(size=11)
    cell = max(width * scale, 92) + 6, height * scale + 22
    sheet = Image.new("RGB", (COLUMNS * cell[0] + 6, -(-len(places) // COLUMNS) * cell[1] + 6), (20, 21, 26))
    draw = ImageDraw.Draw(sheet)
    for number, place in enumerate(places):
        index = int(np.searchsorted(ends, place, side="right"))
        frames = episodes[index].observations
        t = int(place - ends[index] + len(frames))
        large = np.broadcast_to(frames[t], (height, width, 3)).repeat(scale, 0).repeat(scale, 1)
        x, y = 6 + number % COLUMNS * cell[0], 6 + number // COLUMNS * cell[1]
        sheet.paste(Image.fromarray(np.ascontiguousarray(large)), (x, y))
        draw.text((x, y + height * scale + 2), f"ep. {index}  t {t}", (150, 152, 164), font)
    sheet.save(path)


def histograms(episodes: Episodes, path: Path) -> None:
    """How often each action and each reward came, and how long episodes were.

    Args:
        episodes: at least one.
        path: PNG file, replaced.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.2), layout="constrained")
    for_actions, for_rewards, for_lengths = figure.subplots(1, 3)
    space = episodes.card.action_space
    actions = np.concatenate([np.asarray(episode.actions).reshape(len(episode), -1) for episode in episodes])
    if isinstance(space, gym.spaces.Discrete):
        values, counts = np.unique(actions, return_counts=True)
        for_actions.bar(values, counts)
    else:
        for dimension, column in enumerate(actions.T[:8]):
            for_actions.hist(column, bins=30, histtype="step", label=f"dimension {dimension}")
        for_actions.legend(fontsize="small")
    for_actions.set(title="actions", xlabel="action", ylabel="steps")
    rewards = np.concatenate([episode.rewards for episode in episodes])
    values, counts = np.unique(rewards, return_counts=True)
    if len(values) <= 30:
        for_rewards.bar(range(len(values)), counts)
        for_rewards.set_xticks(
            range(len(values)), [f"{value:.3g}" for value in values], rotation=90 * (len(values) > 8)
        )
    else:
        for_rewards.hist(rewards, bins=50)
    for_rewards.set(title="rewards", xlabel="reward", ylabel="steps", yscale="log")
    for_lengths.hist([len(episode) for episode in episodes], bins=min(30, len(episodes)))
    for_lengths.set(title="episodes", xlabel="length in steps", ylabel="episodes")
    figure.suptitle(f"{episodes.card.id}: {episodes.steps} steps, {len(episodes)} episodes")
    figure.savefig(path, dpi=110)
