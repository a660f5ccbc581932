"""Updates that a GPU does at one go: recorded once for each shape of batch, then replayed (CUDA graphs).

An update of a small network is a thousand kernels, and a GPU does each of them faster than Python can ask for the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from dreamplay.batches import Batch

BY_HAND = 3  # updates of each shape before it is recorded: libraries set themselves up in them
MOST = 8  # recordings: each keeps memory of its own, a gigabyte or more; the default curriculum has six shapes

Update = Callable[[Batch], Any]


def record(update: Update, batch: Batch) -> tuple[Callable[[], None], Any]:
    """What does the update again with whatever the batch's tensors hold by then, and where its results will be."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        results = update(batch)
    return graph.replay, results


def own_stream(device: torch.device) -> AbstractContextManager[Any]:
    """Within, a GPU works on a stream of its own: the default one cannot be recorded."""
    if device.type != "cuda":
        return nullcontext()
    torch.cuda.synchronize(device)
    return torch.cuda.stream(torch.cuda.Stream(device))


class Recorded:
    """An update that is recorded.

    Args:
        update: works on tensors alone, and changes what it keeps in place. What it reads of a batch besides its tensors
            is the same in all batches of one shape.
        record: see there; for tests.
    """

    def __init__(self, update: Update, record: Callable[..., tuple[Callable[[], None], Any]] = record) -> None:
        self._update, self._record = update, record
        self._seen: Counter[Hashable] = Counter()
        self._recordings: dict[Hashable, tuple[Callable[[], None], Batch, Any]] = {}

    def __call__(self, batch: Batch) -> Any:
        """One update. Its results are overwritten by the next one."""
        shape = (batch.stage.real, batch.stage.warm_up, tuple(part.shape for part in tensors(batch)))
        self._seen[shape] += 1
        if shape in self._recordings:
            replay, recorded, results = self._recordings[shape]
            for old, new in zip(tensors(recorded), tensors(batch), strict=True):
                old.copy_(new, non_blocking=True)
        elif self._seen[shape] <= BY_HAND or len(self._recordings) == MOST or batch.stage.windows > 1:
            return self._update(batch)
        else:
            replay, results = self._record(self._update, batch)
            self._recordings[shape] = replay, batch, results
        replay()
        return results


def tensors(part: Any) -> Iterator[Tensor]:
    """All tensors within tuples, in order."""
    if isinstance(part, Tensor):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from tensors(each)
