"""Elementwise operations: from ndarrays to the rows of elementwise.c.

The methods of the backend are compiled functions, which saves one Python call per operation. Types
other than float32 and float64, and shapes that the contract does not promise, go to the reference
backend.
"""

from cpython.object cimport PyObject

from room cimport (
    MAX_NDIM,
    NPY_BOOL,
    NPY_DOUBLE,
    NPY_FLOAT,
    PyArray_BYTES,
    PyArray_Check,
    PyArray_DIMS,
    PyArray_ISALIGNED,
    PyArray_ISNOTSWAPPED,
    PyArray_NDIM,
    PyArray_SimpleNew,
    PyArray_STRIDES,
    PyArray_TYPE,
    PyArrayObject,
    Runtime,
    runtime,
)

import numpy as np

from tinydl.backend.reference.elementwise import Elementwise as Reference


cdef extern from "elementwise.h" nogil:
    enum:
        OP_where, OP_from_f32, OP_from_f64, OP_from_i32, OP_from_i64, OP_from_u8
    ctypedef void (*ElementwiseKernel)(
        int op, int inputs, const void **x, const Py_ssize_t **steps, void *y, int ndim,
        const Py_ssize_t *shape, int threads)
    ElementwiseKernel elementwise_f32[3]
    ElementwiseKernel elementwise_f64[3]

cdef Runtime *rt = runtime()

cdef object asarray = np.asarray
cdef object FLOAT32 = np.dtype(np.float32)
cdef object FLOAT64 = np.dtype(np.float64)
cdef object BOOL = np.dtype(np.bool_)
cdef dict CASTS = {
    FLOAT32: OP_from_f32,
    FLOAT64: OP_from_f64,
    np.dtype(np.int32): OP_from_i32,
    np.dtype(np.int64): OP_from_i64,
    np.dtype(np.uint8): OP_from_u8,
    BOOL: OP_from_u8,
}
cdef Py_ssize_t ZEROS[MAX_NDIM]  # the strides of a repeated 0-d operand

cdef enum:
    OTHER = -1
    SINGLE = 0
    DOUBLE = 1
    RELEASE_MIN = 4096  # elements; below, giving up the GIL costs more than the kernel


cdef inline int kind_of(object x) noexcept:
    """The type whose kernels read the elements of the ndarray `x`."""
    cdef int number
    if not PyArray_ISNOTSWAPPED(<PyArrayObject *> x):
        return OTHER
    number = PyArray_TYPE(<PyArrayObject *> x)
    return SINGLE if number == NPY_FLOAT else DOUBLE if number == NPY_DOUBLE else OTHER


cdef inline object as_array(object x):
    """NumPy's own functions make numbers of arrays without axes."""
    return x if PyArray_Check(x) else asarray(x)


cdef inline bint same_shape(PyArrayObject *a, PyArrayObject *b) noexcept:
    cdef int axis
    if PyArray_NDIM(a) != PyArray_NDIM(b):
        return False
    for axis in range(PyArray_NDIM(a)):
        if PyArray_DIMS(a)[axis] != PyArray_DIMS(b)[axis]:
            return False
    return True


cdef object run(
    int op, int kind, int inputs, PyObject *a, PyObject *b, PyObject *c, bint bools=False
):
    """op(a, b, c) as a fresh array (of `bools`, or of the kind), or None where shapes are neither
    equal nor (), or elements do not lie at multiples of their size. The caller's references keep
    the operands alive while the kernel runs."""
    cdef PyArrayObject *operands[3]
    cdef PyArrayObject *whole
    cdef const void *x[3]
    cdef const Py_ssize_t *steps[3]
    cdef int k, ndim, type_number = NPY_FLOAT if kind == SINGLE else NPY_DOUBLE
    cdef Py_ssize_t size = 1
    cdef const Py_ssize_t *shape
    cdef ElementwiseKernel kernel
    cdef void *out
    operands[0], operands[1] = <PyArrayObject *> a, <PyArrayObject *> b
    operands[2] = <PyArrayObject *> c
    whole = operands[0]
    for k in range(inputs):
        if not PyArray_ISALIGNED(operands[k]):
            return None
        x[k] = PyArray_BYTES(operands[k])
        steps[k] = PyArray_STRIDES(operands[k]) if PyArray_NDIM(operands[k]) else ZEROS
        if not PyArray_NDIM(whole):
            whole = operands[k]
    for k in range(inputs):
        if (
            operands[k] != whole
            and PyArray_NDIM(operands[k])
            and not same_shape(operands[k], whole)
        ):
            return None
    ndim, shape = PyArray_NDIM(whole), PyArray_DIMS(whole)
    if ndim > MAX_NDIM:
        return None
    for k in range(ndim):
        size *= shape[k]
    if bools:
        type_number = NPY_BOOL
    y = PyArray_SimpleNew(ndim, <Py_ssize_t *> shape, type_number)
    if size == 0:
        return y
    out = PyArray_BYTES(<PyArrayObject *> y)
    kernel = elementwise_f32[rt.level] if kind == SINGLE else elementwise_f64[rt.level]
    if size < RELEASE_MIN:
        kernel(op, inputs, x, steps, out, ndim, shape, 1)
    else:
        with nogil:
            kernel(op, inputs, x, steps, out, ndim, shape, rt.threads)
    return y


cdef inline object unary(int op, str name, object self, object x):
    x = as_array(x)
    cdef int kind = kind_of(x)
    cdef object y = None
    if kind != OTHER:
        y = run(op, kind, 1, <PyObject *> x, NULL, NULL)
    return getattr(Reference, name)(self, x) if y is None else y


cdef inline object binary(
    int op, str name, object self, object a, object b, bint bools=False
):
    a, b = as_array(a), as_array(b)
    cdef int kind = kind_of(a)
    cdef object y = None
    if kind != OTHER and kind_of(b) == kind:
        y = run(op, kind, 2, <PyObject *> a, <PyObject *> b, NULL, bools)
    return getattr(Reference, name)(self, a, b) if y is None else y


# class Rows(Reference): one method per row of elementwise_rows.h, and OP_name for each. setup.py
# writes it, as `def exp(self, x): return unary(OP_exp, "exp", self, x)`.
include "elementwise_methods.pxi"


class Elementwise(Rows):
    """The kernels of backend/reference/elementwise.py for float32 and float64; other types, and
    shapes that the contract does not promise, are the reference's."""

    def astype(self, x, dtype):
        """To float32 or float64 from every type a tensor may have."""
        x = as_array(x)
        cdef object source = x.dtype
        cdef object target = np.dtype(dtype)
        cdef int kind = SINGLE if target == FLOAT32 else DOUBLE if target == FLOAT64 else OTHER
        cdef object code = CASTS.get(source)
        cdef object y = None
        if kind != OTHER and code is not None:
            y = run(<int> code, kind, 1, <PyObject *> x, NULL, NULL)
        return Reference.astype(self, x, dtype) if y is None else y

    def where(self, condition, a, b):
        condition, a, b = as_array(condition), as_array(a), as_array(b)
        cdef int kind = kind_of(a)
        cdef object y = None
        if (
            kind != OTHER
            and kind_of(b) == kind
            and PyArray_TYPE(<PyArrayObject *> condition) == NPY_BOOL
        ):
            y = run(OP_where, kind, 3, <PyObject *> condition, <PyObject *> a, <PyObject *> b)
        return Reference.where(self, condition, a, b) if y is None else y
