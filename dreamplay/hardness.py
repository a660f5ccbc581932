"""How hard each step of the data was to predict when it was last learned from.

Most steps are soon learned, and what is left to learn is in a few, such as where a ball meets a paddle. Those are
predicted more often, see `dreamplay.step_weights` (importance sampling by the loss, Katharopoulos and Fleuret 2018).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

UNKNOWN = -1.0  # a loss that no step has
FLOOR = 0.25  # of the mean, added to all: what is easy is looked at now and then


class Hardness:
    """The latest losses of all steps of the data, in the order of `dreamplay.windows.Windows.numbers`.

    Losses are noted as they come and count from the next `settle` on: so a GPU need not be waited for at each update.

    Args:
        steps: how many there are.
    """

    def __init__(self, steps: int) -> None:
        self._losses = np.full(steps, UNKNOWN, np.float32)
        self._noted: list[tuple[Tensor, Tensor]] = []
        self._mean = UNKNOWN

    def __len__(self) -> int:
        return len(self._losses)

    def of(self, numbers: np.ndarray) -> np.ndarray:
        """Of the steps with these numbers, float (B, T) above 0, in units of the mean; unknown ones are like it."""
        losses = self._losses[numbers]
        return FLOOR + np.where(losses == UNKNOWN, 1.0, losses / max(self._mean, 1e-9))

    def note(self, numbers: np.ndarray, losses: Tensor) -> None:
        """What an update found.

        Args:
            numbers: of its steps, int64 (B, T), of padding any.
            losses: (B, T) in nats, on any device; `UNKNOWN` where a step was not predicted.
        """
        self._noted.append((torch.from_numpy(numbers.flatten()), losses.flatten().clone()))

    def settle(self) -> None:
        """From now on what was noted counts: of each step the latest, by half; the rest is what was known before."""
        numbers, losses = (part.numpy() for part in self._joined())
        numbers, losses = numbers[losses != UNKNOWN], losses[losses != UNKNOWN]
        before = self._losses[numbers]
        self._losses[numbers] = np.where(before == UNKNOWN, losses, (before + losses) / 2)
        self._noted = []
        known = self._losses[self._losses != UNKNOWN]
        self._mean = float(known.mean()) if len(known) else UNKNOWN

    def tensors(self) -> dict[str, Tensor]:
        """What `restored` makes the same of again."""
        numbers, losses = self._joined()
        mean = torch.tensor(self._mean, dtype=torch.float64)
        return {"known": torch.from_numpy(self._losses), "mean": mean, "numbers": numbers, "noted": losses}

    def _joined(self) -> tuple[Tensor, Tensor]:
        """Numbers and losses of all that was noted, on the CPU."""
        parts = [(torch.zeros(0, dtype=torch.int64), torch.zeros(0)), *self._noted]
        numbers, losses = (torch.cat([part.cpu() for part in column]) for column in zip(*parts, strict=True))
        return numbers, losses

    @classmethod
    def restored(cls, tensors: dict[str, Tensor]) -> Hardness:
        """As it was when these `tensors` were taken."""
        hardness = cls(0)
        hardness._losses, hardness._mean = tensors["known"].numpy().copy(), tensors["mean"].item()
        hardness._noted = [(tensors["numbers"], tensors["noted"])]
        return hardness
