"""One device in use: its context, its in-order queue, its memory pool and its compiled programs.

Nothing waits for the device except reading a result back. Buffers come from a pool and go back to
it, so a buffer that a queued kernel still needs is never freed (PoCL does not survive that), and a
later kernel that gets the same memory runs after it. Sources of uploads are kept alive until the
queue has been seen empty.
"""

from __future__ import annotations

import atexit
import os
import struct
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DeviceError, DTypeError, IndexRangeError, KernelBuildError
from . import device as devices
from .array import MAX_ELEMENTS, ClArray
from .device import Device

#: dtype -> (type in OpenCL C, signed integer of the same size, struct format of a kernel argument)
TYPES: dict[Any, tuple[str, str, str]] = {
    np.dtype(np.float32): ("float", "int", "f"),
    np.dtype(np.float64): ("double", "long", "d"),
    np.dtype(np.int32): ("int", "int", "i"),
    np.dtype(np.int64): ("long", "long", "q"),
    np.dtype(np.uint8): ("uchar", "char", "B"),
    np.dtype(np.bool_): ("uchar", "char", "B"),
}
#: Bytes after the end of every array, see kernels_cl/prelude.cl.
PADDING = 256
#: Waiting once in a while bounds what the driver and `_in_flight` have to remember.
MAX_QUEUED = 4096
MAX_IN_FLIGHT_BYTES = 1 << 28
#: Names of the index kernels behind the codes in kernels_cl/*.cl.
INDEX_OPS = {1: "gather", 2: "scatter_add", 3: "one_hot", 4: "cross_entropy"}

_pack_int = struct.Struct("i").pack
_ZERO = _pack_int(0)


@dataclass(slots=True)
class Counters:
    """What has happened on one device since its first use; tests look at differences."""

    builds: int = 0
    launches: int = 0
    allocations: int = 0
    uploads: int = 0
    downloads: int = 0
    packs: int = 0  # strided inputs copied because a kernel needs them contiguous


class Kernel:
    """A compiled kernel with what a launch needs to know about it."""

    __slots__ = ("handle", "name", "pack_real", "set_many")

    def __init__(self, handle: Any, name: str, real_format: str) -> None:
        self.handle = handle
        self.name = name
        self.pack_real = struct.Struct(real_format).pack
        #: pyopencl's own way to set all arguments in two calls, which may go: `set_arg` costs 5
        #: microseconds per argument, and remains.
        self.set_many = hasattr(handle, "_set_arg_multi") and hasattr(handle, "_set_arg_buf_multi")

    def set_arguments(self, buffers: list[Any], values: list[Any]) -> None:
        """Both as index, argument, index, argument ..."""
        if self.set_many:
            self.handle._set_arg_multi(tuple(buffers))
            self.handle._set_arg_buf_multi(tuple(values))
        else:
            for pairs in (buffers, values):
                for i in range(0, len(pairs), 2):
                    self.handle.set_arg(pairs[i], pairs[i + 1])


def kernel_source(file: str) -> str:
    """Text of kernels_cl/<file>: inside an installed package, beside the package in a checkout.

    Found from this very file, not by a module's name, which may belong to another checkout."""
    package = Path(__file__).parents[2]
    folders = (package / "kernels_cl", package.parent / "kernels_cl")
    for folder in folders:
        if folder.is_dir():
            return (folder / file).read_text(encoding="utf-8")
    places = " and ".join(map(str, folders))
    raise KernelBuildError(f"opencl: the sources of the kernels are missing: no {places}")


class Runtime:
    """Allocates, uploads, launches and reads back on one device; all kernels of the backend go
    through it."""

    def __init__(self, device: Device) -> None:
        import pyopencl as cl

        self.cl = cl
        self.device = device
        #: "gpu" or "cpu": which of two kernels is taken where they differ; TINYDL_CL_KIND
        #: forces it, for tests.
        self.kind = os.environ.get("TINYDL_CL_KIND") or ("gpu" if device.kind == "gpu" else "cpu")
        self.is_gpu = self.kind == "gpu"
        self.vector_bytes = 0 if self.is_gpu else _vector_bytes(device)
        self.max_bytes = device.handle.max_mem_alloc_size
        self.synchronous = os.environ.get("TINYDL_SYNC") == "1"
        self.counters = Counters()
        codes = cl.status_code
        self._no_memory = (codes.MEM_OBJECT_ALLOCATION_FAILURE, codes.OUT_OF_HOST_MEMORY)
        self._lost = (
            *(codes.DEVICE_NOT_AVAILABLE, codes.OUT_OF_RESOURCES, codes.INVALID_COMMAND_QUEUE),
            *(codes.INVALID_CONTEXT, codes.INVALID_DEVICE),
        )
        self.context = cl.Context([device.handle])
        self.queue = cl.CommandQueue(self.context)
        self.pool = cl.tools.MemoryPool(cl.tools.ImmediateAllocator(self.queue))
        self.index_check_pending = False
        self._programs: dict[tuple[str, str], Any] = {}
        self._kernels: dict[tuple[str, str, str], Kernel] = {}
        self._in_flight: deque[np.ndarray] = deque()
        self._in_flight_bytes = 0
        self._queued = 0
        self._lock = threading.RLock()
        # A light item does little: many share a work-group. Few distinct local sizes: each is a
        # compilation.
        self._light = 256 if self.is_gpu else 64
        # Heavy items are work-groups of their own on a CPU; a real GPU's driver cuts as it likes.
        self._heavy = None if device.kind == "gpu" else (1, 1, 1)
        no_error = np.zeros(4, np.int64)
        self.error = cl.Buffer(
            self.context, cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR, hostbuf=no_error
        )
        atexit.register(self._drain_at_exit)

    # -- memory ---------------------------------------------------------------------------------

    def allocate(self, elements: int, dtype: np.dtype, shape: tuple[int, ...]) -> Any:
        """A buffer for `elements` values and the padding; DeviceError if the device has no such
        buffer."""
        if devices._forked:
            devices.check_not_forked()
        size = elements * dtype.itemsize + PADDING
        if size > self.max_bytes or elements > MAX_ELEMENTS:
            raise DeviceError(
                f"opencl: an array of shape {shape} and dtype {dtype} takes {size} bytes; "
                f"{self.device} allocates at most {self.max_bytes} bytes and {MAX_ELEMENTS} "
                "elements at once"
            )
        self.counters.allocations += 1
        try:
            return self.pool.allocate(size)
        except (self.cl.Error, MemoryError) as error:
            if not isinstance(error, MemoryError) and error.code not in self._no_memory:
                raise self._failed(f"an array of shape {shape} and dtype {dtype}", error) from error
        self.finish()  # what is queued may hold arrays that nobody else does
        self.pool.free_held()
        try:
            return self.pool.allocate(size)
        except (self.cl.Error, MemoryError) as error:
            raise DeviceError(
                f"opencl: {self.device} has no {size} bytes left for an array of shape {shape} and "
                f"dtype {dtype} ({self.pool.active_bytes} bytes are in use); what was made before "
                "is still there, and a smaller batch may fit"
            ) from error

    def upload(self, buffer: Any, host: np.ndarray) -> None:
        """Queue a copy of the C-contiguous `host` into `buffer`."""
        if devices._forked:
            devices.check_not_forked()
        self.counters.uploads += 1
        with self._lock:
            try:
                self.cl.enqueue_copy(self.queue, buffer, host, is_blocking=False)
            except self.cl.Error as error:
                raise self._failed(f"writing {host.nbytes} bytes", error) from error
            self._in_flight.append(host)
            self._in_flight_bytes += host.nbytes
        if self._in_flight_bytes > MAX_IN_FLIGHT_BYTES:
            self.finish()

    def download(self, x: ClArray, host: np.ndarray) -> None:
        """Wait for the queue and read the contiguous x; raises IndexRangeError if a kernel met a
        wrong index."""
        if devices._forked:
            devices.check_not_forked()
        self.counters.downloads += 1
        with self._lock:
            try:
                offset = x.offset * x.dtype.itemsize
                self.cl.enqueue_copy(self.queue, host, x.buffer, src_offset=offset)
            except self.cl.Error as error:
                raise self._failed(f"reading an array of shape {x.shape}", error) from error
            self._forget_in_flight()
        self.check_indices()

    def finish(self) -> None:
        """Wait until everything queued has run."""
        if devices._forked:
            devices.check_not_forked()
        with self._lock:
            try:
                self.queue.finish()
            except self.cl.Error as error:
                raise self._failed("waiting for the queue", error) from error
            self._forget_in_flight()
        self.check_indices()

    def _failed(self, what: str, error: Any) -> DeviceError:
        """The error to raise for pyopencl's: no memory (one can go on with less), a device that is
        gone (one cannot), or anything else, in the driver's words."""
        if error.code in self._no_memory:
            return DeviceError(
                f"opencl: {what} failed: {self.device} has no memory left "
                f"({self.pool.active_bytes} bytes are in use): {error}; a smaller batch may fit"
            )
        if error.code in self._lost:
            return DeviceError(
                f"opencl: {what} failed: {self.device} is lost, and with it every array on it: "
                f"{error}; go on in a new process, from the last checkpoint"
            )
        return DeviceError(f"opencl: {what} failed: {error}")

    def _forget_in_flight(self) -> None:
        self._in_flight.clear()
        self._in_flight_bytes = self._queued = 0

    def check_indices(self) -> None:
        """Read the error flag if an index kernel has run since the last time."""
        if not self.index_check_pending:
            return
        self.index_check_pending = False
        found = np.empty(4, np.int64)
        self.cl.enqueue_copy(self.queue, found, self.error)
        op, index, size = (int(v) for v in found[:3])
        if op & 0xFFFFFFFF:
            self.cl.enqueue_copy(self.queue, self.error, np.zeros(4, np.int64))
            raise IndexRangeError(
                f"{INDEX_OPS[op & 0xFFFFFFFF]}: index {index} is out of range for {size} rows "
                f"(0 to {size - 1})"
            )

    def _drain_at_exit(self) -> None:
        if not devices._forked:
            self.queue.finish()

    # -- programs -------------------------------------------------------------------------------

    def vector_width(self, dtype: np.dtype) -> int:
        """Elements per vector in kernels of this dtype; 1 on a GPU."""
        return min(max(self.vector_bytes // dtype.itemsize, 1), 16)

    def kernel(self, stem: str, dtype: np.dtype, name: str) -> Kernel:
        """The kernel `name` of kernels_cl/<stem>.cl for `dtype`, compiled at its first use in the
        process."""
        found = self._kernels.get((stem, dtype.char, name))
        if found is None:
            with self._lock:
                program = self._programs.get((stem, dtype.char))
                if program is None:
                    program = self._programs[stem, dtype.char] = self._build(f"{stem}.cl", dtype)
                handle = self.cl.Kernel(program, name)
                found = Kernel(handle, f"{stem}.cl: {name}", TYPES[dtype][2])
                self._kernels[stem, dtype.char, name] = found
        return found

    def check_dtype(self, dtype: np.dtype) -> None:
        if dtype not in TYPES:
            raise DTypeError(f"opencl: no arrays of dtype {dtype}; there are {_names(TYPES)}")
        if dtype == np.float64 and not self.device.has_double:
            raise DTypeError(
                f"opencl: {self.device} has no float64 (cl_khr_fp64); use float32 or another "
                "backend"
            )

    def _build(self, file: str, dtype: np.dtype) -> Any:
        self.check_dtype(dtype)
        real, mask, _ = TYPES[dtype]
        width = self.vector_width(dtype)
        options = ["-D", f"REAL={real}", "-D", f"MASK={mask}", "-D", f"VW={width}"]
        options.append("-w")  # warnings of a driver's compiler are not the user's business
        if dtype.kind == "f":
            options += ["-D", f"FLOATING={8 * dtype.itemsize}"]
        if dtype.kind == "b":
            options += ["-D", "BOOL=1"]
        source = f'{kernel_source("prelude.cl")}\n#line 1 "{file}"\n{kernel_source(file)}'
        self.counters.builds += 1
        program = self.cl.Program(self.context, source)
        try:
            return program.build(options)
        except self.cl.Error as error:
            raise KernelBuildError(
                f"kernels_cl/{file} does not compile for {self.device} with "
                f"{' '.join(options)}:\n{error}"
            ) from error

    # -- launches -------------------------------------------------------------------------------

    def light(self, kernel: Kernel, items: int, *arguments: Any) -> None:
        """Queue `items` small work-items, rounded up to whole work-groups: the kernel checks its
        index."""
        if items > 0:
            local = self._light
            self._launch(kernel, (-(-items // local) * local,), (local,), arguments)

    def heavy(self, kernel: Kernel, x: int, y: int, z: int, *arguments: Any) -> None:
        """Queue exactly x * y * z work-items that each do much; x is the fastest index."""
        if x > 0 and y > 0 and z > 0:
            self._launch(kernel, (x, y, z), self._heavy, arguments)

    def groups(
        self, kernel: Kernel, size: tuple[int, ...], local: tuple[int, ...], *arguments: Any
    ) -> None:
        """Queue `size` work-groups of `local` items that share local memory."""
        if min(size) > 0:
            total = tuple(n * m for n, m in zip(size, local, strict=True))
            self._launch(kernel, total, local, arguments)

    def _launch(
        self,
        kernel: Kernel,
        size: tuple[int, ...],
        local: tuple[int, ...] | None,
        arguments: tuple[Any, ...],
    ) -> None:
        """A ClArray is passed as buffer and offset, None as a null buffer and 0, int and float as
        themselves, bytes as they are, anything else as a buffer."""
        if devices._forked:
            devices.check_not_forked()
        try:
            buffers, values = _packed(kernel, arguments)
        except struct.error as error:
            raise DeviceError(
                f"opencl: {kernel.name} got a size or offset beyond 32 bits: "
                f"{[a for a in arguments if type(a) is int]}"
            ) from error
        with self._lock:
            try:
                kernel.set_arguments(buffers, values)
                self.cl.enqueue_nd_range_kernel(self.queue, kernel.handle, size, local)
                if self.synchronous:
                    self.queue.finish()
            except self.cl.Error as error:
                raise self._failed(f"{kernel.name} with {size} items", error) from error
        self.counters.launches += 1
        self._queued += 1
        if self._queued >= MAX_QUEUED:
            self.finish()


def _packed(kernel: Kernel, arguments: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
    """(buffers, values), each as index, argument, index, argument ..."""
    buffers: list[Any] = []
    values: list[Any] = []
    i = 0
    for argument in arguments:
        kind = type(argument)
        if isinstance(argument, int):
            values += (i, _pack_int(argument))
        elif kind is ClArray:
            buffers += (i, argument.buffer)
            i += 1
            values += (i, _pack_int(argument.offset))
        elif kind is bytes:
            values += (i, argument)
        elif kind is float:
            values += (i, kernel.pack_real(argument))
        elif argument is None:
            buffers += (i, None)
            i += 1
            values += (i, _ZERO)
        else:
            buffers += (i, argument)
        i += 1
    return buffers, values


def _names(types: dict[Any, Any]) -> str:
    return ", ".join(str(dtype) for dtype in types)


def _vector_bytes(device: Device) -> int:
    """Width of the vectors that kernels for this CPU device are written in."""
    if "pocl" in device.driver.lower() and device.version < (3, 1):
        return 32  # LLVM 14 in pip's PoCL aborts the process on some 16-wide float operations
    return min(max(device.handle.native_vector_width_float * 4, 16), 64)


_runtimes: dict[int, Runtime] = {}


def runtime_for(selector: str | None) -> Runtime:
    """The runtime of the device that `selector` names (see device.choose), one per device and
    process."""
    devices.check_not_forked()
    device = devices.choose(selector)
    found = _runtimes.get(device.handle.int_ptr)
    if found is None:
        found = _runtimes[device.handle.int_ptr] = Runtime(device)
    return found
