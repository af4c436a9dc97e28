"""What every Cython module shares: the runtime struct; pointer, shape and strides of an ndarray.

    from room cimport Array, Runtime, array_of, runtime
    cdef Runtime *rt = runtime()          # once, at import

    cdef Array a = array_of(x, b"f")      # any strides; strides are in elements
    kernel_f32[rt.level](<const float *> a.data, ..., rt.threads)

The fields of an ndarray are read through NumPy's C interface: a call of the buffer protocol would
fill and free a description for each operand, which takes as long as adding 400 numbers. Nothing
has to be released; the memory lives as long as the caller's reference to `x`.
"""

from cpython.buffer cimport PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer


cdef extern from "kernel.h":
    ctypedef struct Runtime:
        int level
        int threads

cdef extern from "parallel.h":
    void join_team(const Runtime *rt)

cdef extern from *:
    """
    #define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
    #include <numpy/arrayobject.h>
    #define TYPE_CODE(x) (PyArray_DESCR((PyArrayObject *)(x))->type)
    #define IS_NUMBER(x) PyArray_IsScalar(x, Generic)
    """
    ctypedef struct PyArrayObject
    int _import_array() except -1
    bint PyArray_Check(object x)
    bint PyArray_ISNOTSWAPPED(PyArrayObject *x)
    bint PyArray_ISALIGNED(PyArrayObject *x)
    bint PyArray_IS_C_CONTIGUOUS(PyArrayObject *x)
    int PyArray_FailUnlessWriteable(PyArrayObject *x, const char *name) except -1
    void *PyArray_DESCR(PyArrayObject *x)
    int PyArray_NDIM(PyArrayObject *x)
    int PyArray_TYPE(PyArrayObject *x)
    Py_ssize_t PyArray_ITEMSIZE(PyArrayObject *x)
    Py_ssize_t *PyArray_DIMS(PyArrayObject *x)
    Py_ssize_t *PyArray_STRIDES(PyArrayObject *x)  # in bytes
    char *PyArray_BYTES(PyArrayObject *x)
    object PyArray_SimpleNew(int ndim, Py_ssize_t *shape, int type_number)
    char TYPE_CODE(object x)
    bint IS_NUMBER(object x)
    enum:
        NPY_FLOAT
        NPY_DOUBLE
        NPY_BOOL


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
    """The shared state; NumPy's functions can be called from here on."""
    _import_array()
    # PyCapsule_Import would not import the submodule.
    from tinydl.backend.cpu._runtime import capsule
    cdef void *rt = PyCapsule_GetPointer(capsule, "tinydl.backend.cpu._runtime.capsule")
    join_team(<Runtime *> rt)
    return <Runtime *> rt


cdef inline Array of_number(object x, const char *format) except *:
    """A NumPy number, what NumPy's own functions make of an array without axes."""
    cdef Py_buffer view
    cdef Array a
    if not IS_NUMBER(x):
        raise TypeError(f"expected an ndarray, got {type(x).__name__}")
    PyObject_GetBuffer(x, &view, PyBUF_FORMAT)
    a.data = <char *> view.buf
    a.itemsize = view.itemsize
    a.size = 1
    a.ndim = 0
    a.contiguous = True
    found = bytes(view.format)
    PyBuffer_Release(&view)
    if format != NULL and found != format:
        raise TypeError(f"expected elements of type {format.decode()!r}, got {found.decode()!r}")
    return a


cdef inline Array array_of(object x, const char *format) except *:
    """Any ndarray, any strides (0 and negative ones too). `format` is the struct code of the
    element type (b"f", b"d", b"l", b"?", ...), or NULL where the type is known already."""
    cdef Array a
    cdef int axis
    cdef bint whole
    cdef PyArrayObject *array = <PyArrayObject *> x
    if not PyArray_Check(x):
        return of_number(x, format)
    if format != NULL and not (
        TYPE_CODE(x) == format[0] and PyArray_ISNOTSWAPPED(array) and PyArray_ISALIGNED(array)
    ):
        found = memoryview(x).format
        raise TypeError(f"expected elements of type {format.decode()!r}, got {found!r}")
    a.data = PyArray_BYTES(array)
    a.itemsize = PyArray_ITEMSIZE(array)
    a.ndim = PyArray_NDIM(array)
    a.size = 1
    a.contiguous = True
    whole = a.ndim <= MAX_NDIM
    if whole:
        for axis in range(a.ndim - 1, -1, -1):
            a.shape[axis] = PyArray_DIMS(array)[axis]
            if a.shape[axis] == 1:  # no step is ever taken: NumPy leaves anything there
                a.strides[axis] = a.size
                continue
            a.strides[axis] = PyArray_STRIDES(array)[axis] // a.itemsize
            whole = whole and a.strides[axis] * a.itemsize == PyArray_STRIDES(array)[axis]
            if a.strides[axis] != a.size:
                a.contiguous = False
            a.size *= a.shape[axis]
        if a.size == 0:
            a.contiguous = True
    if not whole:
        raise ValueError(f"array of {a.ndim} axes or with strides that are no whole elements")
    return a


cdef inline Array writable(object x, const char *format) except *:
    """An ndarray that the kernel writes into; a read-only one raises ValueError."""
    if not PyArray_Check(x):
        raise TypeError(f"a kernel writes into an ndarray, not into {type(x).__name__}")
    PyArray_FailUnlessWriteable(<PyArrayObject *> x, "kernel output")
    return array_of(x, format)
