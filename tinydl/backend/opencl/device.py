"""Finding OpenCL devices and choosing one. Nothing here runs before the first use of the backend.

The order of preference is GPU, then accelerator, then CPU, and the newest driver first: Debian's
PoCL 3.1 before the PoCL 3.0-rc2 that comes with pip. TINYDL_CL_DEVICE overrides it, see `choose`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from ...errors import DeviceError, how_to_install

HOW_TO_GET_A_DEVICE = (
    f"get one by {how_to_install('pocl')} (Linux x86-64, no root needed), or by apt-get install "
    f"pocl-opencl-icd (faster) and {how_to_install('opencl')}"
)
#: Device kinds, best first. The kernels know two of them: a GPU, and everything else as a CPU.
KINDS = ("gpu", "accelerator", "cpu")

_touched = False  # OpenCL has been called in this process
_forked = False  # this process is a child of one that had called it


def _after_fork_in_child() -> None:
    global _forked
    _forked = _touched


os.register_at_fork(after_in_child=_after_fork_in_child)


def check_not_forked() -> None:
    """Raises DeviceError in a forked child of a process that has used OpenCL: its driver threads
    are gone."""
    if _forked:
        raise DeviceError(
            "opencl: this process was forked from one that had already used OpenCL, whose driver "
            "threads do not survive a fork (calls would hang); start workers as threads or with "
            "the 'spawn' method"
        )


@dataclass(frozen=True)
class Device:
    """One OpenCL device; `handle` is pyopencl's object."""

    name: str
    platform: str
    driver: str
    version: tuple[int, ...]
    kind: str
    has_double: bool
    handle: Any

    def __str__(self) -> str:
        return f"{self.name} ({self.driver}, {self.kind})"

    @property
    def label(self) -> str:
        """What TINYDL_CL_DEVICE is looked up in, lower case."""
        return f"{self.platform} {self.driver} {self.handle.vendor} {self.name}".lower()


def driver_version(text: str) -> tuple[int, ...]:
    """Numbers of the last version in `text`; a release candidate comes before its release.

    'OpenCL 3.0 PoCL 3.1+debian' -> (3, 1, 0); 'OpenCL 3.0 PoCL 3.0-rc2' -> (3, 0, -1); 'OpenCL 3.0
    CUDA 12.4.1' -> (12, 4, 0).
    """
    found = re.findall(r"(\d+)\.(\d+)(?:\.\d+)*(-?rc\d*)?", text)
    if not found:
        return (0, 0, 0)
    # PoCL's platform version goes on with LLVM's: its own number follows its name.
    pocl = re.search(r"PoCL (\d+)\.(\d+)(?:\.\d+)*(-?rc\d*)?", text)
    major, minor, candidate = pocl.groups() if pocl else found[-1]
    return (int(major), int(minor), -1 if candidate else 0)


def _import_pyopencl() -> Any:
    check_not_forked()
    try:
        import pyopencl
    except ImportError as error:
        raise DeviceError(
            f"opencl: pyopencl is not installed ({error}); {HOW_TO_GET_A_DEVICE}"
        ) from error
    return pyopencl


def _describe(cl: Any, platform: Any, handle: Any) -> Device:
    if handle.type & cl.device_type.GPU:
        kind = "gpu"
    else:
        kind = "cpu" if handle.type & cl.device_type.CPU else "accelerator"
    return Device(
        name=handle.name.strip(),
        platform=platform.name.strip(),
        driver=" ".join(platform.version.split(",")[0].split()),
        version=driver_version(platform.version),
        kind=kind,
        has_double="cl_khr_fp64" in handle.extensions.split(),
        handle=handle,
    )


def find_devices() -> list[Device]:
    """Every device of every platform, best first; [] if there is none. Raises DeviceError without
    pyopencl."""
    global _touched
    cl = _import_pyopencl()
    _touched = True
    found = []
    try:
        platforms = cl.get_platforms()
    except cl.Error:  # PLATFORM_NOT_FOUND_KHR: the loader found no driver
        return []
    for platform in platforms:
        try:
            handles = platform.get_devices()
        except cl.Error:  # a driver without a device, or one that cannot write its cache folder
            continue
        found += [_describe(cl, platform, handle) for handle in handles]
    # The sort is stable: equal devices keep the loader's order.
    return sorted(found, key=lambda d: (KINDS.index(d.kind), tuple(-n for n in d.version)))


def choose(selector: str | None = None) -> Device:
    """The device that `selector` names; without one TINYDL_CL_DEVICE decides, else the best device.

    A selector is an index ("1"), a text found in the platform, driver, vendor or device name
    ("nvidia", "pocl 3.0"), or both ("pocl:0"); the index counts the matching devices, best first.
    Raises DeviceError if nothing matches; the message lists what there is.
    """
    devices = find_devices()
    if not devices:
        folder = os.environ.get("OCL_ICD_VENDORS", "/etc/OpenCL/vendors")
        raise DeviceError(
            f"opencl: no device was found (drivers are looked up in {folder} and beside pyopencl; "
            f"an unwritable cache folder hides PoCL); {HOW_TO_GET_A_DEVICE}"
        )
    if selector is None:
        selector = os.environ.get("TINYDL_CL_DEVICE", "")
    name, _, index = selector.strip().lower().rpartition(":")
    if index and not index.isdigit():
        name, index = selector.strip().lower(), ""
    matching = [d for d in devices if name in d.label]
    if int(index or 0) < len(matching):
        return matching[int(index or 0)]
    listed = "; ".join(f"{i}: {d}" for i, d in enumerate(devices))
    raise DeviceError(f"opencl: no device matches {selector!r}; there are {listed}")


def describe_devices() -> list[dict[str, Any]]:
    """One dictionary per device, best first: what `tinydl info` prints. [] without pyopencl or a
    driver."""
    try:
        devices = find_devices()
    except DeviceError:
        return []
    return [
        {
            "index": i,
            "name": d.name,
            "platform": d.platform,
            "driver": d.driver,
            "kind": d.kind,
            "float64": d.has_double,
            "compute_units": d.handle.max_compute_units,
            "memory_bytes": d.handle.global_mem_size,
            "max_allocation_bytes": d.handle.max_mem_alloc_size,
        }
        for i, d in enumerate(devices)
    ]
