"""Layer 1: arrays in, arrays out. Three backends, one list of kernels, nothing about gradients.

"numpy" is the reference, "cpu" (default) is Cython/C, "opencl" and "opencl:1" are OpenCL devices.
An installation without compiled kernels (TINYDL_PURE=1 when it was made, or now) has no "cpu", and
"numpy" is its default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from ..blocks import block
from ..errors import DeviceError
from ..quoting import quoted
from .reference import Backend

#: Whether this is an installation without compiled kernels; setup.py writes the file.
PURE = os.environ.get("TINYDL_PURE") == "1" or (Path(__file__).parent / "pure.txt").exists()
#: The backend of who names none.
USUAL = "numpy" if PURE else "cpu"

_loaded: dict[str, Backend] = {}
_default: ContextVar[str] = ContextVar("tinydl_default_backend", default=USUAL)


def get(name: str | Backend | None = None) -> Backend:
    """The backend object of that name (None: the default), made at its first use.

    Raises DeviceError for an unknown name, a build without kernels, or a machine without OpenCL.
    """
    if isinstance(name, Backend):
        return name
    if name is None:
        name = _default.get()
    try:
        backend = _loaded.get(name)
    except TypeError:  # no name: it cannot even be looked up
        backend = None
    if backend is None:
        backend = _loaded[name] = _load(name)
    return backend


def _load(name: str) -> Backend:
    if not isinstance(name, str):
        raise DeviceError(f"a backend is named by a string, got {quoted(name)}")
    if name == "numpy":
        return Backend()
    if name == "cpu":
        if PURE:
            raise DeviceError(
                "backend 'cpu': this installation has no compiled kernels (TINYDL_PURE=1); use "
                "backend 'numpy', or install it again with a C compiler (`pip install .`)"
            )
        try:
            from .cpu import CpuBackend
        except ImportError as error:
            raise DeviceError(f"backend 'cpu': {error}; or use backend 'numpy'") from error
        return CpuBackend()
    if name == "opencl" or name.startswith("opencl:"):
        from .opencl import OpenCLBackend

        return OpenCLBackend(name)
    kind = name.rstrip("0123456789") in ("float", "int", "uint", "bool")
    raise DeviceError(
        f"unknown backend {name!r}: choose 'numpy', 'cpu', 'opencl' or 'opencl:1'"
        + f"; an element type is given by x.astype({name!r})" * kind
    )


def default_backend() -> str:
    """Name of the backend of new tensors in this context ("cpu", or "numpy" without
    compiled kernels, unless changed)."""
    return _default.get()


def set_default_backend(name: str) -> None:
    """Change the backend of new tensors, for this thread or context only (new threads start with
    "cpu", or "numpy" without compiled kernels)."""
    _default.set(get(name).name)


@block
def use_backend(name: str) -> Iterator[Backend]:
    """`with use_backend("numpy"):` new tensors inside live on that backend."""
    token = _default.set(get(name).name)
    try:
        yield get(name)
    finally:
        _default.reset(token)
