"""Infos of many dreams in Gymnasium's vector format: an array beside a mask, zero where the mask is False."""

from __future__ import annotations

from typing import Any

import numpy as np


def vector_infos(horizons: np.ndarray, probabilities: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    """What `VectorEnv._add_info` makes of the infos of some rows, without a loop over them.

    Args:
        horizons: int64 (B,), steps since the contexts ended.
        probabilities: float64 (B,), how likely termination was.
        rows: bool (B,), the rows that have an info.
    """
    return {
        "horizon": np.where(rows, horizons, 0),
        "_horizon": rows.copy(),
        "termination_probability": np.where(rows, probabilities, 0.0),
        "_termination_probability": rows.copy(),
    }


def final_infos(
    frames: np.ndarray, horizons: np.ndarray, probabilities: np.ndarray, rows: np.ndarray
) -> dict[str, Any]:
    """The same for dreams that ended and are reset in the same step, with their last frames, uint8 (B, H, W, C)."""
    final_obs = np.full(len(rows), None, dtype=object)
    for row in np.flatnonzero(rows):
        final_obs[row] = frames[row].copy()
    return {
        "final_obs": final_obs,
        "_final_obs": rows.copy(),
        "final_info": vector_infos(horizons, probabilities, rows),
        "_final_info": rows.copy(),
    }
