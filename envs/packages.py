"""Packages of environments that are no part of Dreamplay: registered when an id asks for them, named when missing."""

from __future__ import annotations

import importlib
import importlib.util
import re
from typing import NamedTuple

import gymnasium as gym

from dreamplay.envs import atari
from dreamplay.errors import UserError


class Package(NamedTuple):
    """One package, and the ids that need it."""

    ids: str  # a regular expression
    module: str
    install: str


PACKAGES = (
    Package(r"ALE/", "ale_py", "pip install 'dreamplay[atari]'"),
    Package(r"MinAtar/", "minatar", "pip install 'dreamplay[minatar]'"),
    Package(r"(MiniGrid|BabyAI)-", "minigrid", "pip install 'dreamplay[minigrid]'"),
    Package(r"(CarRacing|LunarLander|LunarLanderContinuous|BipedalWalker|BipedalWalkerHardcore)-v", "Box2D",
            "pip install 'dreamplay[box2d]'"),
    Package(r"(Ant|HalfCheetah|Hopper|Humanoid|HumanoidStandup|InvertedDoublePendulum|InvertedPendulum|Pusher|Reacher|"
            r"Swimmer|Walker2d)-v", "mujoco", "pip install mujoco"),
)  # fmt: skip


def prepare(env_id: str) -> None:
    """Register the ids of the package that an id belongs to, if it is one of those known here.

    Raises:
        UserError: the package is not installed; the line says how to get it.
    """
    name = env_id.rpartition(":")[2]
    package = next((package for package in PACKAGES if re.match(package.ids, name)), None)
    if package is None:
        return
    try:
        module = importlib.import_module(package.module)
    except ImportError as error:
        raise UserError(f"{env_id} needs {package.module}, which is not installed: {package.install}") from error
    if package.module == "ale_py":
        atari.quieten(module)
    if package.module in ("ale_py", "minigrid"):
        gym.register_envs(module)
    if package.module == "minatar" and name not in gym.registry:
        importlib.import_module("minatar.gym").register_envs()
