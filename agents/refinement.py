"""Moving a distribution over sequences towards the better ones: what the planners that refine have in common."""

from __future__ import annotations

import numpy as np

from dreamplay.agents.memory import Best
from dreamplay.agents.proposals import Proposal


def start(proposal: Proposal, best: Best) -> np.ndarray:
    """Parameters (B, T, ...) around the plan before where there is one, else the widest."""
    parameters = proposal.prior(len(best.plans))
    # The last step has only now come into sight and is as open as ever.
    parameters[best.known, :-1] = proposal.around(best.plans)[best.known, :-1]
    return parameters


def elite_weights(values: np.ndarray, elites: int) -> np.ndarray:
    """1 for the best candidates and 0 for the others, (B, N), of values (B, N) that are finite or minus infinity.

    Candidates that tie with the last elite all count: where nothing tells candidates apart, the distribution stays as
    wide as it was instead of closing in on an arbitrary few.
    """
    elites = min(elites, values.shape[1])
    bar = np.partition(values, -elites, axis=1)[:, -elites, None]  # (B, 1)
    return ((values >= bar) & np.isfinite(values)).astype(np.float64)


def refit(proposal: Proposal, parameters: np.ndarray, candidates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Parameters (B, T, ...) that explain the weighted candidates (B, N, T, ...); as before in rows without weight."""
    some = weights.any(axis=1)  # (B,)
    fitted = proposal.fit(candidates, weights)
    return np.where(some.reshape(-1, *[1] * (parameters.ndim - 1)), fitted, parameters)
