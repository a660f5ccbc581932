"""Several processes that train as one, started by `torchrun`: what each does, and what all agree on.

The processes are called ranks. Each has a copy of the network and learns from its own windows of every batch;
DistributedDataParallel averages their gradients. Whatever is random is drawn for the whole batch, by all ranks alike;
whatever depends on time or on Ctrl-C is decided by all together. So the gradient is that of one process, however many
there are. The first rank alone speaks and writes.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dreamplay.errors import UserError

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds for the first rank to tell what failed."""


@dataclass(frozen=True)
class Ranks:
    """One of several processes; by default the only one."""

    rank: int = 0
    """Which one, from 0 on."""
    count: int = 1

    @classmethod
    def current(cls) -> Ranks:
        """Those of the process group, if this process is in one."""
        if dist.is_available() and dist.is_initialized():
            return cls(dist.get_rank(), dist.get_world_size())
        return cls()

    @property
    def lead(self) -> bool:
        """Whether this is the one that speaks and writes."""
        return self.rank == 0

    def own(self, windows: int) -> slice:
        """Which of the windows of a batch are this rank's; shares differ by one at most."""
        return slice(windows * self.rank // self.count, windows * (self.rank + 1) // self.count)

    def device(self, asked: str) -> str:
        """The device of this rank: one GPU each.

        Raises:
            UserError: this machine has fewer GPUs than ranks.
        """
        if self.count == 1 or not (asked == "cuda" or (asked == "auto" and torch.cuda.is_available())):
            return asked
        here, gpus = int(os.environ["LOCAL_WORLD_SIZE"]), torch.cuda.device_count()
        if gpus < here:
            raise UserError(
                f"{here} processes on this machine but {gpus} GPU(s); start one for each, or use --device cpu"
            )
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        return f"cuda:{os.environ['LOCAL_RANK']}"

    def share(self, module: nn.Module, some_idle: bool) -> nn.Module:
        """The module, its gradients averaged over the ranks after each backward pass.

        Args:
            module: called once before each backward pass.
            some_idle: whether there are updates in which some of the parameters have nothing to do.
        """
        if self.count == 1:
            return module
        # No device_ids: with them, what is left on the host on purpose would be copied.
        return DistributedDataParallel(module, find_unused_parameters=some_idle)

    def sum(self, tensor: Tensor) -> Tensor:
        """Over the ranks."""
        if self.count > 1:
            dist.all_reduce(tensor)
        return tensor

    def agree(self, minutes: float, save: bool, stop: bool) -> tuple[float, bool, bool]:
        """The time of the first rank, whether it wants to save, and whether anyone wants to stop."""
        if self.count == 1:
            return minutes, save, stop
        said = torch.tensor([minutes * self.lead, save * self.lead, stop], dtype=torch.float64)
        agreed = self.sum(said).tolist()
        return agreed[0], agreed[1] > 0, agreed[2] > 0

    def gather(self, rows: dict[str, Tensor]) -> dict[str, Tensor]:
        """The rows of all ranks, in order, on the CPU."""
        if self.count == 1:
            return rows
        parts: list[Any] = [None] * self.count
        dist.all_gather_object(parts, {name: value.cpu() for name, value in rows.items()})
        return {name: torch.cat([part[name] for part in parts]) for name in rows}

    def in_turn(self, work: Callable[[], T]) -> T:
        """The first rank does it, then the others: they find what it wrote. All begin the next thing together.

        Raises:
            SystemExit: the first rank failed, and tells why. Its exit status is that of the job; another failure would
                make torchrun end it before it has spoken.
        """
        if self.count == 1:
            return work()
        if self.lead:
            done = False
            try:
                result = work()
                done = True
            finally:
                dist.broadcast_object_list([done])
        else:
            said: list[Any] = [None]
            dist.broadcast_object_list(said)
            if not said[0]:
                raise SystemExit(0)
            result = work()
        self.agree(0, False, False)
        return result

    @contextmanager
    def together(self, run: Path) -> Iterator[None]:
        """Within, all do the same: the first rank speaks for all.

        Args:
            run: folder that holds the checkpoint.

        Raises:
            UserError: another rank is gone, or torchrun ends the job.
            SystemExit: instead of whatever the first rank has to tell, see `in_turn`.
        """
        if self.count == 1:
            yield
            return
        gone = UserError(
            f"one of the {self.count} processes is gone, or the job was told to end; {run} holds the last checkpoint: "
            "start them again with --resume"
        )

        def end(number: int, frame: FrameType | None) -> None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun is patient enough for a line
            raise gone

        usual = signal.signal(signal.SIGTERM, end) if self.lead else None
        try:
            yield
        except (UserError, KeyboardInterrupt):
            if self.lead:
                raise
            raise SystemExit(0) from None
        except RuntimeError as error:
            if not _says_that_one_is_gone(error):
                raise
            if not self.lead:
                raise SystemExit(0) from None
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            raise gone from None
        if self.lead:
            signal.signal(signal.SIGTERM, usual)


@contextmanager
def joined() -> Iterator[Ranks]:
    """Within, this process is one of those that `torchrun` started, if it did; only the first one is heard.

    After a failure the others stay until `torchrun` has seen the first one end, and ends them: threads of gloo abort a
    process whose companions leave before it does, whatever exit status it has in mind. So they do, now and then, to one
    that ends as a Python program does, after a success too: the others, who have nothing left to do, leave at once.
    """
    if not (dist.is_available() and dist.is_torchelastic_launched()):
        yield Ranks()
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    ranks = Ranks.current()
    with ExitStack() as stack:
        if not ranks.lead:
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
            stack.enter_context(redirect_stdout(nowhere))
            stack.enter_context(redirect_stderr(nowhere))
        try:
            yield ranks
        except SystemExit as leaving:
            if ranks.lead:
                raise
            with suppress(KeyboardInterrupt):
                threading.Event().wait(PATIENCE)
            os._exit(int(leaving.code or 0))
    dist.destroy_process_group()  # not after an error: it would wait for ranks that are gone
    if not ranks.lead:
        os._exit(0)


def _says_that_one_is_gone(error: RuntimeError) -> bool:
    return isinstance(error, dist.DistError) or bool(re.search("gloo|NCCL|Connection (closed|reset)", str(error)))
