"""The OpenCL backend as what `tinydl bench --backend opencl` measures.

Calls only queue kernels, so the worker's clock stops when the queue is empty, once per block of
calls, as a training step reads back nothing but its loss. On PoCL the device's threads are this
process's: processor time counts them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import backend as backends
from .peer_tinydl import TinydlPeer


def open_peer(argument: str, threads: int) -> OpenCLPeer:
    """The worker's peer; `argument` is the backend."""
    return OpenCLPeer(argument, threads)


class OpenCLPeer(TinydlPeer):
    """`backend`: "opencl", or with a device behind a colon."""

    def __init__(self, backend: str, threads: int) -> None:
        super().__init__(backend, threads)
        device_backend: Any = backends.get(backend)
        self.runtime = device_backend.runtime
        device = self.runtime.device
        units = device.handle.max_compute_units
        self.version += f" on {device.name}, {device.driver}, compute units: {units}"

    def finish(self) -> None:
        """Wait until everything queued has run."""
        self.runtime.finish()

    def launches(self, run: Callable[[], Any]) -> int:
        """Kernels that one call of `run` queues."""
        before = self.runtime.counters.launches
        run()
        return self.runtime.counters.launches - before
