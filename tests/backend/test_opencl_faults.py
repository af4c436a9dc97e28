"""What the OpenCL backend says when memory, the device or the compiler fails, and that it goes on
where it can. The faults are pyopencl's own exceptions, raised by stand-ins."""

import threading

import numpy as np
import pytest
from support import load_backend

from tinydl.backend.opencl import OpenCLBackend
from tinydl.backend.opencl import device as devices
from tinydl.backend.opencl import runtime as runtimes
from tinydl.errors import DeviceError, IndexRangeError, KernelBuildError

pytestmark = pytest.mark.opencl
F32 = np.dtype(np.float32)


@pytest.fixture(scope="module")
def shared():
    return load_backend("opencl")


@pytest.fixture
def cl(shared, monkeypatch):
    """A runtime of its own: faults are planted into it."""
    backend = OpenCLBackend("opencl")
    monkeypatch.setattr(backend, "runtime", runtimes.Runtime(shared.runtime.device))
    return backend


def fault(name):
    import pyopencl

    kind = pyopencl.MemoryError if "MEM" in name else pyopencl.RuntimeError
    error = kind(name)
    error.args = (ErrorRecord(getattr(pyopencl.status_code, name), name),)
    return error


class ErrorRecord:
    """What pyopencl's exceptions carry."""

    def __init__(self, code, text):
        self._code, self._text = code, text

    def code(self):
        return self._code

    def routine(self):
        return "clEnqueueNDRangeKernel"

    def what(self):
        return self._text

    def is_out_of_memory(self):
        return True

    __str__ = what


class Pool:
    """A pool that has `most` bytes."""

    def __init__(self, pool, most):
        self.pool, self.most, self.freed = pool, most, 0

    active_bytes = 123

    def allocate(self, size):
        if size > self.most:
            raise fault("MEM_OBJECT_ALLOCATION_FAILURE")
        return self.pool.allocate(size)

    def free_held(self):
        self.freed += 1
        self.pool.free_held()


def step(backend, batch):
    x, w = backend.full((batch, 8), 1.0, F32), backend.full((8, 4), 0.5, F32)
    return backend.to_numpy(backend.sum(backend.matmul(x, w), (0, 1), False))


def test_memory_exhausted_and_on_with_a_smaller_batch(cl):
    pool = cl.runtime.pool = Pool(cl.runtime.pool, 20_000)
    with pytest.raises(DeviceError, match=r"no 320256 bytes left.*shape \(10000, 8\).*123 bytes"):
        step(cl, 10_000)
    assert pool.freed == 1  # what was held back is given back before it gives up
    assert step(cl, 100) == 100 * 4 * 4


def test_memory_that_comes_free_is_used(cl):
    pool = cl.runtime.pool = Pool(cl.runtime.pool, 1000)
    pool.free_held = lambda: setattr(pool, "most", 1 << 20)
    assert step(cl, 1000) == 1000 * 4 * 4


class Queue:
    """pyopencl with one function that fails once it is told to."""

    def __init__(self, module, function, error):
        self._module, self._function, self._error = module, function, error

    def __getattr__(self, name):
        if name != self._function:
            return getattr(self._module, name)

        def fails(*arguments, **options):
            raise self._error

        return fails


@pytest.mark.parametrize("name", ["DEVICE_NOT_AVAILABLE", "OUT_OF_RESOURCES"])
@pytest.mark.parametrize(
    ("function", "what"),
    [
        ("enqueue_nd_range_kernel", r"elementwise\.cl: apply_exp with"),
        ("enqueue_copy", r"reading an array of shape \(3,\)"),
    ],
)
def test_a_lost_device(cl, function, what, name):
    x = cl.asarray(np.ones(3, np.float32))
    cl.synchronize()
    cl.runtime.cl = Queue(cl.runtime.cl, function, fault(name))
    with pytest.raises(DeviceError, match=rf"{what}.* is lost, and with it .*checkpoint"):
        cl.to_numpy(cl.exp(x))


def test_a_device_lost_at_an_allocation_and_an_upload(cl):
    cl.runtime.cl = Queue(cl.runtime.cl, "enqueue_copy", fault("DEVICE_NOT_AVAILABLE"))
    with pytest.raises(DeviceError, match=r"writing 12 bytes failed: .* is lost"):
        cl.asarray(np.ones(3, np.float32))

    class Gone(Pool):
        def allocate(self, size):
            raise fault("DEVICE_NOT_AVAILABLE")

    cl.runtime.pool = Gone(cl.runtime.pool, 0)
    with pytest.raises(DeviceError, match=r"an array of shape \(3,\) .* is lost"):
        cl.empty((3,), F32)


def test_memory_exhausted_at_a_launch(cl):
    x = cl.asarray(np.ones(3, np.float32))
    error = fault("MEM_OBJECT_ALLOCATION_FAILURE")
    whole = cl.runtime.cl
    cl.runtime.cl = Queue(whole, "enqueue_nd_range_kernel", error)
    with pytest.raises(DeviceError, match=r"apply_exp .* no memory left .*a smaller batch"):
        cl.exp(x)
    cl.runtime.cl = whole
    assert cl.to_numpy(cl.exp(x)).tolist() == [np.float32(np.e)] * 3


def test_a_build_error_shows_file_line_and_log(cl, monkeypatch):
    broken = {"prelude.cl": "", "reduce.cl": "// one\n// two\nkernel void f() { nonsense }"}
    monkeypatch.setattr(runtimes, "kernel_source", broken.__getitem__)
    with pytest.raises(KernelBuildError, match=r"reduce\.cl:3:\d+: .*'nonsense'"):
        cl.runtime.kernel("reduce", F32, "f")


# -- a wrong index is never read as a row ----------------------------------------------------------


@pytest.mark.parametrize("bad", [5, -1])
def test_what_a_wrong_index_made_is_never_a_number(shared, bad):
    x, indices = shared.asarray(np.ones((5, 3), np.float32)), shared.asarray(np.array([0, bad, 1]))
    pair = shared.asarray(np.array([0, bad]))
    logits = shared.asarray(np.ones((2, 5), np.float32))
    _, shifts = shared.cross_entropy(logits, shared.asarray(np.array([0, 1])))
    rows, ones = shared.asarray(np.ones((3, 2), np.float32)), shared.full((2,), 1.0, F32)
    for make in (
        lambda: shared.gather(x, indices),
        lambda: shared.scatter_add(rows, indices, 5),
        lambda: shared.one_hot(indices, 5, F32),
        lambda: shared.cross_entropy(logits, pair)[0],
        lambda: shared.cross_entropy_grad(logits, shifts, pair, ones),
    ):
        made = make()
        total = shared.sum(made, tuple(range(len(made.shape))), False)
        with pytest.raises(IndexRangeError, match=f"index {bad}"):
            shared.to_numpy(made)
        assert np.isnan(shared.to_numpy(made)).any() and np.isnan(shared.to_numpy(total))


def test_integers_have_no_nan_and_are_checked_first(shared):
    x, indices = shared.asarray(np.arange(5)), shared.asarray(np.array([0, 5]))
    with pytest.raises(IndexRangeError, match="gather: index 5"):
        shared.gather(x, indices)
    with pytest.raises(IndexRangeError, match="one_hot: index 5"):
        shared.one_hot(indices, 5, np.dtype(np.int32))
    assert shared.to_numpy(shared.gather(x, shared.asarray(np.array([4, 0])))).tolist() == [4, 0]


# -- pyopencl's private functions, threads, two devices --------------------------------------------


def test_without_the_private_functions_of_pyopencl(cl):
    x = np.linspace(-1, 1, 100, dtype=np.float32).reshape(10, 10)
    results = []
    for many in (True, False):
        kernel = cl.runtime.kernel("matmul", F32, "gemm_10x1")
        assert kernel.set_many or not many
        kernel.set_many = many
        results.append(cl.to_numpy(cl.matmul(cl.asarray(x), cl.asarray(x))))
    assert np.array_equal(*results) and results[0].any()

    class Public:
        """A kernel as a later pyopencl might have it."""

    assert not runtimes.Kernel(Public(), "name", "f").set_many


def test_threads_share_a_device(shared):
    x = np.random.default_rng(0).standard_normal((40, 40)).astype(np.float32)
    expected = shared.to_numpy(shared.matmul(shared.asarray(x), shared.asarray(x)))
    wrong = []

    def work():
        for i in range(50):
            y = shared.to_numpy(shared.matmul(shared.asarray(x), shared.asarray(x)))
            number = shared.to_numpy(shared.scalar(i, F32))
            if not np.array_equal(y, expected) or float(number) != i:
                wrong.append(i)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_two_devices_at_once(shared):
    found = devices.find_devices()
    if len(found) < 2:
        pytest.skip("one OpenCL device")
    backends = [OpenCLBackend(f"opencl:{i}") for i in range(2)]
    assert backends[0].runtime is not backends[1].runtime
    x = np.arange(12, dtype=np.float32)
    arrays = [b.asarray(x) for b in backends]
    for _ in range(3):
        arrays = [b.add(a, a) for b, a in zip(backends, arrays, strict=True)]
    for b, a in zip(backends, arrays, strict=True):
        assert np.array_equal(b.to_numpy(a), 8 * x)
