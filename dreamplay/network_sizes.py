"""The default simulator in four sizes, by name."""

from __future__ import annotations

from dreamplay.errors import UserError
from dreamplay.network import NetworkConfig

SIZES = {
    "nano": NetworkConfig(features=16, hidden=96, canvas=4, bottleneck=32, glance=4, anchor=32),
    "small": NetworkConfig(features=24, hidden=128, bottleneck=48, glance=6, anchor=48),
    "base": NetworkConfig(),
    "large": NetworkConfig(features=64, hidden=384, blocks=3, canvas=12, bottleneck=128, glance=12, anchor=128),
}


def network_config(size: str) -> NetworkConfig:
    """The sizes within the network that a name stands for.

    Raises:
        UserError: there is no such name.
    """
    if size not in SIZES:
        raise UserError(f"network size {size!r} is unknown; choose one of {', '.join(SIZES)}")
    return SIZES[size]
