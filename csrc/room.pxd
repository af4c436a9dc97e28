"""What every Cython room shares: the runtime struct, and pointer, shape and strides of an ndarray.

    from room cimport Array, Runtime, array_of, runtime
    cdef Runtime *rt = runtime()          # once, at import

    cdef Array a = array_of(x, b"f")      # any strides; strides are in elements
    kernel_f32[rt.level](<const float *> a.data, ..., rt.threads)

No NumPy headers: the buffer protocol is enough. The struct is copied and the buffer released at
once, so there is nothing to clean up; the memory lives as long as the caller's reference to `x`.
"""

from cpython.buffer cimport (
    PyBUF_FORMAT,
    PyBUF_STRIDES,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cpython.pycapsule cimport PyCapsule_GetPointer


cdef extern from "kernel.h":
    ctypedef struct Runtime:
        int level
        int threads


cdef enum:
    MAX_NDIM = 16


cdef struct Array:
    char *data
    Py_ssize_t itemsize
    Py_ssize_t size
    int ndim
    bint contiguous  # C order
    Py_ssize_t shape[MAX_NDIM]
    Py_ssize_t strides[MAX_NDIM]  # in elements


cdef inline Runtime *runtime() except NULL:
    # PyCapsule_Import would not import the submodule.
    from tinydl.backend._runtime import capsule
    return <Runtime *> PyCapsule_GetPointer(capsule, "tinydl.backend._runtime.capsule")


cdef inline Array _array(object x, const char *format, int flags) except *:
    """`format` is the struct code of the element type (b"f", b"d", b"l", b"?", ...), or NULL where
    the type is known already: NumPy writes the code anew each time."""
    cdef Py_buffer view
    cdef Array a
    cdef int axis
    cdef bint whole
    PyObject_GetBuffer(x, &view, flags)
    a.data = <char *> view.buf
    a.itemsize = view.itemsize
    a.ndim = view.ndim
    a.size = 1
    a.contiguous = True
    whole = view.ndim <= MAX_NDIM
    if whole:
        for axis in range(view.ndim - 1, -1, -1):
            a.shape[axis] = view.shape[axis]
            a.strides[axis] = view.strides[axis] // view.itemsize
            whole = whole and a.strides[axis] * view.itemsize == view.strides[axis]
            if view.shape[axis] != 1 and a.strides[axis] != a.size:
                a.contiguous = False
            a.size *= view.shape[axis]
        if a.size == 0:
            a.contiguous = True
    if format != NULL and (view.format[0] != format[0] or view.format[1] != 0):
        found = bytes(view.format).decode()
        PyBuffer_Release(&view)
        raise TypeError(f"expected elements of type {format.decode()!r}, got {found!r}")
    PyBuffer_Release(&view)
    if not whole:
        raise ValueError(f"array of {a.ndim} axes or with strides that are no whole elements")
    return a


cdef inline Array array_of(object x, const char *format) except *:
    """Any readable ndarray, any strides (0 and negative ones too)."""
    return _array(x, format, PyBUF_STRIDES if format == NULL else PyBUF_STRIDES | PyBUF_FORMAT)


cdef inline Array writable(object x, const char *format) except *:
    """An ndarray that the kernel writes into; a read-only one raises BufferError."""
    cdef int flags = PyBUF_STRIDES | PyBUF_WRITABLE
    return _array(x, format, flags if format == NULL else flags | PyBUF_FORMAT)
