"""Cards and spaces survive JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from dreamplay.envs.card import EnvCard, Preparation, space_from_json, space_to_json
from dreamplay.errors import UserError

SPACES = [
    spaces.Box(0, 255, (10, 12, 3), np.uint8),
    spaces.Box(-1.0, 1.0, (3,), np.float32),
    spaces.Box(np.array([0.0, -np.pi, 0.1], np.float32), np.array([1.0, np.pi, 0.3], np.float32)),
    spaces.Box(-np.inf, np.array([[1.0, np.inf]]), (1, 2), np.float64),
    spaces.Box(-(2**62), 2**62 + 1, (2,), np.int64),
    spaces.Box(-1.0, 1.0, (), np.float32),
    spaces.Discrete(6),
    spaces.Discrete(3, start=-1),
    spaces.MultiDiscrete([3, 4]),
    spaces.MultiDiscrete([[3, 4], [2, 2]], np.int32, start=[[1, 0], [0, 5]]),
    spaces.MultiBinary(4),
    spaces.MultiBinary([2, 3]),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_spaces_survive_json(space: spaces.Space[Any]) -> None:
    again = space_from_json(json.loads(json.dumps(space_to_json(space), allow_nan=False)))
    assert again == space and again.dtype == space.dtype and again.shape == space.shape
    if isinstance(space, spaces.Box):
        assert isinstance(again, spaces.Box)
        assert np.array_equal(again.low, space.low) and np.array_equal(again.high, space.high)


def test_equal_bounds_take_one_number() -> None:
    data = space_to_json(SPACES[0])
    assert data == {"type": "Box", "low": 0, "high": 255, "shape": [10, 12, 3], "dtype": "uint8"}


def test_other_spaces_are_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"Text.*is not supported"):
        space_to_json(spaces.Text(5))


def a_card(**changes: Any) -> EnvCard:
    parts: dict[str, Any] = {
        "id": "ALE/Pong-v5",
        "kwargs": {"frameskip": 4, "obs_type": "rgb"},
        "preparation": Preparation(stride=(3, 2)),
        "observation_space": spaces.Box(0, 255, (70, 80, 3), np.uint8),
        "action_space": spaces.Discrete(6),
        "keys_to_action": [(["a"], 2), (["a", "w"], 5), ([" "], 1)],
        "fps": 15,
    }
    return EnvCard(**(parts | changes))


@pytest.mark.parametrize(
    "card",
    [
        a_card(),
        a_card(preparation=Preparation(size=(64, 48), gray=True, source="render")),
        a_card(keys_to_action=[]),
        a_card(action_space=spaces.Box(-1, 1, (2,)), keys_to_action=[(["left"], [-1.0, 0.5])]),
    ],
)
def test_cards_survive_json(card: EnvCard) -> None:
    assert EnvCard.from_json(json.loads(json.dumps(card.to_json(), allow_nan=False))) == card


@pytest.mark.parametrize("missing", list(a_card().to_json()))
def test_a_card_with_something_missing_is_refused(missing: str) -> None:
    data = a_card().to_json()
    del data[missing]
    with pytest.raises(UserError, match=f"unreadable description.*{missing}"):
        EnvCard.from_json(data)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("observation_space", {"type": "Discrete", "n": 2, "start": 0}),
        ("action_space", {"type": "Text"}),
        ("preparation", []),
        ("keys_to_action", [1]),
    ],
)
def test_a_card_with_something_wrong_is_refused(part: str, value: Any) -> None:
    with pytest.raises(UserError, match="unreadable description"):
        EnvCard.from_json(a_card().to_json() | {part: value})
