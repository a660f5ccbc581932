"""Ids, and how light `import dreamplay` is."""

from __future__ import annotations

import subprocess
import sys

import gymnasium as gym
import pytest

import dreamplay
from dreamplay.envs.registration import register_all

STEPS = {"Catch": 200, "Bricks": 500, "Rally": 500, "Recall": None}


@pytest.mark.parametrize(("name", "steps"), STEPS.items())
def test_games_are_registered(name: str, steps: int | None) -> None:
    env = gym.make(f"Dreamplay/{name}-v0")
    assert type(env.unwrapped).__name__ == name
    assert env.spec is not None and env.spec.max_episode_steps == steps


def test_the_dream_is_registered_by_name_only() -> None:
    spec = gym.spec("Dreamplay/Dream-v0")
    assert spec.entry_point == "dreamplay.envs.dream:make_dream"
    assert spec.vector_entry_point == "dreamplay.envs.dream_vector:make_dream_vector"


def test_registering_again_changes_nothing(recwarn: pytest.WarningsRecorder) -> None:
    before = {name: spec for name, spec in gym.registry.items() if name.startswith("Dreamplay/")}
    register_all()
    after = {name: spec for name, spec in gym.registry.items() if name.startswith("Dreamplay/")}
    assert len(after) == 5 and all(after[name] is spec for name, spec in before.items())
    assert not recwarn.list


def test_gymnasium_can_import_the_module_for_an_id() -> None:
    code = "import gymnasium; print(gymnasium.make('dreamplay:Dreamplay/Bricks-v0').observation_space.shape)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "(10, 10, 3)"


def test_importing_is_light() -> None:
    heavy = "torch pygame wandb matplotlib imageio PIL cv2 ale_py onnxruntime rich tyro"
    code = f"import sys, dreamplay; print([name for name in {heavy.split()} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_what_the_package_offers() -> None:
    from dreamplay.envs.real import make_env

    assert dreamplay.make_env is make_env
    assert dreamplay.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'dream'"):
        dreamplay.dream  # noqa: B018
