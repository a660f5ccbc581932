"""Action spaces as a user writes them: Discrete(6), Box(-1, 1, (2,))."""

from __future__ import annotations

import ast
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.errors import UserError

KINDS = ("Discrete", "MultiDiscrete", "MultiBinary", "Box")


def parse_space(text: str) -> gym.Space[Any]:
    """The space that a text such as "Box(-1, 1, (2,))" describes. Runs no code.

    Raises:
        UserError: it describes none of the four kinds.
    """
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in KINDS:
            raise ValueError("another form")
        arguments = [ast.literal_eval(argument) for argument in call.args]
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        if call.func.id == "Box":
            arguments[:2] = [
                np.array(bound, np.float32) if isinstance(bound, list) else bound for bound in arguments[:2]
            ]
        return getattr(gym.spaces, call.func.id)(*arguments, **named)
    except (ValueError, SyntaxError, TypeError, AssertionError) as error:
        raise UserError(
            f"{text!r} is no action space ({error}); write Discrete(6), MultiDiscrete([3, 2]), MultiBinary(4) or "
            "Box(-1, 1, (2,))"
        ) from None
