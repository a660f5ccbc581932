"""Data of your own, without any environment: a square that walks by its action, as .npz files."""

from pathlib import Path

import numpy as np

from dreamplay.commands.import_ import Import
from dreamplay.commands.train import Train

Path("mine").mkdir()
for number in range(5):
    actions = np.random.default_rng(number).integers(0, 2, 100)
    frames = np.zeros((101, 8, 8, 1), np.uint8)
    frames[np.arange(101), np.append(0, np.cumsum(actions)) % 8] = 255
    np.savez(f"mine/{number}.npz", observations=frames, actions=actions, rewards=actions)
Import("mine").run()  # in a shell: dreamplay import mine
Train(data=Path("data/mine"), updates=20).run()  # dreamplay train --data data/mine
