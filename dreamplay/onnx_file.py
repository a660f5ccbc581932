"""The step of a run as an ONNX file for other programs, written only once it has dreamed as PyTorch does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dreamplay.errors import UserError
from dreamplay.onnx_backend import OnnxBackend, check_installed
from dreamplay.simulator import Context, Simulator, load
from dreamplay.whole_files import write_whole

STEPS = 20
MOST_WRONG = 1e-3  # of the numbers of a frame: a rounding may tip a pixel
TOLERANCE = 1e-3


def write_checked(run: Path, file: Path, *, sampled: bool, seed: int) -> dict[str, Any]:
    """Export a run's step, dream with it beside PyTorch, and write it.

    Args:
        run: the run folder.
        file: does not exist yet.
        sampled: whether chance decides, see `dreamplay.onnx_backend.export_step`.
        seed: of actions and chance in the check.

    Returns:
        {"inputs", "outputs", "steps", "sampled"}: types and shapes by name, and how many steps were compared.

    Raises:
        UserError: ONNX Runtime is not installed; the run cannot be read; the model dreams something else.
    """
    check_installed()
    eager, graph = load(run, "cpu", "torch"), load(run, "cpu", "onnx")
    dreamed = [_dream(simulator, sampled, seed) for simulator in (eager, graph)]
    for one, other in zip(*dreamed, strict=True):
        wrong = np.mean(np.abs(one.observations.astype(int) - other.observations) > 1)
        error = np.abs(one.termination_probability - other.termination_probability).max()
        if wrong > MOST_WRONG or error > TOLERANCE:
            raise UserError(
                f"the exported model does not dream as {run} does ({wrong:.1%} of a frame differs, the termination by "
                f"{error:.2g}); {file} is not written; update onnxruntime"
            )
    backend = graph.stepper
    assert isinstance(backend, OnnxBackend)
    session = backend.session(sampled)
    write_whole(file, backend.graphs[sampled])
    return {
        "inputs": {value.name: f"{value.type} {value.shape}" for value in session.get_inputs()},
        "outputs": {value.name: f"{value.type} {value.shape}" for value in session.get_outputs()},
        "sampled": sampled,
        "steps": STEPS,
    }


def _dream(simulator: Simulator, sampled: bool, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    space = simulator.card.action_space
    space.seed(seed)
    shape = simulator.card.observation_space.shape or ()
    blank = Context(np.zeros((1, *shape), np.uint8), np.zeros((0, *(space.shape or ())), space.dtype))
    start = simulator.contexts[0] if simulator.contexts else blank
    state = simulator.start(start.observations[None], start.actions[None])
    steps = []
    for _ in range(STEPS):
        uniforms = rng.random((1, simulator.draws), np.float32) if sampled else None
        action = np.asarray(space.sample())[None]
        state, step = simulator.step(state, action, temperature=1.0 if sampled else 0.0, uniforms=uniforms)
        steps.append(step)
    return steps
