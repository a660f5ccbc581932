"""The step of a dream as an ONNX graph, and ONNX Runtime to run it.

The graph is traced from `dreamplay.one_step.OneStep`, so that it follows the network, whatever becomes of that. Tracing
takes about a second and happens once in a process, at the first step; nothing is written to disk.
"""

from __future__ import annotations

import importlib.util
import io
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dreamplay.errors import UserError
from dreamplay.one_step import Events, OneStep, State

OPSET = 17
NUMBERS_AT_ONCE = 2**17  # of the state, about six Atari dreams: what a step of more works on spills the caches


def is_installed() -> bool:
    """Whether ONNX Runtime, and what writes graphs for it, are there; they are not imported."""
    return all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))


def check_installed() -> None:
    """Refuse to go on without ONNX Runtime.

    Raises:
        UserError: it is not installed.
    """
    if not is_installed():
        raise UserError("ONNX Runtime is not installed: pip install 'dreamplay[onnx]', or use the torch backend")


class OnnxBackend:
    """Steps in ONNX Runtime, on one thread of the CPU.

    Args:
        step: on the CPU.
        state: any state of it, for names and sizes.
        actions: A, length of an encoded action.
        draws: random numbers of a sampled step.

    Raises:
        UserError: ONNX Runtime is not installed.
    """

    name = "onnx"

    def __init__(self, step: OneStep, state: State, actions: int, draws: int) -> None:
        check_installed()
        self._step, self._example, self._sizes = step, state, (actions, draws)
        self._rows = max(1, NUMBERS_AT_ONCE // sum(value[:1].numel() for value in state.values()))
        self.graphs: dict[bool, bytes] = {}
        self._sessions: dict[bool, Any] = {}

    def __call__(
        self, state: State, action: np.ndarray, uniforms: np.ndarray | None, temperature: float
    ) -> tuple[State, Events]:
        """One step; see `OneStep`."""
        sampled = uniforms is not None
        session = self.session(sampled)
        feed: dict[str, Any] = {name: state[name].numpy() for name in self._example}
        feed["action"] = action
        if uniforms is not None:
            feed["uniforms"] = uniforms
        fixed = {"temperature": np.array(temperature, np.float32)} if sampled else {}
        if len(action) <= self._rows:
            answer = session.run(None, feed | fixed)
        else:
            count = -(-len(action) // self._rows)
            cuts = {name: np.array_split(value, count) for name, value in feed.items()}  # of about equal lengths
            parts = [{name: pieces[i] for name, pieces in cuts.items()} for i in range(count)]
            answers = [session.run(None, part | fixed) for part in parts]
            answer = [np.concatenate(columns) for columns in zip(*answers, strict=True)]
        n = len(Events._fields)
        return dict(zip(self._example, map(torch.from_numpy, answer[n:]), strict=True)), Events(*answer[:n])

    def session(self, sampled: bool) -> Any:
        """The `onnxruntime.InferenceSession` of sampled or of most likely steps, made when it is first asked for."""
        if sampled not in self._sessions:
            self.graphs[sampled] = export_step(self._step, self._example, *self._sizes, sampled)
            self._sessions[sampled] = open_session(self.graphs[sampled])
        return self._sessions[sampled]


def export_step(step: OneStep, state: State, actions: int, draws: int, sampled: bool) -> bytes:
    """The step as an ONNX model for batches of any size.

    Inputs are the state by name and "action" float32 (B, A), if sampled also "uniforms" float32 (B, draws) in [0, 1)
    and "temperature" float32 (). Outputs are the fields of `Events` and the next state, "next_" before each name.

    Args:
        step: on the CPU.
        state: any state of it, for names and sizes.
        actions: A, length of an encoded action.
        draws: random numbers of a sampled step.
        sampled: whether chance decides, or what is most likely is taken.
    """
    rows = 2  # a batch of one would be taken for a constant
    inputs = {name: value[:1].expand(rows, *value.shape[1:]).contiguous() for name, value in state.items()}
    inputs["action"] = torch.zeros(rows, actions)
    if sampled:
        inputs |= {"uniforms": torch.full((rows, draws), 0.5), "temperature": torch.tensor(1.0)}
    batched = [name for name in inputs if name != "temperature"]
    outputs = [*Events._fields, *(f"next_{name}" for name in state)]
    graph = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of shapes that become constants: those of the network are
        torch.onnx.export(
            _Flat(step, list(state), sampled).eval(),
            tuple(inputs.values()),
            graph,  # type: ignore[arg-type]
            input_names=list(inputs),
            output_names=outputs,
            dynamic_axes={name: {0: "batch"} for name in [*batched, *outputs]},
            opset_version=OPSET,
            dynamo=False,  # the newer exporter takes ten times as long
        )
    return graph.getvalue()


def open_session(graph: bytes) -> Any:
    """An `onnxruntime.InferenceSession` on one thread: steps are too small to share, and dreams share a machine."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


class _Flat(nn.Module):
    """`OneStep` with a flat list of inputs and outputs, as a graph has them."""

    def __init__(self, step: OneStep, names: list[str], sampled: bool) -> None:
        super().__init__()
        self.step, self.names, self.sampled = step, names, sampled

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        state = dict(zip(self.names, inputs, strict=False))
        action, *drawn = inputs[len(self.names) :]
        after, events = self.step(state, action, *drawn)
        return (*events, *(after[name] for name in self.names))
