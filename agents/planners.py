"""Planners by the names the command line knows them by, and how deep they may look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

from dreamplay.errors import UserError

if TYPE_CHECKING:
    import gymnasium as gym

    from dreamplay.agents.planner import Planner

PlannerName = Literal["shooting", "cem", "icem", "mppi", "beam"]
PLANNERS: tuple[PlannerName, ...] = get_args(PlannerName)

TRUSTED = 0.5  # share of what moves that a dream must find to be planned in
LONGEST_PLAN = 25  # steps


def make_planner(
    name: PlannerName, action_space: gym.Space[Any], *, horizon: int = 15, candidates: int = 32, iterations: int = 2
) -> Planner:
    """A planner.

    Args:
        name: "shooting" scores random sequences, as many as the others in all iterations; "cem", "icem" and "mppi" move
            a distribution over sequences; "beam" goes on from the best beginnings, for finite choices of actions.
        action_space: what is chosen from.
        horizon: T, steps that a plan looks ahead.
        candidates: N, sequences scored in each iteration, of which the best eighth leads on; the width of a beam.
        iterations: rounds of sampling closer to the best.

    Raises:
        UserError: the action space does not suit the planner, or a number is below 1.
    """
    elites = max(2, candidates // 8)
    if name == "shooting":
        from dreamplay.agents.shooting import ShootingConfig, ShootingPlanner

        return ShootingPlanner(action_space, ShootingConfig(horizon, candidates * iterations))
    if name == "icem":
        from dreamplay.agents.icem import ICEMConfig, ICEMPlanner

        return ICEMPlanner(action_space, ICEMConfig(horizon, candidates, iterations, elites))
    if name == "mppi":
        from dreamplay.agents.mppi import MPPIConfig, MPPIPlanner

        return MPPIPlanner(action_space, MPPIConfig(horizon, candidates, iterations))
    if name == "beam":
        from dreamplay.agents.beam import BeamConfig, BeamPlanner

        return BeamPlanner(action_space, BeamConfig(horizon, candidates))
    from dreamplay.agents.cem import CEMConfig, CrossEntropyPlanner

    return CrossEntropyPlanner(action_space, CEMConfig(horizon, candidates, iterations, elites))


def trusted_horizon(measured: Mapping[str, Any] | None, least: float = TRUSTED) -> int:
    """How deep to plan in a dream: as far as it stays true, and at most 25 steps.

    Args:
        measured: `Simulator.horizon`, what `dreamplay evaluate` measured; None if it did not.
        least: the share of truly moving pixels (recall) that the dream must find at a horizon and at all before it.

    Returns:
        The longest such horizon in steps; 1 if there is none.

    Raises:
        UserError: nothing was measured.
    """
    curve = (measured or {}).get("horizons", {})
    if not curve:
        raise UserError("how long the dream stays true is not measured; run dreamplay evaluate, or name a number")
    trusted = 1
    for horizon in sorted(curve, key=int):
        recall = curve[horizon].get("recall")
        if recall is None:  # nothing moved, or chance had a hand in every window: nothing is known
            continue
        if recall < least:
            break
        trusted = int(horizon)
    return min(trusted, LONGEST_PLAN)
