"""What a training does to go fast: on a CPU bfloat16 if it computes in that, on a GPU all of it.

On a GPU an update of a small network takes about as long as it takes to start its kernels. So nothing in the loop waits
for the GPU: the data are there, and losses are read only when they are shown.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

MOST_MEMORY = 0.5  # share of what is free on the device that data may take


@dataclass(frozen=True)
class Acceleration:
    """How a training uses its device. A run does not keep it: it may go on elsewhere."""

    bfloat16: bool = False
    """Convolutions and matrix products in bfloat16; weights, recurrence and losses stay in float32."""
    resident: bool = False
    """Data encoded once and kept on the device, see `dreamplay.feeds`."""
    compiled: bool = False
    """The network compiled by `torch.compile`: fused kernels instead of one for each operation."""
    recorded: bool = False
    """All kernels of an update started at one go, see `dreamplay.recorded`."""

    @classmethod
    def of(cls, device: torch.device, data: int, precision: str = "auto", compiled: bool = False) -> Acceleration:
        """What suits a device.

        Args:
            device: where the network is.
            data: bytes that the data take there.
            precision: "float32", "bfloat16", or "auto": bfloat16 on a GPU or a processor that computes in it.
            compiled: whether that was asked for.
        """
        cuda = device.type == "cuda"
        if precision == "auto":
            bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False) if cuda else _processor_has_bfloat16()
        else:
            bfloat16 = precision == "bfloat16"
        resident = cuda and data <= MOST_MEMORY * torch.cuda.mem_get_info(device)[0]
        return cls(bfloat16, resident, compiled, recorded=cuda and not compiled)

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        """Within, the network computes as it should."""
        # No cache: it would hand weights cast while dreaming, without gradient, to the pass that learns.
        return torch.autocast(device.type, torch.bfloat16, enabled=self.bfloat16, cache_enabled=False)

    def prepare(self, network: Any) -> None:
        """Compile what takes the time, if that is wanted; it happens when first used."""
        if self.compiled:
            for name in ("unroll",) if network.learns_through_predictions else ("observe", "predict"):
                setattr(network, name, torch.compile(getattr(network, name)))

    def __str__(self) -> str:
        parts = [
            "bfloat16 with float32 weights and losses" if self.bfloat16 else "float32",
            "data kept on the device" if self.resident else "data memory-mapped, never loaded as a whole",
            *(["compiled"] if self.compiled else []),
            *(["updates recorded"] if self.recorded else []),
        ]
        return ", ".join(parts)


PLAIN = Acceleration()


def _processor_has_bfloat16() -> bool:
    """Whether its products of bfloat16 are more than float32 in disguise. An older PyTorch does not say."""
    features: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(features.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
