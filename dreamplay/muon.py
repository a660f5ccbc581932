"""Muon: a step of equal size in every direction of a weight matrix: the rare is learned as soon as the frequent.

A ball is two pixels of thousands. In the gradient of a matrix it is one of its weakest directions, and Adam, which
scales each weight by itself, takes thousands of updates to see it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
BETAS, EPSILON = (0.9, 0.999), 1e-6
RMS = 0.2  # of a step beside the learning rate: about Adam's
CONVOLUTIONS_DECAY, DECAY, LASTING_DECAY = 0.5, 0.2, 0.1  # of a matrix in a step, beside the learning rate
QUINTIC = (3.4445, -4.7750, 2.0315)
ROUNDS = 5


class Muon(torch.optim.Optimizer):
    """Orthogonalised momentum for weight matrices (Jordan et al. 2024), Adam for everything else.

    A step of a matrix has Adam's size (Liu et al. 2025, section 2.2), so that one learning rate serves both. The weight
    of a convolution is the matrix from its patches to its output channels. Matrices decay, convolutions most of all:
    what is learned by heart in one place is forgotten unless it proves true elsewhere.

    Args:
        network: of its linear and convolution layers the weights are matrices; all other parameters are not.
        rate: learning rate.
        lasting: part of the network that decays half as fast as its other linear layers.
    """

    def __init__(self, network: nn.Module, rate: float, lasting: nn.Module | None = None) -> None:
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
        kept = set() if lasting is None else set(lasting.parameters())
        weights = [layer.weight for layer in layers if layer.weight.numel()]
        self._decay = {weight: _decay(weight, weight in kept) for weight in weights}
        groups = [
            {"params": [parameter for parameter in network.parameters() if (parameter in self._decay) == matrices]}
            | {"matrices": matrices, "initial_lr": rate}
            for matrices in (True, False)
        ]
        # A tensor, read where the weights are: a recorded step takes whatever rate stands there.
        super().__init__(groups, {"lr": torch.tensor(rate, device=next(network.parameters()).device)})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update of all parameters that have a gradient."""
        for group in self.param_groups:
            move = _move_matrix if group["matrices"] else _move_by_itself
            for parameter in group["params"]:
                if parameter.grad is not None:
                    if group["matrices"]:
                        parameter.mul_(1 - self._decay[parameter] * group["lr"])
                    move(parameter, parameter.grad, self.state[parameter], group["lr"])


def _decay(weight: Tensor, lasts: bool) -> float:
    if weight.dim() == 4:
        return CONVOLUTIONS_DECAY
    return LASTING_DECAY if lasts else DECAY


def _move_matrix(parameter: Tensor, gradient: Tensor, state: dict[str, Tensor], rate: Tensor) -> None:
    if not state:
        state["momentum"] = torch.zeros_like(parameter)
    momentum = state["momentum"].lerp_(gradient, 1 - MOMENTUM)
    matrix = gradient.lerp(momentum, MOMENTUM).flatten(1)  # Nesterov
    step = orthogonalised(matrix).view_as(parameter)
    parameter.addcmul_(step, rate, value=-RMS * max(matrix.shape) ** 0.5)


def _move_by_itself(parameter: Tensor, gradient: Tensor, state: dict[str, Tensor], rate: Tensor) -> None:
    if not state:
        state.update(count=torch.zeros_like(rate), mean=torch.zeros_like(parameter), square=torch.zeros_like(parameter))
    count = state["count"].add_(1)
    mean = state["mean"].lerp_(gradient, 1 - BETAS[0])
    square = state["square"].lerp_(gradient.square(), 1 - BETAS[1])
    scale = (square / (1 - BETAS[1] ** count)).sqrt_().add_(EPSILON)
    parameter.sub_(mean * (rate / (1 - BETAS[0] ** count)) / scale)


def orthogonalised(matrix: Tensor) -> Tensor:
    """A matrix (m, n) with its singular values brought near 1, into about 0.7 to 1.2, by a few Newton-Schulz rounds."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    x = _factor(x @ x.T) @ x if x.shape[1] > 2 * len(x) else _rounds(x)
    return x.T if tall else x


def _rounds(x: Tensor) -> Tensor:
    """Each multiplies x by a polynomial of x x'."""
    a, b, c = QUINTIC
    for _ in range(ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x


def _factor(square: Tensor) -> Tensor:
    """What all rounds multiply x by, from x x' alone: these polynomials commute, and a wide x is met but twice."""
    a, b, c = QUINTIC
    one = factor = torch.eye(len(square), device=square.device, dtype=square.dtype)
    for _ in range(ROUNDS):
        step = a * one + b * square + c * square @ square
        factor, square = step @ factor, step @ square @ step
    return factor
