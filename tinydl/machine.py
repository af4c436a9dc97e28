"""What this machine offers: the facts behind `tinydl info`."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from . import data
from ._version import __version__

PACKAGES = (
    "numpy", "safetensors", "pyopencl", "matplotlib", "scikit-learn", "pillow", "tqdm", "filelock",
)  # fmt: skip


def facts() -> dict[str, Any]:
    """Versions, kernels, OpenCL devices and data folders as one JSON-able object."""
    from .backend.opencl.device import describe_devices

    found: dict[str, Any] = {
        "tinydl": __version__,
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in PACKAGES},
    }
    try:
        from .backend import _runtime
    except ImportError as error:
        found["kernels"] = f"not compiled ({error}); run `pip install .`"
    else:
        found |= {
            "level": _runtime.level(),
            "levels": list(_runtime.available_levels()),
            "openmp": _runtime.openmp() or "no: built without it, kernels run on one thread",
            "threads": _runtime.threads(),
            "compiler": _runtime.compiler(),
        }
    folder = data.data_folder()
    found["opencl_devices"] = describe_devices()
    found["data_folders"] = [str(p) for p in (folder, data.cache_folder()) if p is not None]
    return found


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def facts_text(found: dict[str, Any]) -> str:
    """One line per fact, one per OpenCL device."""
    from .backend.opencl.device import HOW_TO_GET_A_DEVICE

    lines = []
    for name, value in found.items():
        if name == "opencl_devices":
            devices = [f"{d['index']}: {d['name']} ({d['driver']}, {d['kind']})" for d in value]
            value = ("\n" + " " * 19).join(devices) or f"none; {HOW_TO_GET_A_DEVICE}"
        elif isinstance(value, dict):
            value = ", ".join(f"{k} {v or 'not installed'}" for k, v in value.items())
        elif isinstance(value, list | tuple):
            value = ", ".join(value)
        lines.append(f"{name:<18} {value}")
    return "\n".join(lines)
